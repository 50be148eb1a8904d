"""The state machine of a key's health."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.contracts.credentials import HealthState, ObservedBy
from libs.common.contracts.providers import Fault, FaultCode, FaultKind
from services.keyvault.health.machine import (
    Observation,
    Standing,
    goods_to_recover,
    observed,
    replaced,
)

BEGAN = datetime(2026, 11, 24, tzinfo=UTC)
HARD = [code for code in FaultCode if code.kind is FaultKind.KEY and code is not FaultCode.QUOTA]
PROVIDERS = [code for code in FaultCode if code.kind is FaultKind.PROVIDER]
FRESH = Standing(HealthState.UNVERIFIED, BEGAN)

Seen = tuple[FaultCode | None, ObservedBy]
SEEN = st.tuples(st.none() | st.sampled_from(FaultCode), st.sampled_from(ObservedBy))
PROBE, CALL = ObservedBy.PROBE, ObservedBy.CALL


def observation(code: FaultCode | None, by: ObservedBy, second: float) -> Observation:
    fault = Fault(code=code, detail=f"it said {code}") if code else None
    return Observation(by, BEGAN + timedelta(seconds=second), fault)


def history(*seen: Seen, start: Standing = FRESH) -> list[Standing]:
    """How the key stood after each observation, a second apart, with how it stood before them."""
    standings = [start]
    for second, (code, by) in enumerate(seen, 1):
        standings.append(observed(standings[-1], observation(code, by, second)))
    return standings


def states(*seen: Seen, start: Standing = FRESH) -> list[HealthState]:
    """The states that were gone through."""
    found = [standing.state for standing in history(*seen, start=start)]
    return [state for before, state in zip([None, *found], found, strict=False) if state is not before]


def after(*seen: Seen, start: Standing = FRESH) -> Standing:
    return history(*seen, start=start)[-1]


HEALTHY = after((None, PROBE))
FAILED = after((FaultCode.REVOKED, PROBE), start=HEALTHY)


def test_one_good_probe_makes_a_new_key_healthy() -> None:
    """Whoever stores a key waits for no second one."""
    assert states((None, PROBE)) == [HealthState.UNVERIFIED, HealthState.HEALTHY]


@pytest.mark.parametrize("by", ObservedBy)
@pytest.mark.parametrize("code", HARD)
def test_the_keys_own_fault_fails_it_at_once(code: FaultCode, by: ObservedBy) -> None:
    """From whatever state, by a probe or a real call, with the reason and since when."""
    degraded = replace(HEALTHY, state=HealthState.DEGRADED)
    for start in (FRESH, HEALTHY, degraded):
        failed = after((code, by), start=start)
        assert (failed.state, failed.code, failed.detail) == (HealthState.FAILED, code, f"it said {code}")
        assert failed.first_fault_at == failed.since


def test_quota_degrades_first_and_fails_a_key_that_says_nothing_else() -> None:
    """The time of the first one is kept for the owner."""
    assert states(*[(FaultCode.QUOTA, CALL)] * 3, start=HEALTHY) == [
        HealthState.HEALTHY,
        HealthState.DEGRADED,
        HealthState.FAILED,
    ]
    failed = after(*[(FaultCode.QUOTA, CALL)] * 3, start=HEALTHY)
    assert failed.first_fault_at == BEGAN + timedelta(seconds=1)
    assert failed.since == BEGAN + timedelta(seconds=3)


def test_a_good_call_in_between_starts_the_count_of_quota_anew() -> None:
    """So that a key which is throttled now and then stays in use."""
    seen: list[Seen] = [(FaultCode.QUOTA, CALL), (FaultCode.QUOTA, CALL), (None, CALL)] * 4
    assert HealthState.FAILED not in states(*seen, start=HEALTHY)


@pytest.mark.parametrize("code", PROVIDERS)
def test_the_providers_fault_degrades_after_some_in_a_row_and_good_ones_heal(code: FaultCode) -> None:
    """One or two alone are weather."""
    assert states(*[(code, PROBE)] * 2, start=HEALTHY) == [HealthState.HEALTHY]
    assert states(*[(code, PROBE)] * 3, (None, CALL), (None, CALL), start=HEALTHY) == [
        HealthState.HEALTHY,
        HealthState.DEGRADED,
        HealthState.HEALTHY,
    ]


def test_a_new_key_that_the_provider_could_not_check_says_why() -> None:
    """And stays unverified."""
    standing = after((FaultCode.UNAVAILABLE, PROBE))
    assert (standing.state, standing.code) == (HealthState.UNVERIFIED, FaultCode.UNAVAILABLE)


def test_a_failed_key_comes_back_by_a_probe_and_is_healthy_after_more() -> None:
    """Failed, recovered, healthy; a call that began before the failure brings nothing back."""
    assert states((None, CALL), start=FAILED) == [HealthState.FAILED]
    assert states((None, PROBE), (None, CALL), (None, PROBE), start=FAILED) == [
        HealthState.FAILED,
        HealthState.RECOVERED,
        HealthState.HEALTHY,
    ]


def test_each_relapse_doubles_the_good_probes_that_it_takes() -> None:
    """For a key whose probes pass while its calls are refused."""
    standing, needed = FAILED, []
    for _ in range(6):
        probes = 0
        while standing.state is HealthState.FAILED:
            standing = observed(standing, observation(None, PROBE, 2))
            probes += 1
        needed.append(probes)
        standing = observed(standing, observation(FaultCode.NO_PERMISSION, CALL, 2))
    assert needed == [1, 2, 4, 8, 16, 16]
    assert goods_to_recover(FAILED) == 1


def test_what_is_older_than_the_last_observation_changes_nothing() -> None:
    """A delivery that was late must not bring an old state back."""
    late = observation(FaultCode.REVOKED, PROBE, 0)
    assert observed(HEALTHY, late) is HEALTHY


@pytest.mark.parametrize(
    ("before", "good", "state"),
    [
        (FRESH, True, HealthState.HEALTHY),
        (HEALTHY, True, HealthState.HEALTHY),
        (FAILED, True, HealthState.RECOVERED),
        (HEALTHY, False, HealthState.UNVERIFIED),
        (FAILED, False, HealthState.FAILED),
    ],
)
def test_another_secret_starts_anew_but_for_the_way_back(
    before: Standing, good: bool, state: HealthState
) -> None:
    """A failed credential is told recovered, whatever brought it back."""
    now = replaced(before, BEGAN + timedelta(hours=1), good=good)
    assert now.state is state
    assert goods_to_recover(now) == 1


@given(st.lists(SEEN, max_size=30), st.sampled_from([FaultCode.BAD_PICTURE, FaultCode.REFUSED_PICTURE]))
def test_the_requests_fault_never_changes_anything(seen: list[Seen], code: FaultCode) -> None:
    """Not even when the key was last looked at."""
    standing = after(*seen)
    assert observed(standing, observation(code, CALL, 1000)) is standing


@given(st.lists(st.tuples(st.none() | st.sampled_from(PROVIDERS), st.sampled_from(ObservedBy)), max_size=60))
def test_the_providers_faults_never_fail_a_key(seen: list[Seen]) -> None:
    """However many there are."""
    assert HealthState.FAILED not in states(*seen)


@given(st.lists(SEEN, max_size=60))
def test_the_same_observations_give_the_same_health(seen: list[Seen]) -> None:
    """No clock and no chance has a part in it."""
    assert history(*seen) == history(*seen)


@given(st.lists(SEEN, max_size=60))
def test_every_way_out_of_failed_goes_through_recovered(seen: list[Seen]) -> None:
    """And recovered is reached from nowhere else; a new key's word is not needed again."""
    passed = states(*seen)
    steps = set(pairwise(passed))
    assert {to for was, to in steps if was is HealthState.FAILED} <= {HealthState.RECOVERED}
    assert {was for was, to in steps if to is HealthState.RECOVERED} <= {HealthState.FAILED}
    assert HealthState.UNVERIFIED not in passed[1:]


@given(st.lists(SEEN, max_size=10), SEEN, SEEN)
def test_two_observations_in_turn_do_not_swing_a_key(before: list[Seen], one: Seen, other: Seen) -> None:
    """From any past: at most four changes, however long it goes on."""
    begun = after(*before)
    standings, swings = [begun], 0
    for number in range(200):
        code, by = (one, other)[number % 2]
        standings.append(observed(standings[-1], observation(code, by, 100 + number)))
        swings += standings[-1].state is not standings[-2].state
    assert swings <= 4


@given(st.lists(SEEN, max_size=60))
def test_a_failed_key_always_says_why_and_since_when(seen: list[Seen]) -> None:
    """By a code that is the key's own fault, first seen no later than it failed."""
    for standing in history(*seen):
        if standing.state is HealthState.FAILED:
            assert standing.code is not None
            assert standing.code.kind is FaultKind.KEY
            assert standing.first_fault_at is not None
            assert standing.first_fault_at <= standing.since
