"""When a delivery is tried again, and what becomes of it."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from libs.common.contracts.webhooks import DeliveryStatus
from services.webhooks.attempt import Answer
from services.webhooks.record import after
from services.webhooks.schedule import DELAYS_S, next_delay, retry_after_s

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def test_the_schedule_is_the_published_one() -> None:
    """5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h: ten attempts in all."""
    published = [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400]
    assert list(DELAYS_S) == published
    for failures, seconds in enumerate(published, start=1):
        delay = next_delay(failures)
        assert delay is not None
        assert 0.9 * seconds <= delay.total_seconds() <= 1.1 * seconds
    assert next_delay(len(published) + 1) is None


def test_jitter_spreads_what_failed_together() -> None:
    """A thousand deliveries that failed at once do not come back at once."""
    rng = random.Random(1)
    delays = [next_delay(2, rng=rng) for _ in range(1000)]
    assert len(set(delays)) > 900


def test_an_endpoint_may_ask_for_later_but_not_for_sooner_or_never() -> None:
    """Up to a day."""
    assert next_delay(1, retry_after_s=120) == timedelta(seconds=120)
    assert next_delay(1, retry_after_s=10**9) == timedelta(days=1)
    sooner = next_delay(2, retry_after_s=1)
    assert sooner is not None
    assert sooner > timedelta(seconds=200)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120),
        ("Sun, 01 Mar 2026 12:02:00 GMT", 120),
        ("Sun, 01 Mar 2026 12:02:00 -0000", 120),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0),
        ("", 0),
        ("soon", 0),
        ("²", 0),
        ("-5", 0),
        ("9" * 400, 0),
    ],
)
def test_retry_after_is_a_number_or_a_date(header: str, seconds: float) -> None:
    """Anything else asks for nothing."""
    assert retry_after_s(header, NOW) == seconds


@pytest.mark.parametrize("status", [200, 202, 204, 299])
def test_any_2xx_is_delivered(status: int) -> None:
    """However often it failed before."""
    assert after(Answer(NOW, 5, status), 3, NOW) == (DeliveryStatus.DELIVERED, 3, None)


@pytest.mark.parametrize("status", [199, 301, 302, 307, 400, 401, 404, 429, 500, 503, None])
def test_anything_else_is_tried_again(status: int | None) -> None:
    """Redirects too."""
    state = after(Answer(NOW, 5, status), 0, NOW)
    assert (state.status, state.failures) == (DeliveryStatus.PENDING, 1)
    assert state.next_attempt_at is not None
    assert 4.5 <= (state.next_attempt_at - NOW).total_seconds() <= 5.5


def test_after_the_last_attempt_it_is_failed() -> None:
    """The tenth failure."""
    assert after(Answer(NOW, 5, 500), len(DELAYS_S), NOW) == (DeliveryStatus.FAILED, 10, None)
