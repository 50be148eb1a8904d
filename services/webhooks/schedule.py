"""When a delivery is tried again: the published schedule, with jitter against stampedes.

The first attempt is immediate; after the last one a delivery is given up, and can be redelivered by hand.
"""

from __future__ import annotations

import random
import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

_MINUTE, _HOUR = 60, 3600
DELAYS_S = (
    5,
    5 * _MINUTE,
    30 * _MINUTE,
    2 * _HOUR,
    5 * _HOUR,
    10 * _HOUR,
    14 * _HOUR,
    20 * _HOUR,
    24 * _HOUR,
)
"""Seconds before the second, third, … attempt; https://www.standardwebhooks.com recommends the same shape."""

_JITTER = 0.1
_LONGEST_WISH_S = 24 * _HOUR
_SECONDS = re.compile(r"[0-9]{1,9}")


def next_delay(
    failures: int, *, retry_after_s: float = 0, rng: random.Random | None = None
) -> timedelta | None:
    """How long to wait after so many failed attempts (from 1), or None if that was the last one.

    retry_after_s: what the endpoint asked for; later than the schedule is granted, up to a day.
    """
    if failures > len(DELAYS_S):
        return None
    spread = (rng or random).uniform(1 - _JITTER, 1 + _JITTER)  # no secret depends on it
    wished = min(retry_after_s, _LONGEST_WISH_S)
    return timedelta(seconds=max(DELAYS_S[failures - 1] * spread, wished))


def retry_after_s(header: str, now: datetime) -> float:
    """Seconds that a `Retry-After` asks for (RFC 9110, section 10.2.3: a number or a date); 0 if unclear."""
    if _SECONDS.fullmatch(header):
        return float(header)
    try:
        date = parsedate_to_datetime(header)
    except ValueError:
        return 0
    # A date in "-0000" says nothing of its zone and comes back naive; HTTP's are all in GMT.
    return max(0.0, (date.replace(tzinfo=date.tzinfo or UTC) - now).total_seconds())
