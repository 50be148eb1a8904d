"""The tenants service's own database, and what leaves it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

from libs.common.contracts.audit import ActionAudited
from libs.common.contracts.ids import TenantId
from libs.common.contracts.message import Durable
from libs.common.contracts.tenants import CreateTenant
from libs.common.db import Database
from services.tenants.keys import ApiKeys
from services.tenants.plans import PlansService, Rollout
from services.tenants.service import TenantsService
from tests.servers.databases import TestDatabase

Told = TypeVar("Told", bound=Durable)


class Desk:
    """The use cases over a database whose tables are empty but for the plans that are sold."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.tenants = TenantsService(database)
        self.keys = ApiKeys(database)
        self.rollout = Rollout(database)
        self.plans = PlansService(database, self.rollout)

    async def tenant(self, name: str = "Shop") -> TenantId:
        return (await self.tenants.create_tenant(CreateTenant(name=name))).id

    async def told(self, kind: type[Told], tenant: TenantId | None = None) -> list[Told]:
        """Messages of this kind that left (for the tenant, or for any), oldest first."""
        async with self.database.platform("look at the outbox") as tx:
            rows = await tx.fetch(
                "select data from outbox where headers ->> 'type' = $1 "
                "and ($2::text is null or tenant_id = $2) order by id",
                kind.wire,
                tenant,
            )
        return [kind.model_validate_json(row["data"]) for row in rows]

    async def actions(self, tenant: TenantId | None = None) -> list[str]:
        """What the audit log is told, oldest first."""
        return [told.action for told in await self.told(ActionAudited, tenant)]


@asynccontextmanager
async def tenants_desk(database: TestDatabase) -> AsyncIterator[Desk]:
    own = database.of("tenants")
    await own.start()
    try:
        async with own.platform("clean up") as tx:
            await tx.execute("delete from tenants")
            await tx.execute("delete from plans where code not in ('saas', 'enterprise')")
            await tx.execute("delete from outbox")
        yield Desk(own)
    finally:
        await own.close()
