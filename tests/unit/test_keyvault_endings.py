"""When keys are looked at, and when their owners are told of an end."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.contracts.credentials import HealthState
from libs.common.contracts.providers import (
    Ability,
    FaultCode,
    Limits,
    Price,
    PriceUnit,
    ProviderCard,
    ProviderModel,
    ProviderName,
)
from services.keyvault.health.endings import CREDENTIAL, Ending, due, endings, retired
from services.keyvault.health.machine import Standing
from services.keyvault.health.pace import jittered, pace

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
CARD = ProviderCard(
    name=ProviderName.GOOGLE_VERTEX,
    title="Vertex",
    description="",
    documentation="",
    abilities=(Ability.GHOST,),
    fields=(),
    limits=Limits(max_bytes=1, max_side=1, concurrency=1, timeout_s=1),
    prices=(Price(unit=PriceUnit.IMAGE, amount=Decimal(1), as_of=date(2026, 1, 1), source=""),),
    models=(
        ProviderModel(name="old", abilities=(), retires_on=date(2026, 12, 24), successor="new"),
        ProviderModel(name="new", abilities=()),
    ),
)


def told(expires_in: timedelta, warned: dict[str, int] | None = None) -> list[int]:
    """Of how many days a credential's owner is told that ends in that time."""
    found = endings(CARD, {}, NOW + expires_in)
    return [notice.days for notice in due(found, warned or {}, NOW)]


@pytest.mark.parametrize(
    ("left", "days"),
    [
        (timedelta(days=31), []),
        (timedelta(days=30), [30]),
        (timedelta(days=6), [7]),
        (timedelta(hours=3), [1]),
        (timedelta(0), []),
        (timedelta(days=-2), []),
    ],
)
def test_an_owner_is_told_a_month_a_week_and_a_day_before(left: timedelta, days: list[int]) -> None:
    """Of several that are due only the closest, and nothing of what has ended."""
    assert told(left) == days


def test_each_warning_comes_once() -> None:
    """Unless the date is moved."""
    [ending] = endings(CARD, {}, NOW + timedelta(days=6))
    assert told(timedelta(days=6), {ending.key: 30}) == [7]
    assert told(timedelta(days=6), {ending.key: 7}) == []
    assert told(timedelta(days=6), {Ending(CREDENTIAL, NOW, ()).key: 1}) == [7]


@given(st.lists(st.integers(-10, 60 * 24), min_size=1, max_size=80))
def test_however_often_one_looks_no_warning_comes_twice(hours: list[int]) -> None:
    """Three at most for one end."""
    warned: dict[str, int] = {}
    [ending] = endings(CARD, {}, NOW + timedelta(days=45))
    sent = []
    for hour in sorted(hours):
        for notice in due((ending,), warned, NOW + timedelta(hours=hour)):
            warned[ending.key] = notice.days
            sent.append(notice.days)
    assert len(set(sent)) == len(sent)
    assert set(sent) <= {30, 7, 1}


def test_a_model_that_retires_is_told_a_quarter_before_with_its_successor() -> None:
    """That the settings name it is what counts."""
    [notice] = due(endings(CARD, {"model": "old"}, None), {}, NOW)
    assert (notice.ending.subject, notice.ending.successor, notice.days) == ("old", "new", 90)
    assert endings(CARD, {"model": "new"}, None) == ()
    assert endings(CARD, {"model": "unheard of"}, None) == ()
    early = datetime(2026, 9, 1, tzinfo=UTC)
    assert due(endings(CARD, {"model": "old"}, None), {}, early) == ()


def test_a_retired_model_is_the_keys_fault_from_its_day_on() -> None:
    """With the name of the one to use instead."""
    assert retired(CARD, {"model": "old"}, datetime(2026, 12, 23, 23, 59, tzinfo=UTC)) is None
    fault = retired(CARD, {"model": "old"}, datetime(2026, 12, 24, tzinfo=UTC))
    assert fault is not None
    assert fault.code is FaultCode.RETIRED
    assert "use new instead" in fault.detail
    assert retired(CARD, {}, datetime(2030, 1, 1, tzinfo=UTC)) is None


@pytest.mark.parametrize(
    ("standing", "seconds"),
    [
        (Standing(HealthState.HEALTHY, NOW), 120),
        (Standing(HealthState.HEALTHY, NOW, bad=1), 5),
        (Standing(HealthState.HEALTHY, NOW, bad=2), 15),
        (Standing(HealthState.HEALTHY, NOW, bad=9), 120),
        (Standing(HealthState.FAILED, NOW), 5),
        (Standing(HealthState.FAILED, NOW - timedelta(seconds=40)), 40),
        (Standing(HealthState.UNVERIFIED, NOW - timedelta(days=1)), 120),
    ],
)
def test_a_key_in_trouble_is_looked_at_sooner(standing: Standing, seconds: float) -> None:
    """And ever less so the longer it lasts, down to the provider's own pace."""
    assert pace(standing, NOW, 120) == seconds


@given(st.sampled_from(HealthState), st.integers(0, 10**6), st.integers(0, 50), st.floats(1, 10**5))
def test_no_key_goes_without_a_look_for_more_than_five_minutes(
    state: HealthState, age_s: int, bad: int, every_s: float
) -> None:
    """Whatever its card says, and jitter only ever makes it sooner."""
    seconds = pace(Standing(state, NOW - timedelta(seconds=age_s), bad=bad), NOW, every_s)
    assert 0 < seconds <= 300
    assert 0.8 * seconds <= jittered(seconds) <= seconds
    assert jittered(seconds, 0) == pytest.approx(0.8 * seconds)
