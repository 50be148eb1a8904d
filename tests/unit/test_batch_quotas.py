"""What a plan has room for, as arithmetic."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.bus import replies
from libs.common.bus.packet import Packet
from libs.common.contracts.ids import TenantId
from libs.common.contracts.quotas import TEST_IMAGES_A_DAY, Admission, QuotaHit, QuotaName, TenantUsage
from libs.common.contracts.tenants import Prices, Quotas
from libs.common.errors import NotBought, Refusal, TooOften
from libs.common.quotas import exceeded, next_day, next_month, sentence
from services.batch.quotas.concurrency import Concurrency
from services.batch.quotas.margins import image_fees, monthly_fee, total
from services.batch.quotas.rules import Taken, archive_hit, count_hit, day_hit, effect, month_hit, uses

NOW = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)
counts = st.integers(0, 10_000)
moments = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(limit=counts, used=counts, reserved=counts, needed=st.integers(1, 10_000))
def test_what_is_admitted_never_goes_beyond_the_month(
    limit: int, used: int, reserved: int, needed: int
) -> None:
    """And what is refused would have."""
    hit = month_hit(Quotas(images_month=limit), Taken(used, reserved), needed, NOW)
    assert (hit is None) == (used + reserved + needed <= limit)
    if hit:
        assert (hit.used, hit.needed, hit.limit) == (used + reserved, needed, limit)


@given(used=counts, reserved=counts)
def test_who_needs_nothing_is_never_refused(used: int, reserved: int) -> None:
    """An archive of nothing that can be rendered shows its own faults."""
    taken = Taken(used, reserved, tests=used)
    assert month_hit(Quotas(images_month=0), taken, 0, NOW) is None
    assert day_hit(taken, 0, NOW) is None


@given(needed=counts)
def test_without_a_limit_everything_fits(needed: int) -> None:
    """A plan that says nothing holds any number."""
    assert month_hit(Quotas(), Taken(10**6, 10**6), needed, NOW) is None
    assert archive_hit(Quotas(), size=needed, photos=needed) is None


@given(tests=st.integers(0, 300), needed=st.integers(1, 300))
def test_test_keys_have_a_day_of_their_own(tests: int, needed: int) -> None:
    """The month of the plan does not come into it, nor do tests into the month."""
    hit = count_hit(Quotas(images_month=0), Taken(tests=tests), needed, NOW, test=True)
    assert (hit is None) == (tests + needed <= TEST_IMAGES_A_DAY)
    assert count_hit(Quotas(images_month=needed), Taken(tests=tests), needed, NOW, test=False) is None


def test_an_archive_is_held_against_its_own_limits() -> None:
    """Its size first, then what is in it; at the limit is within it."""
    quotas = Quotas(archive_bytes=100, archive_items=3)
    assert archive_hit(quotas, size=100, photos=3) is None
    assert archive_hit(quotas, size=101, photos=9).what is QuotaName.ARCHIVE_BYTES  # type: ignore[union-attr]
    assert archive_hit(quotas, size=100, photos=4).what is QuotaName.ARCHIVE_ITEMS  # type: ignore[union-attr]


@given(now=moments)
def test_counts_begin_anew_within_a_month_and_a_day(now: datetime) -> None:
    """At the first moment (UTC) of what follows, whatever the calendar."""
    month, day = next_month(now), next_day(now)
    assert now < month <= now + timedelta(days=31)
    assert (month.day, month.hour, month.minute, month.second, month.microsecond) == (1, 0, 0, 0, 0)
    assert now < day <= now + timedelta(days=1)
    assert (day.hour, day.minute, day.second, day.microsecond) == (0, 0, 0, 0)


@given(now=moments.map(lambda at: at.astimezone()))
def test_a_refused_test_says_when_to_come_again(now: datetime) -> None:
    """In whole seconds, never none."""
    hit = day_hit(Taken(tests=TEST_IMAGES_A_DAY), 1, now)
    assert hit is not None
    refusal = exceeded(hit, now)
    assert isinstance(refusal, TooOften)
    assert refusal.code == "test_quota_exceeded"
    assert refusal.retry_after is not None
    assert 1 <= refusal.retry_after <= 86_400


@pytest.mark.parametrize("what", list(QuotaName))
def test_a_refusal_comes_back_over_the_bus_with_its_limit(what: QuotaName) -> None:
    """Class, code and the typed limit survive both ways."""
    hit = QuotaHit(what=what, limit=10, used=8, needed=3, resets_at=next_month(NOW))
    refusal = exceeded(hit, NOW)
    with pytest.raises(Refusal) as caught:
        replies.read(_sent(replies.refused(refusal)), Admission)
    assert type(caught.value) in (NotBought, TooOften)
    assert (caught.value.quota, caught.value.code) == (hit, refusal.code)
    assert (caught.value.status, caught.value.detail) == (refusal.status, sentence(hit))


def test_the_sentence_says_what_how_much_and_when() -> None:
    """For people."""
    hit = month_hit(Quotas(images_month=1000), Taken(900, 90), 20, NOW)
    assert hit is not None
    assert sentence(hit) == (
        "Your plan holds 1,000 images a month; 990 are used or under way and this needs 20 more. "
        "The count begins anew at 2026-12-01 00:00 UTC."
    )


@given(used=counts, reserved=counts, needed=counts, limit=st.none() | counts)
def test_an_estimate_says_the_same_as_the_admission(
    used: int, reserved: int, needed: int, limit: int | None
) -> None:
    """A dry run that fits is one that would be admitted now."""
    quotas, taken = Quotas(images_month=limit), Taken(used, reserved)
    found = effect(quotas, taken, needed, None, NOW)
    assert found.fits == (month_hit(quotas, taken, needed, NOW) is None)
    assert (found.used, found.reserved, found.needed) == (used, reserved, needed)


def test_every_limit_is_listed_once() -> None:
    """Those of the plan, and that of test keys."""
    listed = uses(Quotas(images_month=5), Taken(2, 1, 7), 3, NOW)
    assert [one.name for one in listed] == list(QuotaName)
    by_name = {one.name: one for one in listed}
    assert (by_name[QuotaName.IMAGES_MONTH].used, by_name[QuotaName.IMAGES_MONTH].reserved) == (2, 1)
    assert by_name[QuotaName.CONCURRENT_ITEMS].used == 3
    assert by_name[QuotaName.TEST_IMAGES_DAY].used == 7


@given(
    limit=st.integers(1, 50),
    flying=st.integers(0, 80),
    wishes=st.lists(st.integers(1, 40), max_size=20),
)
def test_a_tenant_never_has_more_in_flight_than_it_may(limit: int, flying: int, wishes: list[int]) -> None:
    """However its images are asked for; what was in flight before a limit was lowered is finished."""
    tenant = TenantId.new()
    limits, sent = Concurrency.after({tenant: limit}, {tenant: flying}), 0
    for wished in wishes:
        images = limits.room(tenant, wished)
        limits.take(tenant, images)
        sent += images
    assert flying + sent <= max(limit, flying)
    assert (tenant in limits.full()) == (flying + sent >= limit)


def test_a_tenant_without_a_limit_has_any_room() -> None:
    """And is never full."""
    limits, tenant = Concurrency(), TenantId.new()
    limits.take(tenant, 1000)
    assert (limits.room(tenant, 7), limits.full()) == (7, [])


@given(
    day=st.dates(date(2026, 1, 1), date(2030, 1, 1)),
    months=st.integers(0, 24),
)
def test_whole_months_cost_the_monthly_price_each(day: date, months: int) -> None:
    """Whatever their lengths."""
    start = day.replace(day=1)
    after = start
    for _ in range(months):
        after = (after + timedelta(days=32)).replace(day=1)
    assert monthly_fee(Decimal("31"), start, after - timedelta(days=1)) == Decimal(31 * months)


def test_part_of_a_month_costs_its_days() -> None:
    """Ten of thirty are a third."""
    assert monthly_fee(Decimal("99"), date(2026, 11, 1), date(2026, 11, 10)) == Decimal("33")


def test_the_margin_is_what_comes_in_less_what_it_cost() -> None:
    """What tenants pay for computing themselves costs the platform nothing."""
    prices = Prices(image_platform=Decimal("0.05"), image_own_key=Decimal("0.01"))
    assert image_fees(prices, 100, 200, 0) == Decimal("7.00")
    one = TenantUsage(
        tenant_id=TenantId.new(),
        plan="saas",
        images_platform=100,
        cost_platform=Decimal("1.20"),
        cost_tenant=Decimal("9"),
        revenue=Decimal("5"),
        margin=Decimal("3.80"),
    )
    loss = one.model_copy(update={"revenue": Decimal(0), "margin": Decimal("-1.20")})
    both = total([one, loss], NOW.date(), NOW.date())
    assert (both.revenue, both.margin, both.tenants) == (Decimal(5), Decimal("2.60"), 2)
    assert both.margin_share == Decimal("0.52")
    assert total([], NOW.date(), NOW.date()).margin_share is None


def _sent(packet: Packet) -> Packet:
    """As the broker gives it back."""
    return Packet(dict(packet.headers), bytes(packet.data))
