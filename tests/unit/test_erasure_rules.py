"""What comes next in an erasure, from its state and the time alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from libs.common.contracts import flow
from libs.common.contracts.erasure import TenantErasureBegan
from services.tenants.erasure.rules import PARTS, Patience, Progress, Step, added, next_step

NOW = datetime(2026, 3, 2, tzinfo=UTC)
PATIENCE = Patience(settle=timedelta(minutes=15), repeat=timedelta(minutes=1))
BEGUN = Progress(
    round=1, round_began_at=NOW, announced_at=NOW, announcements=1, waiting_for=("batch", "gateway")
)


def after(progress: Progress, seconds: float) -> Step:
    return next_step(progress, NOW + timedelta(seconds=seconds), PATIENCE)


def test_every_service_but_the_tenants_own_has_a_part() -> None:
    """And nobody hears of an erasure who has none."""
    others = {name for name, service in flow.SERVICES.items() if service.queues} - {"tenants"}
    assert set(PARTS) == others
    assert {queue.service for queue in flow.consumers(TenantErasureBegan)} == others


def test_who_said_nothing_for_a_minute_is_told_again() -> None:
    """Not before, as it may be at it; it does not matter how many said something."""
    assert after(BEGUN, 59) is Step.WAIT
    assert after(BEGUN, 60) is Step.ANNOUNCE
    assert after(replace(BEGUN, round=2, waiting_for=("batch",)), 60) is Step.ANNOUNCE


def test_the_second_round_comes_when_nothing_can_be_under_way_any_more() -> None:
    """Once all have done their part, and no sooner than work that began before may go on."""
    done = replace(BEGUN, waiting_for=())
    assert after(done, 899) is Step.WAIT
    assert after(done, 900) is Step.NEXT_ROUND
    assert after(BEGUN, 899) is Step.ANNOUNCE


def test_it_ends_after_the_second_round_once_the_broker_is_quiet() -> None:
    """What was announced again may be retried for a while, and its headers name the tenant."""
    done = replace(BEGUN, round=2, waiting_for=())
    assert after(done, 0) is Step.FINISH
    again = replace(done, announcements=2)
    assert after(again, 59) is Step.WAIT
    assert after(again, 60) is Step.FINISH


def test_the_broker_is_through_with_an_announcement_before_the_next_one() -> None:
    """All attempts at it together take less than the time after which it is repeated."""
    for queue in flow.consumers(TenantErasureBegan):
        delays = [*queue.delays, *[queue.delays[-1]] * queue.attempts][: queue.attempts - 1]
        assert sum(delays) < 60


def test_counts_of_all_reports_are_summed_up() -> None:
    """By service and kind; what was there is not changed."""
    first = added({}, "batch", {"images": 5, "objects": 7})
    second = added(first, "batch", {"objects": 1})
    assert first == {"batch": {"images": 5, "objects": 7}}
    assert added(second, "gateway", {}) == {"batch": {"images": 5, "objects": 8}, "gateway": {}}
