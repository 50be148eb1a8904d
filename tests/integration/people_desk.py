"""The people's part of the tenants service on real servers: database, broker, vault."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pyotp
from pydantic import SecretStr

from deploy.local.servers.nats import Nats
from deploy.local.servers.openbao import OpenBao
from libs.common.bus.bus import Bus
from libs.common.bus.connect import connect
from libs.common.contracts.access import ROLES, Role
from libs.common.contracts.audit import ActionAudited
from libs.common.contracts.ids import TenantId
from libs.common.contracts.people import (
    AcceptInvite,
    CreateInvite,
    LogIn,
    OpenedSession,
)
from libs.common.contracts.tenants import CreateTenant, Plan
from libs.common.contracts.tokens import AccessRevoked
from libs.common.db import Database, Row
from libs.common.lifecycle import Lifecycle
from services.keyvault.secrets import handlers as secrets
from services.tenants.people import handlers
from services.tenants.people.rooms import Rooms, furnish
from services.tenants.people.settings import PeopleSettings
from services.tenants.service import TenantsService
from tests.servers.databases import TestDatabase
from tests.servers.planted import planted
from tests.servers.vaults import vault_of

CHEAP: dict[str, Any] = {"password_memory_kib": 64, "password_rounds": 1}
EVERYTHING = ROLES[Role.OWNER]


@dataclass
class Desk:
    """One tenant with an owner to be; the gateway's bus."""

    database: Database
    rooms: Rooms
    gateway: Bus
    tenant: TenantId = field(default_factory=TenantId.new)

    async def found(self, name: str = "A shop", plan: Plan | None = None) -> TenantId:
        """A registered tenant, with what it bought."""
        tenant = (await TenantsService(self.database).create_tenant(CreateTenant(name=name))).id
        if plan is not None:
            bought = plan.model_dump(mode="json")
            await self.rows("update tenants set plan = $2 where tenant_id = $1", tenant, bought)
        return tenant

    async def invited(self, email: str, role: Role = Role.OWNER, tenant: TenantId | None = None) -> SecretStr:
        """The token of a link, where no letters are sent."""
        query = CreateInvite(email=email, role=role, within=EVERYTHING)
        created = await self.gateway.request(query, tenant=tenant or self.tenant)
        assert created.link is not None
        return SecretStr(created.link.get_secret_value().partition("#")[2])

    async def joined(
        self, email: str, role: Role = Role.OWNER, tenant: TenantId | None = None, password: str = ""
    ) -> tuple[OpenedSession, SecretStr]:
        """Somebody who came by an invite, with a password."""
        chosen = SecretStr(password or planted("password"))
        token = await self.invited(email, role, tenant)
        opened = await self.gateway.request(AcceptInvite(token=token, name="Layla", password=chosen))
        return opened, chosen

    async def log_in(self, email: str, password: SecretStr, **more: Any) -> OpenedSession:
        outcome = await self.gateway.request(LogIn(email=email, password=password, **more), timeout=10)
        assert outcome.session is not None
        return outcome.session

    async def rows(self, query: str, *args: object) -> list[Row]:
        async with self.database.platform("look") as tx:
            return await tx.fetch(query, *args)

    async def told(self, kind: type[Any]) -> list[Any]:
        """What waits in the outbox of that type, oldest first."""
        rows = await self.rows("select headers, data from outbox order by id")
        return [kind.model_validate_json(r["data"]) for r in rows if r["headers"]["type"] == kind.wire]

    async def audited(self) -> list[str]:
        return [told.action for told in await self.told(ActionAudited)]

    async def revoked(self) -> list[AccessRevoked]:
        return await self.told(AccessRevoked)


@asynccontextmanager
async def at_desk(database: TestDatabase, nats: Nats, vault: OpenBao, **settings: Any) -> AsyncIterator[Desk]:
    """Everything of people, with the vault's service beside it; no relay, so that the outbox can be read."""
    async with AsyncExitStack() as stack:

        async def bus(service: str) -> Bus:
            made = connect(nats.url, service)
            stack.push_async_callback(made.close)
            await made.start()
            return made

        lifecycle = Lifecycle()
        stack.push_async_callback(lifecycle.close)
        own = await lifecycle.open("database", database.of("tenants"))
        vaults = await lifecycle.open("vault database", database.of("keyvault"))
        await secrets.attach(await bus("keyvault"), vaults, await stack.enter_async_context(vault_of(vault)))
        async with own.platform("start afresh") as tx:
            for table in ("outbox", "login_failures", "staff", "tenants"):
                await tx.execute(f"delete from {table}")
        tenants = await bus("tenants")
        rooms = await furnish(PeopleSettings(**(CHEAP | settings)), own, tenants, lifecycle)
        await handlers.attach(tenants, rooms)
        desk = Desk(own, rooms, await bus("gateway"))
        desk.tenant = await desk.found()
        yield desk


def code_of(secret: SecretStr, step: int = 0) -> SecretStr:
    """The code of an authenticator app that is `step` half minutes ahead."""
    totp = pyotp.TOTP(secret.get_secret_value())
    return SecretStr(totp.at(int(time.time()) + 30 * step))
