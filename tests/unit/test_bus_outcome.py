"""What an error of a handler means for its message."""

from __future__ import annotations

from dataclasses import replace

import pytest

from libs.common.bus import outcome
from libs.common.bus.errors import Unroutable
from libs.common.bus.outcome import Dead, Later, Retry
from libs.common.contracts.flow import Queue
from libs.common.errors import NotFound, Permanent, Snooze, Transient, Unavailable

QUEUE = Queue("unit.queue", "unit", (), attempts=4, delays=(1, 5))


@pytest.mark.parametrize("error", [Transient("x"), Unavailable(), RuntimeError("x"), TimeoutError()])
def test_whatever_may_pass_is_tried_again(error: Exception) -> None:
    """Errors of any class but the few that say otherwise."""
    assert outcome.of(error, QUEUE, 1) == Retry(1)


@pytest.mark.parametrize("error", [Permanent("x"), NotFound("x"), Unroutable("x")])
def test_whatever_cannot_pass_goes_to_the_dead_letters_at_once(error: Exception) -> None:
    """A refusal is permanent: nobody is there to correct the request."""
    assert outcome.of(error, QUEUE, 1) == Dead("permanent", "x")


def test_the_last_attempt_ends_in_the_dead_letters() -> None:
    """The one before it does not."""
    assert isinstance(outcome.of(Transient("x"), QUEUE, 3), Retry)
    assert outcome.of(Transient("x"), QUEUE, 4) == Dead("exhausted", "x")


def test_a_snooze_is_put_off_however_late_it_comes() -> None:
    """It uses no attempt up, so none can be missing."""
    assert outcome.of(Snooze(30), QUEUE, 4) == Later(30)
    assert outcome.of(Snooze(-1), QUEUE, 1) == Later(0)


def test_the_last_delay_repeats() -> None:
    """As `Queue.delays` says."""
    delays = [outcome.delay_after(attempt, QUEUE.delays) for attempt in (1, 2, 3, 9)]
    assert delays == [1, 5, 5, 5]
    assert outcome.delay_after(1, ()) == 0


def test_a_message_is_exhausted_only_beyond_its_attempts() -> None:
    """The last one is still handled."""
    assert outcome.exhausted(QUEUE, 4) is None
    assert outcome.exhausted(QUEUE, 5) == Dead("exhausted", "came back 4 times without an outcome")
    assert outcome.exhausted(replace(QUEUE, attempts=1), 2) is not None


def test_an_unreadable_body_is_not_quoted() -> None:
    """It may hold anything, a secret too."""
    assert "hunter2" not in outcome.unreadable(ValueError("hunter2")).detail


def test_a_description_is_one_short_line() -> None:
    """It travels in a header; foreign errors say their class."""
    line = outcome.describe(RuntimeError("a\nb  c" + "x" * 1000))
    assert line.startswith("RuntimeError: a b c")
    assert len(line) == outcome.DETAIL_LIMIT


def test_spreading_never_shortens_a_delay() -> None:
    """A retry comes not before its delay."""
    spread = [outcome.spread(10) for _ in range(1000)]
    assert min(spread) >= 10
    assert max(spread) <= 12
    assert len(set(spread)) > 900


def test_backing_off_doubles_up_to_a_limit_and_is_never_in_step() -> None:
    """Half of it is random."""
    first = [outcome.backoff(0) for _ in range(100)]
    late = [outcome.backoff(1000) for _ in range(100)]
    assert 0.05 <= min(first) <= max(first) <= 0.1
    assert 2.5 <= min(late) <= max(late) <= 5
    assert len(set(late)) > 90
