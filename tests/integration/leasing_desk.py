"""The vault's leases on a real database, broker and vault, with a batch service that says what it is told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from deploy.local.servers.nats import Nats
from libs.common.bus.bus import Bus, Delivery
from libs.common.bus.connect import connect
from libs.common.contracts import flow
from libs.common.contracts.credentials import (
    Lease,
    LeaseCredential,
    LeasePurpose,
)
from libs.common.contracts.ids import BatchId, CredentialId, ProbeId, TenantId
from libs.common.contracts.providers import ProviderName
from libs.common.contracts.routing import (
    CheckedRoutes,
    CheckRoutes,
    ListRenderedOn,
    RenderedOn,
    RenderedOnList,
    RouteClaim,
)
from libs.common.db import Database
from libs.common.sealing import new_lease_key
from services.keyvault.encrypt import Kept, encrypt
from services.keyvault.health import probes
from services.keyvault.leases.handlers import attach
from services.keyvault.leases.service import Leasing
from services.keyvault.vault import Ciphertext, Context, Vault
from tests.integration.keyvault_rows import fetch, put_credential
from tests.servers.databases import TestDatabase
from tests.servers.planted import planted

PROVIDER = ProviderName.OPEN_INFERENCE


@dataclass
class BatchSide:
    """Says of the batches in `running` that they are in flight, and what was rendered."""

    running: set[RouteClaim] = field(default_factory=set)
    rendered: tuple[RenderedOn, ...] = ()
    asked: list[CheckRoutes] = field(default_factory=list)

    async def check(self, delivery: Delivery) -> CheckedRoutes:
        query = delivery.message
        assert isinstance(query, CheckRoutes)
        self.asked.append(query)
        return CheckedRoutes(open=tuple(claim in self.running for claim in query.claims))

    async def list_rendered(self, _: Delivery) -> RenderedOnList:
        return RenderedOnList(items=self.rendered)


@dataclass
class Desk:
    """The vault's side, a worker's bus, and a tenant with a batch on its own credential."""

    database: Database
    vault: Vault
    leasing: Leasing
    worker: Bus
    batches: Bus
    operator: Bus
    keyvault: Bus
    batch_side: BatchSide
    tenant: TenantId = field(default_factory=TenantId.new)
    batch: BatchId = field(default_factory=BatchId.new)
    secret: dict[str, str] = field(default_factory=lambda: {"bearer": planted()})

    async def kept(self, credential_id: CredentialId, tenant: TenantId | None = None) -> Kept:
        context = Context(tenant or self.tenant, PROVIDER.value, credential_id)
        return await encrypt(self.vault, context, self.secret)

    async def credential(self, tenant: TenantId | None = None, **columns: Any) -> CredentialId:
        """Stored, and with the batch in flight on it."""
        tenant, key = tenant or self.tenant, CredentialId.new()
        kept = await self.kept(key, tenant)
        await put_credential(self.database, tenant, credential_id=key, kept=kept, **columns)
        self.run(tenant, self.batch, key)
        return key

    def run(self, tenant: TenantId, batch: BatchId, credential_id: CredentialId) -> None:
        claim = RouteClaim(tenant_id=tenant, batch_id=batch, credential_id=credential_id)
        self.batch_side.running.add(claim)

    async def lease(self, credential_id: CredentialId, **changes: Any) -> tuple[Lease, X25519PrivateKey]:
        """As a worker takes it, over the bus; the key that opens it is the worker's alone."""
        private_key, query = self.query(credential_id, **changes)
        return await self.worker.request(query, tenant=self.tenant), private_key

    def query(self, credential_id: CredentialId, **changes: Any) -> tuple[X25519PrivateKey, LeaseCredential]:
        private_key, public_key = new_lease_key()
        query = LeaseCredential(
            credential_id=credential_id,
            version=1,
            purpose=LeasePurpose.RENDER,
            batch_id=self.batch,
            worker="worker-7",
            public_key=public_key,
        )
        return private_key, query.model_copy(update=changes)

    async def probe(self, credential_id: CredentialId, version: int = 1) -> ProbeId:
        async with self.database.tenant(self.tenant) as tx:
            return await probes.ask(tx, self.tenant, credential_id, version, PROVIDER, {})


class Rotating:
    """The real vault, whose operator rotates the key in front of the first decryption."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._rotated = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._desk.vault, name)

    async def decrypt(self, tenant: TenantId, context: Context, ciphertext: str) -> bytes:
        if not self._rotated:
            self._rotated = True
            await self._rotate(tenant, context, ciphertext)
        return await self._desk.vault.decrypt(tenant, context, ciphertext)

    async def _rotate(self, tenant: TenantId, context: Context, ciphertext: str) -> None:
        vault = self._desk.vault
        version = await vault.rotate(tenant)
        [rewrapped] = await vault.rewrap(tenant, [(context, ciphertext)])
        assert isinstance(rewrapped, Ciphertext)
        await fetch(
            self._desk.database,
            "update secrets set ciphertext = $2 where credential_id = $1",
            context.credential_id,
            rewrapped.text,
        )
        await vault.set_minimum_version(tenant, version)


@asynccontextmanager
async def at_desk(database: TestDatabase, nats: Nats, vault: Vault) -> AsyncIterator[Desk]:
    """The service's leases with everybody around them."""
    own = database.of("keyvault")
    await own.start()
    buses = {name: connect(nats.url, name) for name in ("keyvault", "inference", "batch", flow.OPERATOR)}
    for bus in buses.values():
        await bus.start()
    side = BatchSide()
    await buses["batch"].respond(CheckRoutes, side.check)
    await buses["batch"].respond(ListRenderedOn, side.list_rendered)
    await attach(buses["keyvault"], own, vault)
    leasing = Leasing(own, vault, buses["keyvault"])
    yield Desk(
        own,
        vault,
        leasing,
        buses["inference"],
        buses["batch"],
        buses[flow.OPERATOR],
        buses["keyvault"],
        side,
    )
    for bus in buses.values():
        await bus.close()
    await own.close()
