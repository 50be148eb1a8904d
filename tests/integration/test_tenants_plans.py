"""Plans as data: what is sold, who is on it, and how a change reaches everybody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from libs.common.contracts.ids import TenantId
from libs.common.contracts.plans import ChangePlan, DefinePlan, GetPlan, ListPlans, RetirePlan
from libs.common.contracts.tenants import (
    CreateTenant,
    Entitlement,
    GetTenant,
    Plan,
    PlanChanged,
    Prices,
    Quotas,
    SetPlan,
    TenantRegistered,
    TenantStatus,
)
from services.tenants.errors import NoSuchPlan, PlanRetired, TermsInvalid, TooManyPlans
from services.tenants.plans import PlansService
from services.tenants.standing import set_standing
from tests.integration.tenants_desk import Desk, tenants_desk
from tests.servers.databases import TestDatabase

GOLD = Plan(name="Gold", byok=True, weight=7, quotas=Quotas(images_month=1000, members=3))


@pytest.fixture
async def desk(database: TestDatabase) -> AsyncIterator[Desk]:
    async with tenants_desk(database) as desk:
        yield desk


async def on_gold(desk: Desk, name: str = "Shop") -> TenantId:
    return (await desk.tenants.create_tenant(CreateTenant(name=name, plan_code="gold"))).id


async def rolled_out(desk: Desk, slice_: int) -> list[int]:
    """How many tenants each slice brought the plan to."""
    done = []
    while found := await desk.rollout.step(slice_):
        done.append(found)
    return done


async def test_two_plans_are_sold_from_the_start(desk: Desk) -> None:
    """An enterprise has everything that can be bought; a plan's quotas and prices are there to be changed."""
    enterprise, saas = (await desk.plans.list_all(ListPlans())).items
    assert (enterprise.code, saas.code) == ("enterprise", "saas")
    assert all(enterprise.plan.has(entitlement) for entitlement in Entitlement)
    assert not any(saas.plan.has(entitlement) for entitlement in Entitlement)
    assert saas.plan.quotas.images_month
    assert enterprise.plan.prices.image_platform < saas.plan.prices.image_platform


async def test_a_tenant_begins_on_the_plan_that_it_was_made_with(desk: Desk) -> None:
    """Its weight is the plan's, and whoever keeps plans hears of it at once."""
    await desk.plans.define(DefinePlan(code="gold", plan=GOLD))
    tenant = await desk.tenants.create_tenant(CreateTenant(name="Shop", plan_code="gold", weight=1))
    assert (tenant.plan, tenant.plan_code, tenant.weight) == (GOLD, "gold", 7)
    assert (await desk.told(TenantRegistered, tenant.id))[0].weight == 7
    assert await desk.told(PlanChanged, tenant.id) == [PlanChanged(plan=GOLD, revision=1)]
    with pytest.raises(NoSuchPlan):
        await desk.tenants.create_tenant(CreateTenant(name="Shop", plan_code="silver"))


async def test_own_terms_differ_from_the_plan_and_outlast_its_changes(desk: Desk) -> None:
    """One quota of several, and no limit where the plan has one; all else is the plan's, now and later."""
    await desk.plans.define(DefinePlan(code="gold", plan=GOLD))
    tenant = await desk.tenant()
    own = {"quotas": {"members": None}, "prices": {"monthly": "12.50"}, "sso": True}
    changed = await desk.tenants.change_plan(ChangePlan(code="gold", overrides=own), tenant)
    assert changed.overrides == own
    assert changed.plan.quotas == Quotas(images_month=1000)
    assert (changed.plan.byok, changed.plan.sso, changed.plan.prices.monthly) == (
        True,
        True,
        Decimal("12.50"),
    )
    cheaper = GOLD.model_copy(update={"prices": Prices(monthly=Decimal(5)), "byok": False})
    await desk.plans.define(DefinePlan(code="gold", plan=cheaper))
    assert await rolled_out(desk, 10) == [1]
    held = (await desk.tenants.get_tenant(GetTenant(), tenant)).plan
    assert (held.byok, held.sso, held.prices.monthly) == (False, True, Decimal("12.50"))
    assert (await desk.told(PlanChanged, tenant))[-1] == PlanChanged(plan=held, revision=2)


@pytest.mark.parametrize(
    "overrides",
    [{"gold_taps": True}, {"quotas": {"members": 0}}, {"quotas": "many"}, {"weight": None, "name": ""}],
)
async def test_own_terms_that_fit_no_plan_are_refused(desk: Desk, overrides: dict[str, object]) -> None:
    """With the place at fault; the tenant stays where it was."""
    tenant = await desk.tenant()
    query = ChangePlan.model_validate({"code": "saas", "overrides": overrides})
    with pytest.raises(TermsInvalid):
        await desk.tenants.change_plan(query, tenant)
    assert (await desk.tenants.get_tenant(GetTenant(), tenant)).plan_code is None


async def test_a_changed_plan_reaches_its_tenants_in_slices_and_goes_on_where_it_was_left(desk: Desk) -> None:
    """Each hears of it once, by whichever process; who is on another plan, or has one of its own, never."""
    await desk.plans.define(DefinePlan(code="gold", plan=GOLD))
    many = [await on_gold(desk, f"Shop {number}") for number in range(5)]
    left = await on_gold(desk, "Left")
    await desk.tenants.set_plan(SetPlan(plan=Plan()), left)
    defined = await desk.plans.define(DefinePlan(code="gold", plan=GOLD.model_copy(update={"sso": True})))
    assert (defined.revision, defined.tenants, defined.pending) == (2, 5, 5)
    assert await desk.rollout.step(2) == 2
    assert (await desk.plans.get(GetPlan(code="gold"))).pending == 3
    later = Desk(desk.database)
    assert await rolled_out(later, 2) == [2, 1]
    for tenant in many:
        told = await desk.told(PlanChanged, tenant)
        assert [(one.plan.sso, one.revision) for one in told] == [(False, 1), (True, 2)]
        assert (await desk.actions(tenant))[-1] == "tenant.plan_changed"
    assert (await desk.told(PlanChanged, left))[-1].plan == Plan()
    assert (await desk.plans.get(GetPlan(code="gold"))).pending == 0


async def test_two_processes_tell_each_tenant_once(desk: Desk) -> None:
    """They take different ones."""
    await desk.plans.define(DefinePlan(code="gold", plan=GOLD))
    many = [await on_gold(desk, f"Shop {number}") for number in range(12)]
    await desk.plans.define(DefinePlan(code="gold", plan=GOLD.model_copy(update={"sso": True})))
    await asyncio.gather(*(rolled_out(Desk(desk.database), 3) for _ in range(3)))
    await rolled_out(desk, 3)
    assert [len(await desk.told(PlanChanged, tenant)) for tenant in many] == [2] * 12


async def test_a_definition_without_a_change_tells_nobody(desk: Desk) -> None:
    """Nor does another description; and no tenant that is being erased hears of a plan."""
    await desk.plans.define(DefinePlan(code="gold", plan=GOLD))
    tenant, going = await on_gold(desk), await on_gold(desk)
    again = await desk.plans.define(DefinePlan(code="gold", plan=GOLD, description="The same."))
    assert (again.revision, again.description, again.pending) == (1, "The same.", 0)
    async with desk.database.platform("begin an erasure") as tx:
        await set_standing(tx, going, TenantStatus.ERASING)
    await desk.plans.define(DefinePlan(code="gold", plan=Plan(name="Gold")))
    assert await rolled_out(desk, 10) == [1]
    assert (len(await desk.told(PlanChanged, tenant)), len(await desk.told(PlanChanged, going))) == (2, 1)


async def test_nobody_new_is_put_on_a_retired_plan(desk: Desk) -> None:
    """Who is on it stays and may have other terms; defining it anew brings it back."""
    await desk.plans.define(DefinePlan(code="gold", plan=GOLD))
    stays, other = await on_gold(desk), await desk.tenant()
    retired = await desk.plans.retire(RetirePlan(code="gold"))
    assert retired.retired_at
    assert retired == await desk.plans.retire(RetirePlan(code="gold"))
    assert "gold" not in [plan.code for plan in (await desk.plans.list_all(ListPlans(retired=False))).items]
    with pytest.raises(PlanRetired):
        await on_gold(desk)
    with pytest.raises(PlanRetired):
        await desk.tenants.change_plan(ChangePlan(code="gold"), other)
    kept = await desk.tenants.change_plan(ChangePlan(code="gold", overrides={"sso": True}), stays)
    assert kept.plan.sso
    assert (await desk.plans.define(DefinePlan(code="gold", plan=GOLD))).retired_at is None
    assert await on_gold(desk)


async def test_plans_are_counted(desk: Desk) -> None:
    """There are so many at most; those that are there can still be changed."""
    few = PlansService(desk.database, desk.rollout, most=2)
    with pytest.raises(TooManyPlans):
        await few.define(DefinePlan(code="gold", plan=GOLD))
    saas = await few.get(GetPlan(code="saas"))
    assert (
        await few.define(DefinePlan(code="saas", plan=saas.plan, description="x"))
    ).revision == saas.revision
    with pytest.raises(NoSuchPlan):
        await few.retire(RetirePlan(code="gold"))


async def test_the_platforms_own_log_tells_of_plans(desk: Desk) -> None:
    """They are no tenant's."""
    await desk.plans.define(DefinePlan(code="gold", plan=GOLD))
    await desk.plans.retire(RetirePlan(code="gold"))
    assert await desk.actions() == ["plan.defined", "plan.retired"]
