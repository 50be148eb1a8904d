"""Who paid what: one row an image that nobody can change, and reports that add up to the cent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from libs.common.contracts.credentials import HealthState
from libs.common.contracts.ids import TenantId
from libs.common.contracts.providers import Payer, ProviderName
from libs.common.contracts.routing import (
    GetSavings,
    GetUsage,
    ListRenderedOn,
    PolicyName,
    RenderedOn,
    UsageGroup,
)
from libs.common.providers.cards import PRICE_TABLE, cost, price_of
from services.batch.accounts import platform
from services.batch.claims import Claims
from services.batch.errors import InvalidPeriod
from services.batch.usage import Reports
from tests.integration.batch_desk import broken, done
from tests.integration.byok_desk import ONLY, PROVIDER, THEN, ByokDesk, at_byok_desk, credential, now_is
from tests.servers.databases import TestDatabase

TODAY = datetime.now(UTC).date()
PRICE, OURS = cost(price_of(PROVIDER), Decimal(1)), platform().price


@pytest.fixture
async def desk(database: TestDatabase, tmp_path: Path) -> AsyncIterator[ByokDesk]:
    async with at_byok_desk(database.of("batch"), tmp_path) as desk:
        yield desk


async def test_a_charge_says_all_that_a_bill_has_to_show(desk: ByokDesk) -> None:
    """Route, provider, model, compute time, price table, cost, payer, and the platform's own cost."""
    key = credential()
    await desk.has(key)
    await desk.wants(ONLY)
    await desk.in_line(1)
    await desk.work_off()
    [charge] = await desk.charges()
    assert {name: charge[name] for name in ("route", "provider", "payer", "model", "price_table")} == {
        "route": "byok",
        "provider": PROVIDER,
        "payer": "tenant",
        "model": "m@1",
        "price_table": PRICE_TABLE,
    }
    assert (charge["credential_id"], charge["credential_version"]) == (key.id, 1)
    assert (charge["cost"], charge["platform_cost"], charge["compute_ms"]) == (PRICE, OURS, 250)
    assert charge["reason"] == "your photoroom key 'studio' is healthy"


@pytest.mark.parametrize("role", ["batch", "batch_platform"])
@pytest.mark.parametrize("statement", ["update batch.charges set cost = 0", "delete from batch.charges"])
def test_no_role_of_the_service_can_rewrite_a_charge(
    database: TestDatabase, role: str, statement: str
) -> None:
    """Neither that of a tenant's work nor that of platform jobs."""
    url = database.url(role).get_secret_value()
    with psycopg.connect(url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement)


async def test_reports_add_up_over_payers_providers_and_days(desk: ByokDesk) -> None:
    """However they are grouped, the total is the sum of all charges."""
    await mixed(desk)
    reports, charges = Reports(desk.database), await desk.charges()
    costs = sum(charge["cost"] for charge in charges)
    for groups in ((), (UsageGroup.PAYER,), (UsageGroup.DAY, UsageGroup.PROVIDER), tuple(UsageGroup)):
        query = GetUsage(start=TODAY, end=TODAY, group_by=groups)
        report = await reports.usage(query, desk.tenant)
        assert (report.total.images, report.total.cost) == (9, costs)
        assert report.total.cost == PRICE * 4 + OURS * 5
        assert report.total.platform_cost == OURS * 9
        assert report.total.compute_seconds == Decimal("2.25")
        assert sum(row.cost for row in report.rows) == costs
    payers = {row.payer: row for row in report.rows}
    assert (payers[Payer.TENANT].images, payers[Payer.TENANT].provider) == (4, PROVIDER)
    assert (payers[Payer.PLATFORM].images, payers[Payer.PLATFORM].day) == (5, TODAY)


async def test_savings_are_what_the_platform_did_not_pay(desk: ByokDesk) -> None:
    """By month: its cost with and without the tenant's key, and the share that moved."""
    await mixed(desk)
    report = await Reports(desk.database).savings(GetSavings(start=TODAY, end=TODAY), desk.tenant)
    [row] = report.rows
    assert (row.month, row.images, row.byok_images) == (TODAY.replace(day=1), 9, 4)
    assert (row.without_byok, row.with_byok) == (OURS * 9, OURS * 5)
    assert row.moved_share == Decimal("0.4444")
    assert report.total == row


async def test_a_report_of_nothing_is_empty(desk: ByokDesk) -> None:
    """And claims no share."""
    reports = Reports(desk.database)
    usage = await reports.usage(GetUsage(start=date(2020, 1, 1), end=date(2020, 12, 31)), desk.tenant)
    assert not usage.rows
    assert usage.total.images == usage.total.cost == 0
    savings = await reports.savings(GetSavings(start=date(2020, 1, 5), end=date(2020, 2, 1)), desk.tenant)
    assert (savings.rows, savings.total.moved_share) == ((), None)


async def test_nobody_sees_another_tenants_charges(desk: ByokDesk) -> None:
    """The report of a stranger is empty."""
    await mixed(desk)
    report = await Reports(desk.database).usage(GetUsage(start=TODAY, end=TODAY), TenantId.new())
    assert report.rows == ()


@pytest.mark.parametrize("days", [-1, 400])
async def test_a_period_has_an_order_and_a_length(desk: ByokDesk, days: int) -> None:
    """The refusal has a code that the API knows."""
    query = GetUsage(start=TODAY, end=TODAY + timedelta(days=days))
    with pytest.raises(InvalidPeriod) as refused:
        await Reports(desk.database).usage(query, desk.tenant)
    assert refused.value.code == "invalid_period"


async def test_what_was_rendered_on_a_key_can_be_reconciled(desk: ByokDesk) -> None:
    """By batch and credential; the platform's own images are not in it."""
    key_id = await mixed(desk)
    batch_ids = {charge["batch_id"] for charge in await desk.charges() if charge["credential_id"]}
    since = datetime.now(UTC) - timedelta(hours=1)
    found = await Claims(desk.database).rendered_on(ListRenderedOn(since=since), desk.tenant)
    assert found.items == tuple(
        RenderedOn(batch_id=batch_id, credential_id=key_id, images=4) for batch_id in batch_ids
    )
    later = ListRenderedOn(since=since + timedelta(hours=2))
    assert (await Claims(desk.database).rendered_on(later, desk.tenant)).items == ()


async def test_a_platform_image_is_charged_at_the_platforms_price(desk: ByokDesk) -> None:
    """Also where no key ever was in play; a failed one is not."""
    stranger = ByokDesk(desk.database, desk.objects)
    batch_id = await stranger.in_line(2)
    [(_, images)] = await stranger.dispatched()
    await stranger.collect(batch_id, [done(images[0]), broken(images[1])])
    [charge] = await stranger.charges()
    assert (charge["route"], charge["payer"], charge["provider"]) == (
        "platform",
        "platform",
        ProviderName.ONNX,
    )
    assert (charge["cost"], charge["platform_cost"]) == (OURS, OURS)
    assert await stranger.spend() == {}
    good = (await stranger.images(batch_id))[0]
    assert good.route is not None
    assert (good.route.payer, good.route.cost, good.route.fallback) == (Payer.PLATFORM, OURS, False)


async def mixed(desk: ByokDesk) -> str:
    """Four images on a key, three that fell back, two on the platform by policy; the key."""
    key = credential()
    await desk.has(key)
    await desk.wants(THEN)
    await desk.in_line(4)
    await desk.work_off()
    await desk.has(now_is(key, HealthState.FAILED))
    await desk.in_line(3)
    await desk.work_off()
    await desk.wants(PolicyName.PLATFORM)
    await desk.in_line(2)
    await desk.work_off()
    return key.id
