"""Tenants, how they stand and what they bought, over the bus and in the database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import SecretStr

from deploy.local.servers.nats import Nats
from libs.common.api_keys import parse
from libs.common.audit import acting
from libs.common.bus.bus import Bus, Delivery
from libs.common.bus.connect import connect
from libs.common.contracts import flow
from libs.common.contracts.access import Actor, ActorKind
from libs.common.contracts.branding import BrandChanged
from libs.common.contracts.ids import TenantId
from libs.common.contracts.tenants import (
    ApiKeyIssued,
    ApiKeyRevoked,
    CreateTenant,
    GetTenant,
    IssueApiKey,
    ListApiKeys,
    ListTenants,
    Plan,
    PlanChanged,
    ResumeTenant,
    RevokeApiKey,
    SetPlan,
    SuspendTenant,
    TenantRegistered,
    TenantStatus,
    TenantStatusChanged,
    UpdateTenant,
)
from libs.common.errors import Invalid, NotFound
from libs.common.lifecycle import Lifecycle
from services.tenants.errors import NoSuchTenant, SlugRefused, SlugTaken, TenantIsErasing
from services.tenants.people.errors import EmailInvalid
from services.tenants.settings import TenantsSettings
from services.tenants.standing import set_standing
from services.tenants.wiring import wire
from tests.integration.tenants_desk import Desk, tenants_desk
from tests.servers.databases import TestDatabase

LIMIT_S = 20.0


@pytest.fixture
async def desk(database: TestDatabase) -> AsyncIterator[Desk]:
    async with tenants_desk(database) as desk:
        yield desk


async def test_a_tenant_is_registered_and_listed(desk: Desk) -> None:
    """And told of in the same transaction."""
    first = await desk.tenants.create_tenant(CreateTenant(name="Boutique Été", weight=3))
    second = await desk.tenants.create_tenant(CreateTenant(name="Shop"))
    assert (await desk.tenants.list_tenants(ListTenants())).items == (first, second)
    assert await desk.tenants.get_tenant(GetTenant(), first.id) == first
    told = (await desk.told(TenantRegistered, first.id))[0]
    assert (told.name, told.weight) == ("Boutique Été", 3)
    assert await desk.actions(first.id) == ["tenant.created"]


async def test_who_made_a_tenant_is_kept_with_it(desk: Desk) -> None:
    """By the id of who acted; nobody where the platform's own code did."""
    with acting(Actor(kind=ActorKind.OPERATOR, id="jo")):
        made = await desk.tenants.create_tenant(CreateTenant(name="Shop", contact_email="Jo@Shop.example"))
    assert (made.created_by, made.contact_email) == ("jo", "jo@shop.example")
    assert (await desk.tenants.create_tenant(CreateTenant(name="Other"))).created_by is None


async def test_pages_of_tenants_follow_one_another(desk: Desk) -> None:
    """Each tenant once, in order of their registration."""
    made = [await desk.tenant(f"Shop {number}") for number in range(5)]
    seen: list[TenantId] = []
    cursor: str | None = None
    while True:
        page = await desk.tenants.list_tenants(ListTenants(cursor=cursor, limit=2))
        seen += [tenant.id for tenant in page.items]
        if (cursor := page.next_cursor) is None:
            break
    assert seen == made


async def test_tenants_are_found_by_what_is_known_of_them(desk: Desk) -> None:
    """Filters hold together; a name is found by its beginning, whatever the case, and so is a slug."""
    acme = await desk.tenants.create_tenant(CreateTenant(name="ACME", slug="fashion-acme", plan_code="saas"))
    other = await desk.tenants.create_tenant(CreateTenant(name="100% other"))
    await desk.tenants.suspend_tenant(SuspendTenant(reason="unpaid"), other.id)
    soon = datetime.now(UTC) + timedelta(minutes=1)

    async def found(**filters: object) -> list[TenantId]:
        page = await desk.tenants.list_tenants(ListTenants.model_validate(filters))
        return [tenant.id for tenant in page.items]

    assert await found(name_prefix="acm") == await found(name_prefix="Fashion") == [acme.id]
    assert await found(name_prefix="100%") == [other.id]
    assert await found(name_prefix="%") == []
    assert await found(status="suspended") == [other.id]
    assert await found(plan_code="saas") == [acme.id]
    assert await found(created_before=acme.created_at) == await found(created_from=soon) == []
    assert await found(created_from=other.created_at, created_before=soon) == [other.id]
    assert await found(plan_code="saas", status="suspended") == []


async def test_a_slug_is_one_tenants_alone_until_it_takes_another(desk: Desk) -> None:
    """The gateway hears of it each time; what looks like the platform's own is refused."""
    first = await desk.tenants.create_tenant(CreateTenant(name="A", slug="maison"))
    second = await desk.tenant("B")
    assert (await desk.told(BrandChanged, first.id))[-1].slug == "maison"
    for taken in (
        desk.tenants.create_tenant(CreateTenant(name="C", slug="maison")),
        desk.tenants.update_tenant(UpdateTenant(slug="maison"), second),
    ):
        with pytest.raises(SlugTaken):
            await taken
    await desk.tenants.update_tenant(UpdateTenant(slug="maison-a"), first.id)
    assert (await desk.told(BrandChanged, first.id))[-1].slug == "maison-a"
    assert (await desk.tenants.update_tenant(UpdateTenant(slug="maison"), second)).slug == "maison"
    for reserved in ("www", "admin", "xn--maison-c"):
        with pytest.raises(SlugRefused):
            await desk.tenants.create_tenant(CreateTenant(name="D", slug=reserved))
    assert len((await desk.tenants.list_tenants(ListTenants())).items) == 2


async def test_what_is_not_said_of_a_tenant_stays(desk: Desk) -> None:
    """The audit log names what changed, without the address; saying the same again is no change."""
    tenant = await desk.tenant("Old")
    changed = await desk.tenants.update_tenant(UpdateTenant(contact_email="a@shop.example"), tenant)
    assert (changed.name, changed.contact_email) == ("Old", "a@shop.example")
    again = await desk.tenants.update_tenant(UpdateTenant(name="Old"), tenant)
    assert again == changed
    gone = await desk.tenants.update_tenant(UpdateTenant(name="New", contact_email=""), tenant)
    assert (gone.name, gone.contact_email) == ("New", None)
    assert await desk.actions(tenant) == ["tenant.created", "tenant.changed", "tenant.changed"]
    with pytest.raises(EmailInvalid):
        await desk.tenants.update_tenant(UpdateTenant(contact_email="nobody"), tenant)


async def test_a_suspended_tenant_is_told_of_until_it_is_resumed(desk: Desk) -> None:
    """Each standing has a higher revision; the same again tells nothing."""
    tenant = await desk.tenant()
    for _ in range(2):
        shown = await desk.tenants.suspend_tenant(SuspendTenant(reason="unpaid since May"), tenant)
    assert (shown.status, shown.status_reason) == (TenantStatus.SUSPENDED, "unpaid since May")
    shown = await desk.tenants.resume_tenant(ResumeTenant(), tenant)
    assert (shown.status, shown.status_reason) == (TenantStatus.ACTIVE, None)
    assert await desk.told(TenantStatusChanged, tenant) == [
        TenantStatusChanged(status=TenantStatus.SUSPENDED, revision=1),
        TenantStatusChanged(status=TenantStatus.ACTIVE, revision=2),
    ]
    assert (await desk.actions(tenant))[1:] == ["tenant.suspended", "tenant.resumed"]


async def test_a_tenant_that_is_being_erased_is_changed_no_more(desk: Desk) -> None:
    """Nor brought back; only its keys can still be ended."""
    tenant = await desk.tenant()
    key = (await desk.keys.issue(IssueApiKey(), tenant)).key
    async with desk.database.platform("begin an erasure") as tx:
        await set_standing(tx, tenant, TenantStatus.ERASING)
        await set_standing(tx, tenant, TenantStatus.ERASING)
    assert len(await desk.told(TenantStatusChanged, tenant)) == 1
    for refused in (
        desk.tenants.resume_tenant(ResumeTenant(), tenant),
        desk.tenants.suspend_tenant(SuspendTenant(reason="late"), tenant),
        desk.tenants.update_tenant(UpdateTenant(name="New"), tenant),
        desk.tenants.set_plan(SetPlan(plan=Plan()), tenant),
        desk.keys.issue(IssueApiKey(), tenant),
    ):
        with pytest.raises(TenantIsErasing):
            await refused
    assert (await desk.keys.revoke(RevokeApiKey(key_id=key.id), tenant)).revoked_at


async def test_a_plan_of_its_own_is_set_and_told_with_a_higher_revision_each_time(desk: Desk) -> None:
    """So that whoever hears of two can tell which one holds; nothing is bought to begin with."""
    tenant = await desk.tenants.create_tenant(CreateTenant(name="Shop"))
    assert tenant.plan == Plan(name="standard", byok=False, fallback=False, fallback_monthly_cap=None)
    enterprise = Plan(name="enterprise", byok=True, fallback=True, fallback_monthly_cap=Decimal("100.50"))
    for number, plan in enumerate((enterprise, Plan()), start=1):
        changed = await desk.tenants.set_plan(SetPlan(plan=plan), tenant.id)
        assert changed == tenant.model_copy(update={"plan": plan})
        assert (await desk.tenants.list_tenants(ListTenants())).items == (changed,)
        assert (await desk.told(PlanChanged))[-1] == PlanChanged(plan=plan, revision=number)


async def test_an_unknown_tenant_can_not_be_changed(desk: Desk) -> None:
    """And nobody is told of one."""
    nobody = TenantId.new()
    for call in (
        desk.tenants.get_tenant(GetTenant(), nobody),
        desk.tenants.set_plan(SetPlan(plan=Plan(byok=True)), nobody),
        desk.tenants.update_tenant(UpdateTenant(name="New"), nobody),
        desk.tenants.suspend_tenant(SuspendTenant(reason="why not"), nobody),
    ):
        with pytest.raises(NoSuchTenant):
            await call
    assert await desk.actions() == []


@asynccontextmanager
async def running(database: TestDatabase, nats: Nats, folder: Path) -> AsyncIterator[Bus]:
    """The whole service in this process; the operator's bus."""
    settings = TenantsSettings(
        bus_url=SecretStr(nats.url),
        database_url=database.url("tenants"),
        platform_database_url=database.url("tenants_platform"),
        objects_url=SecretStr(folder.as_uri()),
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
    desk: Desk, database: TestDatabase, nats_server: Nats, tmp_path: Path
) -> None:
    """Issued and revoked, in that order, for the right tenant."""
    told: asyncio.Queue[Delivery] = asyncio.Queue()
    gateway = connect(nats_server.url, "gateway")
    await gateway.start()
    await gateway.subscribe(flow.API_KEYS, told.put)
    try:
        async with running(database, nats_server, tmp_path) as operator, asyncio.timeout(LIMIT_S):
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
    desk: Desk, database: TestDatabase, nats_server: Nats, tmp_path: Path
) -> None:
    """Each as often as it changes."""
    told: asyncio.Queue[Delivery] = asyncio.Queue()
    keyvault, batch = connect(nats_server.url, "keyvault"), connect(nats_server.url, "batch")
    await keyvault.start()
    await batch.start()
    await keyvault.subscribe(flow.VAULT_PLANS, told.put)
    await batch.subscribe(flow.TENANT_WEIGHTS, told.put)
    try:
        async with running(database, nats_server, tmp_path) as operator, asyncio.timeout(LIMIT_S):
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
    desk: Desk, database: TestDatabase, nats_server: Nats, tmp_path: Path
) -> None:
    """No tenant named: invalid; an unknown one: not found."""
    async with running(database, nats_server, tmp_path) as operator:
        with pytest.raises(Invalid):
            await operator.request(IssueApiKey())
        with pytest.raises(NotFound) as missing:
            await operator.request(ListApiKeys(), tenant=TenantId.new())
        assert missing.value.code == "tenant_not_found"
