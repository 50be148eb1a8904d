"""Replicas of the gateway that let in by keys and tokens, with the vault's service behind them."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from fastapi import APIRouter, Request
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from deploy.local.servers.nats import Nats
from deploy.local.servers.openbao import OpenBao
from libs.common.api_keys import GeneratedKey, generate
from libs.common.bus.bus import Bus
from libs.common.bus.connect import connect
from libs.common.contracts import flow
from libs.common.contracts.access import Permission
from libs.common.contracts.envelope import Envelope
from libs.common.contracts.ids import ApiKeyId, SessionId, TenantId, UserId
from libs.common.contracts.message import Durable
from libs.common.contracts.tenants import ApiKeyIssued, KeyMode
from libs.common.contracts.tokens import AccessRevoked
from libs.common.db import Database
from libs.common.lifecycle import Lifecycle
from libs.common.objects import Objects
from services.gateway.auth.guard import guarded_router, needs
from services.gateway.auth.issuing import issue
from services.gateway.auth.projection import store_key
from services.gateway.gateway import Gateway
from services.gateway.middleware.metrics import GatewayMetrics
from services.gateway.routes import tokens as token_routes
from services.gateway.settings import GatewaySettings
from services.gateway.wiring import assemble, follow
from services.keyvault.tokens import handlers as tokens
from tests.servers.databases import TestDatabase
from tests.servers.vaults import vault_of
from tests.unit.gateway_app import slim_app

UNUSED = SecretStr("postgresql://unused")
ADDRESS = "203.0.113.9"
WHO = "/api/v1/who"


@dataclass
class Key:
    """An API key that the gateway's table has."""

    id: ApiKeyId
    tenant: TenantId
    generated: GeneratedKey

    @property
    def secret(self) -> str:
        return self.generated.secret.get_secret_value()

    @property
    def basic(self) -> str:
        return "Basic " + b64encode(f"{self.id}:{self.secret}".encode()).decode()


@dataclass
class Replica:
    """One process of the gateway. `http`: somebody at `ADDRESS`."""

    gateway: Gateway
    http: httpx.AsyncClient

    async def who(self, token: str) -> httpx.Response:
        """Who comes in with it."""
        return await self.http.get(WHO, headers={"authorization": f"Bearer {token}"})

    async def token(self, key: Key, **fields: str) -> httpx.Response:
        """What the token endpoint answers to the key."""
        form = {"grant_type": "client_credentials", **fields}
        return await self.http.post("/api/v1/auth/token", data=form, headers={"authorization": key.basic})


@dataclass
class Desk:
    """Two replicas; the operator's bus and that of the tenants service."""

    replicas: list[Replica]
    operator: Bus
    tenants: Bus
    start: Any
    database: Database
    tenant: TenantId = field(default_factory=TenantId.new)

    @property
    def first(self) -> Replica:
        return self.replicas[0]

    async def key(self, **terms: Any) -> Key:
        """A new key of the tenant, as the tenants service would tell of it."""
        made, key_id = generate(KeyMode(terms.pop("mode", KeyMode.LIVE))), ApiKeyId.new()
        event = ApiKeyIssued(
            key_id=key_id, public_id=made.public_id, sha256=made.sha256, mode=made.mode, **terms
        )
        async with self.database.tenant(self.tenant) as tx:
            await store_key(event, tx)
        return Key(key_id, self.tenant, made)

    async def session(self, user: UserId, session: SessionId) -> str:
        """The access token of somebody who is signed in."""
        permissions = [Permission.IMAGES_READ, Permission.USAGE_READ]
        made = await issue(
            self.first.gateway,
            tenant=self.tenant,
            subject=user,
            permissions=permissions,
            session=session,
        )
        return made.token.get_secret_value()

    async def tell(self, event: Durable) -> None:
        """Something that the tenants service has to say of the tenant."""
        await self.tenants.publish([Envelope.of(event, source="tenants", tenant=self.tenant)])

    async def revoke(self, **what: str) -> None:
        """By an event."""
        now = datetime.now(UTC)
        times = {"before": now, "until": now + timedelta(minutes=20)}
        await self.tell(AccessRevoked.model_validate({**what, **times}))


@asynccontextmanager
async def at_desk(
    database: TestDatabase, nats: Nats, server: OpenBao, folder: str, *, lead_s: float = 120
) -> AsyncIterator[Desk]:
    """Everything started. lead_s: how long a new key is published before it signs."""
    async with AsyncExitStack() as stack:

        async def bus(service: str) -> Bus:
            made = connect(nats.url, service)
            stack.push_async_callback(made.close)
            await made.start()
            return made

        async def replica() -> Replica:
            return await _replica(stack, database, await bus("gateway"), folder)

        lifecycle = Lifecycle()
        stack.push_async_callback(lifecycle.close)
        own = await lifecycle.open("database", database.of("keyvault"))
        vault = await stack.enter_async_context(vault_of(server))
        await tokens.attach(await bus("keyvault"), own, vault, lead_s=lead_s)
        replicas = [await replica() for _ in range(2)]
        operator, tenants = await bus(flow.OPERATOR), await bus("tenants")
        yield Desk(replicas, operator, tenants, replica, replicas[0].gateway.database)


async def _replica(stack: AsyncExitStack, database: TestDatabase, bus: Bus, folder: str) -> Replica:
    lifecycle = Lifecycle()
    stack.push_async_callback(lifecycle.close)
    own = await lifecycle.open("database", database.of("gateway"))
    settings = GatewaySettings(
        bus_url=SecretStr("nats://unused"),
        database_url=UNUSED,
        platform_database_url=UNUSED,
        objects_url=SecretStr(folder),
        address_burst=10_000,
        burst=10_000,
    )
    gateway = assemble(settings, own, bus, Objects(folder), GatewayMetrics(CollectorRegistry()))
    await follow(gateway, lifecycle)
    app = slim_app(gateway, token_routes.router, _who())
    transport = httpx.ASGITransport(app, client=(ADDRESS, 4711))
    client = httpx.AsyncClient(transport=transport, base_url="https://api.test")
    return Replica(gateway, await stack.enter_async_context(client))


def _who() -> APIRouter:
    router = guarded_router()

    @router.get(WHO, openapi_extra=needs(Permission.IMAGES_READ))
    @router.post(WHO, openapi_extra=needs(Permission.IMAGES_READ))
    async def who(request: Request) -> dict[str, Any]:
        caller = request.scope["caller"]
        return {
            "tenant": caller.tenant,
            "subject": caller.subject,
            "permissions": sorted(caller.permissions),
            "test": caller.test,
            "session": caller.session,
        }

    return router
