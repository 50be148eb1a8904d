"""The keyvault service on a real database, broker and vault, with someone who answers its probes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from deploy.local.servers.nats import Nats
from deploy.local.servers.openbao import OpenBao
from libs.common.bus.bus import Bus, Delivery
from libs.common.bus.connect import connect
from libs.common.contracts import flow
from libs.common.contracts.credentials import (
    AuditRow,
    CreateCredential,
    Credential,
    CredentialChanged,
    CredentialObserved,
    CredentialTerms,
    GetCredential,
    GetIntakeKey,
    IntakeKey,
    LeasesRevoked,
    ListAudit,
    ObservedBy,
    ProbeCredential,
    ReplaceCredential,
)
from libs.common.contracts.envelope import Envelope
from libs.common.contracts.ids import CredentialId, LeaseId, TenantId
from libs.common.contracts.providers import Fault, FaultCode, ProviderName
from libs.common.contracts.routing import ListRenderedOn, RenderedOn, RenderedOnList
from libs.common.contracts.tenants import Plan, PlanChanged
from libs.common.db import Database, Row
from libs.common.lifecycle import Lifecycle
from libs.common.outbox import Relay
from libs.common.sealing import seal_for_vault
from services.keyvault.checks import Checks
from services.keyvault.erase import Erasures
from services.keyvault.handlers import attach
from services.keyvault.health import handlers as health
from services.keyvault.leases import handlers as leases
from services.keyvault.plans import plan_changed
from services.keyvault.replace import Replacements
from services.keyvault.revoke import Revoker
from services.keyvault.rotate import Rotations
from services.keyvault.secrets import handlers as secrets
from services.keyvault.service import CredentialsService
from services.keyvault.tokens import handlers as tokens
from services.keyvault.transit import TransitVault
from services.keyvault.vault import Vault
from tests.servers.databases import TestDatabase
from tests.servers.planted import planted
from tests.servers.vaults import vault_of

LIMIT_S = 20.0
PATIENCE_S = 15.0
BACKUP_DAYS = 35
REVOKED = Fault(code=FaultCode.REVOKED, detail="the endpoint refused the key")
SETTINGS = {"url": "https://gpu.example/triton", "model": "mannequin"}


Finds = Callable[[ProbeCredential], Fault | None]


async def nothing() -> None: ...


@dataclass
class Prober:
    """A remote worker that answers each probe by `finds`; None where it is to say nothing at all.

    before: what it does first.
    """

    bus: Bus
    finds: Finds | None = lambda probe: None
    before: Callable[[], Awaitable[None]] = nothing
    asked: list[ProbeCredential] = field(default_factory=list)

    async def probe(self, delivery: Delivery) -> None:
        probe, tenant = delivery.message, delivery.envelope.tenant_id
        assert isinstance(probe, ProbeCredential)
        assert tenant is not None
        self.asked.append(probe)
        await self.before()
        if self.finds is not None:
            await self.answer(probe, tenant, self.finds(probe))

    def of(self, credential_id: CredentialId) -> list[ProbeCredential]:
        """The probes of one credential; those of others, that earlier tests left, come by the clock."""
        return [probe for probe in self.asked if probe.credential_id == credential_id]

    async def answer(self, probe: ProbeCredential, tenant: TenantId, fault: Fault | None) -> None:
        seen = CredentialObserved(
            credential_id=probe.credential_id,
            version=probe.version,
            by=ObservedBy.PROBE,
            probe_id=probe.probe_id,
            fault=fault,
            observed_at=datetime.now(UTC),
        )
        await self.bus.publish([Envelope.of(seen, source="inference", tenant=tenant)])


@dataclass
class Heard:
    """What the other services got to know. charged: what the batch service says when it is asked."""

    changes: list[CredentialChanged] = field(default_factory=list)
    revoked: list[LeasesRevoked] = field(default_factory=list)
    charged: list[RenderedOn] = field(default_factory=list)

    async def change(self, delivery: Delivery) -> None:
        assert isinstance(delivery.message, CredentialChanged)
        self.changes.append(delivery.message)

    async def revocation(self, delivery: Delivery) -> None:
        assert isinstance(delivery.message, LeasesRevoked)
        self.revoked.append(delivery.message)

    async def rendered(self, _: Delivery) -> RenderedOnList:
        return RenderedOnList(items=tuple(self.charged))

    def of(self, credential: CredentialId) -> list[Credential]:
        return [told.credential for told in self.changes if told.credential.id == credential]


@dataclass
class Desk:
    """One tenant with BYOK in its plan; the buses of the gateway and of the operator."""

    database: Database
    vault: Vault
    gateway: Bus
    operator: Bus
    tenants: Bus
    prober: Prober
    heard: Heard
    tenant: TenantId = field(default_factory=TenantId.new)

    async def buy(self, tenant: TenantId, *, byok: bool = True, revision: int = 1) -> None:
        async with self.database.tenant(tenant) as tx:
            await plan_changed(PlanChanged(plan=Plan(byok=byok), revision=revision), tx)

    async def creation(self, secrets: Mapping[str, str] | None = None, **changes: object) -> CreateCredential:
        """The query that makes a credential, with a bearer token unless it is said otherwise."""
        credential_id = CredentialId.new()
        sealed = seal_for_vault(
            secrets or {"bearer": planted()}, await self.intake_key(), self.tenant, credential_id
        )
        query = CreateCredential(
            credential_id=credential_id,
            provider=ProviderName.OPEN_INFERENCE,
            terms=CredentialTerms(label="our GPUs"),
            settings=SETTINGS,
            secret=sealed,
        )
        return query.model_copy(update=changes)

    async def intake_key(self) -> IntakeKey:
        return await self.gateway.request(GetIntakeKey())

    async def create(self, secrets: Mapping[str, str] | None = None, **changes: object) -> Credential:
        return await self.send(await self.creation(secrets, **changes))

    async def send(self, query: CreateCredential, tenant: TenantId | None = None) -> Credential:
        return await self.gateway.request(query, tenant=tenant or self.tenant, timeout=PATIENCE_S)

    async def replacement(
        self, credential_id: CredentialId, secrets: Mapping[str, str] | None = None, **changes: object
    ) -> Credential:
        """What comes of replacing the secret."""
        sealed = seal_for_vault(
            secrets or {"bearer": planted()}, await self.intake_key(), self.tenant, credential_id
        )
        query = ReplaceCredential(credential_id=credential_id, secret=sealed).model_copy(update=changes)
        return await self.gateway.request(query, tenant=self.tenant, timeout=PATIENCE_S)

    async def get(self, credential_id: CredentialId) -> Credential:
        return await self.gateway.request(GetCredential(credential_id=credential_id), tenant=self.tenant)

    async def audit(self) -> list[AuditRow]:
        """Oldest first."""
        page = await self.operator.request(ListAudit(), tenant=self.tenant)
        return list(reversed(page.items))

    async def rows(self, query: str, *args: object) -> list[Row]:
        async with self.database.platform("look") as tx:
            return await tx.fetch(query, *args)

    async def secrets(self, credential_id: CredentialId) -> dict[int, Row]:
        """The rows of its secrets by version."""
        rows = await self.rows("select * from secrets where credential_id = $1", credential_id)
        return {row["version"]: row for row in rows}

    async def lease(self, credential: Credential, version: int | None = None) -> LeaseId:
        """A lease in the table, as a worker would hold it."""
        lease = LeaseId.new()
        await self.rows(
            "insert into leases (tenant_id, id, credential_id, version, purpose, worker, expires_at) "
            "values ($1, $2, $3, $4, 'render', 'worker', now() + interval '5 minutes')",
            self.tenant,
            lease,
            credential.id,
            version or credential.version,
        )
        return lease

    async def ended(self, lease: LeaseId) -> bool:
        [row] = await self.rows("select revoked_at from leases where id = $1", lease)
        return row["revoked_at"] is not None


async def until(condition: Callable[[], Awaitable[bool] | bool]) -> None:
    """Poll until it is so, or fail at the limit."""
    async with asyncio.timeout(LIMIT_S):
        while True:
            so = condition()
            if so if isinstance(so, bool) else await so:
                return
            await asyncio.sleep(0.01)


@asynccontextmanager
async def at_desk(
    database: TestDatabase, nats: Nats, server: OpenBao, *, check_s: float = 8.0
) -> AsyncIterator[Desk]:
    """The service with everybody around it. check_s: how long it waits for a probe."""
    async with AsyncExitStack() as stack:

        async def bus(service: str) -> Bus:
            made = connect(nats.url, service)
            stack.push_async_callback(made.close)
            await made.start()
            return made

        vault = await stack.enter_async_context(vault_of(server))
        lifecycle = Lifecycle()
        stack.push_async_callback(lifecycle.close)
        own = await lifecycle.open("database", database.of("keyvault"))
        await serve(lifecycle, own, await bus("keyvault"), vault, check_s)
        worker, heard = await bus("inference"), Heard()
        prober = Prober(worker)
        await worker.subscribe(flow.PROBES, prober.probe)
        await worker.listen(LeasesRevoked, heard.revocation)
        batch = await bus("batch")
        await batch.subscribe(flow.BATCH_CREDENTIALS, heard.change)
        await batch.respond(ListRenderedOn, heard.rendered)
        desk = Desk(
            own, vault, await bus("gateway"), await bus(flow.OPERATOR), await bus("tenants"), prober, heard
        )
        await desk.buy(desk.tenant)
        yield desk


async def serve(
    lifecycle: Lifecycle, database: Database, bus: Bus, vault: TransitVault, check_s: float
) -> None:
    """What the service's own wiring does, on a vault that is there."""
    lifecycle.background("outbox", Relay(database, bus).run())
    await health.attach(bus, database, lifecycle)
    await leases.attach(bus, database, vault)
    await tokens.attach(bus, database, vault, lead_s=0)
    await secrets.attach(bus, database, vault)
    checks, revoker = Checks(database, check_s), Revoker(bus)
    await attach(
        bus,
        database,
        CredentialsService(database, vault, checks, revoker),
        Replacements(database, vault, checks, revoker),
        Rotations(database, vault),
        Erasures(database, vault, revoker, backup_days=BACKUP_DAYS),
    )
