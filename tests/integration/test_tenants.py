"""Tenants and their API keys, over the bus and in the database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest
from pydantic import SecretStr

from deploy.local.servers.nats import Nats
from libs.common.api_keys import parse
from libs.common.bus.bus import Bus, Delivery
from libs.common.bus.connect import connect
from libs.common.contracts import flow
from libs.common.contracts.ids import ApiKeyId, TenantId
from libs.common.contracts.tenants import (
    ApiKeyIssued,
    ApiKeyRevoked,
    CreateTenant,
    IssueApiKey,
    KeyMode,
    ListApiKeys,
    ListTenants,
    Plan,
    PlanChanged,
    RevokeApiKey,
    SetPlan,
    TenantRegistered,
)
from libs.common.db import Database
from libs.common.errors import Invalid, NotFound
from libs.common.lifecycle import Lifecycle
from services.tenants.errors import NoSuchApiKey, NoSuchTenant
from services.tenants.service import TenantsService
from services.tenants.settings import TenantsSettings
from services.tenants.wiring import wire
from tests.servers.databases import TestDatabase

LIMIT_S = 20.0


@pytest.fixture
async def own(database: TestDatabase) -> AsyncIterator[Database]:
    own = database.of("tenants")
    await own.start()
    async with own.platform("clean up") as tx:
        await tx.execute("delete from tenants")
        await tx.execute("delete from outbox")
    yield own
    await own.close()


@pytest.fixture
def service(own: Database) -> TenantsService:
    return TenantsService(own)


async def outbox(own: Database) -> list[tuple[str, str]]:
    async with own.platform("look") as tx:
        rows = await tx.fetch("select tenant_id, headers, data from outbox order by id")
    return [(row["headers"]["type"], row["data"].decode()) for row in rows]


async def test_a_tenant_is_registered_and_listed(own: Database, service: TenantsService) -> None:
    """And told of in the same transaction."""
    first = await service.create_tenant(CreateTenant(name="Boutique Été", weight=3))
    second = await service.create_tenant(CreateTenant(name="Shop"))
    assert (await service.list_tenants(ListTenants())).items == (first, second)
    told = TenantRegistered.model_validate_json((await outbox(own))[0][1])
    assert (told.name, told.weight) == ("Boutique Été", 3)


async def test_a_plan_is_set_and_told_with_a_higher_revision_each_time(
    own: Database, service: TenantsService
) -> None:
    """So that whoever hears of two can tell which one holds; nothing is bought to begin with."""
    tenant = await service.create_tenant(CreateTenant(name="Shop"))
    assert tenant.plan == Plan(name="standard", byok=False, fallback=False, fallback_monthly_cap=None)
    enterprise = Plan(name="enterprise", byok=True, fallback=True, fallback_monthly_cap=Decimal("100.50"))
    for number, plan in enumerate((enterprise, Plan()), start=1):
        changed = await service.set_plan(SetPlan(plan=plan), tenant.id)
        assert changed == tenant.model_copy(update={"plan": plan})
        assert (await service.list_tenants(ListTenants())).items == (changed,)
        told = PlanChanged.model_validate_json((await outbox(own))[-1][1])
        assert (told.plan, told.revision) == (plan, number)


async def test_an_unknown_tenant_has_no_plan(own: Database, service: TenantsService) -> None:
    """And nobody is told of one."""
    with pytest.raises(NoSuchTenant):
        await service.set_plan(SetPlan(plan=Plan(byok=True)), TenantId.new())
    assert await outbox(own) == []


@pytest.mark.parametrize("mode", KeyMode)
async def test_a_key_is_shown_once_and_only_its_hash_is_kept(
    own: Database, service: TenantsService, mode: KeyMode
) -> None:
    """Neither the tables nor the event hold anything that opens a door."""
    tenant = await service.create_tenant(CreateTenant(name="Shop"))
    issued = await service.issue_api_key(IssueApiKey(mode=mode, label="till"), tenant.id)
    secret = issued.secret.get_secret_value()
    parsed = parse(secret)
    assert parsed is not None
    assert (issued.key.public_id, issued.key.mode, issued.key.label) == (parsed.public_id, mode, "till")
    async with own.tenant(tenant.id) as tx:
        [row] = await tx.fetch("select * from api_keys")
    told = ApiKeyIssued.model_validate_json((await outbox(own))[-1][1])
    assert row["sha256"] == told.sha256 == parsed.sha256
    assert secret.removeprefix(f"im_{mode}_{parsed.public_id}") not in f"{dict(row)} {await outbox(own)}"
    assert secret not in repr(issued)


async def test_a_revoked_key_stays_listed_with_the_time_of_its_end(
    own: Database, service: TenantsService
) -> None:
    """Revoking twice is fine, and does not move the time."""
    tenant = await service.create_tenant(CreateTenant(name="Shop"))
    issued = await service.issue_api_key(IssueApiKey(), tenant.id)
    query = RevokeApiKey(key_id=issued.key.id)
    first, second = (
        await service.revoke_api_key(query, tenant.id),
        await service.revoke_api_key(query, tenant.id),
    )
    assert first == second
    assert first.revoked_at is not None
    assert (await service.list_api_keys(ListApiKeys(), tenant.id)).items == (first,)
    told = ApiKeyRevoked.model_validate_json((await outbox(own))[-1][1])
    assert (told.key_id, told.revoked_at) == (first.id, first.revoked_at)


async def test_an_unknown_tenant_has_no_keys(service: TenantsService) -> None:
    """And can't get any."""
    nobody = TenantId.new()
    for call in (
        service.issue_api_key(IssueApiKey(), nobody),
        service.list_api_keys(ListApiKeys(), nobody),
        service.revoke_api_key(RevokeApiKey(key_id=ApiKeyId.new()), nobody),
    ):
        with pytest.raises(NoSuchTenant):
            await call


async def test_another_tenant_can_not_see_or_end_a_key(service: TenantsService) -> None:
    """It is as if it were not there."""
    tenant, other = [await service.create_tenant(CreateTenant(name=name)) for name in ("A", "B")]
    issued = await service.issue_api_key(IssueApiKey(), tenant.id)
    assert (await service.list_api_keys(ListApiKeys(), other.id)).items == ()
    with pytest.raises(NoSuchApiKey):
        await service.revoke_api_key(RevokeApiKey(key_id=issued.key.id), other.id)
    assert (await service.list_api_keys(ListApiKeys(), tenant.id)).items[0].revoked_at is None


@asynccontextmanager
async def running(database: TestDatabase, nats: Nats) -> AsyncIterator[Bus]:
    """The whole service in this process; the operator's bus."""
    settings = TenantsSettings(
        bus_url=SecretStr(nats.url),
        database_url=database.url("tenants"),
        platform_database_url=database.url("tenants_platform"),
    )
    lifecycle, operator = Lifecycle(), connect(nats.url, flow.OPERATOR)
    try:
        await wire(settings, lifecycle)
        await operator.start()
        yield operator
    finally:
        await operator.close()
        await lifecycle.close()


async def test_over_the_bus_the_operator_asks_and_the_gateway_is_told(
    own: Database, database: TestDatabase, nats_server: Nats
) -> None:
    """Issued and revoked, in that order, for the right tenant."""
    told: asyncio.Queue[Delivery] = asyncio.Queue()
    gateway = connect(nats_server.url, "gateway")
    await gateway.start()
    await gateway.subscribe(flow.API_KEYS, told.put)
    try:
        async with running(database, nats_server) as operator, asyncio.timeout(LIMIT_S):
            tenant = await operator.request(CreateTenant(name="Shop"))
            issued = await operator.request(IssueApiKey(), tenant=tenant.id)
            while (event := await told.get()).envelope.tenant_id != tenant.id:
                pass
            assert isinstance(event.message, ApiKeyIssued)
            parsed = parse(issued.secret.get_secret_value())
            assert parsed is not None
            assert event.message.sha256 == parsed.sha256
            await operator.request(RevokeApiKey(key_id=issued.key.id), tenant=tenant.id)
            ending = (await told.get()).message
            assert isinstance(ending, ApiKeyRevoked)
            assert ending.key_id == issued.key.id
    finally:
        await gateway.close()


async def test_over_the_bus_the_vault_and_the_batches_hear_of_a_plan(
    own: Database, database: TestDatabase, nats_server: Nats
) -> None:
    """Each as often as it changes."""
    told: asyncio.Queue[Delivery] = asyncio.Queue()
    keyvault, batch = connect(nats_server.url, "keyvault"), connect(nats_server.url, "batch")
    await keyvault.start()
    await batch.start()
    await keyvault.subscribe(flow.VAULT_PLANS, told.put)
    await batch.subscribe(flow.TENANT_WEIGHTS, told.put)
    try:
        async with running(database, nats_server) as operator, asyncio.timeout(LIMIT_S):
            tenant = await operator.request(CreateTenant(name="Shop"))
            await operator.request(SetPlan(plan=Plan(byok=True)), tenant=tenant.id)
            heard: set[str] = set()
            while heard != {"keyvault", "batch"}:
                event = await told.get()
                if isinstance(event.message, PlanChanged) and event.envelope.tenant_id == tenant.id:
                    assert event.message == PlanChanged(plan=Plan(byok=True), revision=1)
                    heard.add(event.queue.partition(".")[0])
    finally:
        await keyvault.close()
        await batch.close()


async def test_over_the_bus_refusals_stay_what_they_are(
    own: Database, database: TestDatabase, nats_server: Nats
) -> None:
    """No tenant named: invalid; an unknown one: not found."""
    async with running(database, nats_server) as operator:
        with pytest.raises(Invalid):
            await operator.request(IssueApiKey())
        with pytest.raises(NotFound) as missing:
            await operator.request(ListApiKeys(), tenant=TenantId.new())
        assert missing.value.code == "tenant_not_found"
