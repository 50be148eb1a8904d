"""What is told of credentials, and when: faults of a key at once, the rest in sums."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.contracts.providers import Fault, FaultCode
from services.inference.observing import Seen, Tally

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
REVOKED = Fault(code=FaultCode.REVOKED, detail="revoked")
QUOTA = Fault(code=FaultCode.QUOTA, detail="used up")
DOWN = Fault(code=FaultCode.UNAVAILABLE, detail="down")


def seen(fault: Fault | None = None, at: float = 0) -> Seen:
    return Seen(fault, 1, NOON + timedelta(seconds=at))


def tally(*calls: Seen) -> Tally:
    made = Tally()
    for call in calls:
        made.see(call)
    return made


@pytest.mark.parametrize("fault", [None, DOWN, REVOKED])
def test_the_first_of_all_is_due_at_once(fault: Fault | None) -> None:
    """Nothing was told before it."""
    assert tally(seen(fault)).due(0)


@pytest.mark.parametrize(("fault", "wait"), [(None, 15), (DOWN, 15), (REVOKED, 1)])
def test_more_of_the_same_waits_its_time(fault: Fault | None, wait: float) -> None:
    """And is told as one, with the last one's moment."""
    made = tally(seen(fault))
    made.take(100)
    made.see(seen(fault, 1))
    made.see(seen(fault, 2))
    assert not made.due(100 + wait - 0.01)
    assert made.due(100 + wait)
    assert made.take(100 + wait) == (Seen(fault, 2, NOON + timedelta(seconds=2)),)
    assert made.empty


def test_a_new_kind_of_key_fault_does_not_wait() -> None:
    """It is the first of its kind."""
    made = tally(seen(REVOKED))
    made.take(0)
    made.see(seen(QUOTA, 1))
    assert made.due(0.1)


def test_what_was_before_a_key_fault_is_told_before_it() -> None:
    """Or a success of before would look like a recovery."""
    made = tally(seen())
    made.take(0)
    made.see(seen(None, 1))
    made.see(seen(REVOKED, 2))
    assert [one.fault for one in made.take(0.5)] == [None, REVOKED]


def test_what_could_not_be_told_is_due_again() -> None:
    """With what came meanwhile."""
    made = tally(seen(REVOKED))
    taken = made.take(0)
    made.see(seen(REVOKED, 1))
    made.put_back(taken)
    assert made.due(0)
    assert made.take(0) == (Seen(REVOKED, 2, NOON + timedelta(seconds=1)),)


def test_a_tally_is_forgotten_once_all_is_told_and_some_time_has_passed() -> None:
    """It would otherwise grow with every credential there ever was."""
    made = tally(seen())
    assert not made.idle(1000)
    made.take(1000)
    assert not made.idle(1001)
    assert made.idle(1015)


@given(
    st.lists(
        st.tuples(st.sampled_from([None, DOWN, REVOKED, QUOTA]), st.floats(0, 5), st.booleans()), max_size=60
    )
)
def test_every_call_is_told_once(steps: list[tuple[Fault | None, float, bool]]) -> None:
    """Whatever comes when, and whichever transactions fail."""
    made, now, told = Tally(), 0.0, 0
    for fault, pause, fails in steps:
        now += pause
        made.see(seen(fault, now))
        if not made.due(now):
            continue
        taken = made.take(now)
        if fails:
            made.put_back(taken)
        else:
            told += sum(one.count for one in taken)
    assert told + sum(one.count for one in made.take(now)) == len(steps)
