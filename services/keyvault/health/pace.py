"""When a key is looked at next: at its provider's pace while all is well, sooner while it is not."""

from __future__ import annotations

import random
from datetime import datetime

from libs.common.contracts.credentials import HealthState
from services.keyvault.health.machine import Standing

SOON_S = 5.0
"""The first look after something went wrong."""
_GROWTH = 3
_LONGEST_S = 300.0
_EARLIEST = 0.8


def pace(standing: Standing, now: datetime, every_s: float) -> float:
    """Seconds until the next probe, jitter aside.

    A healthy key: `every_s`, but 5, 15, 45 … s after one, two, three faults in a row. Any other: as
    long again as it has been so already, from 5 s up to `every_s`. Never more than five minutes.
    """
    longest = min(every_s, _LONGEST_S)
    if standing.state is not HealthState.HEALTHY:
        return min(max((now - standing.since).total_seconds(), SOON_S), longest)
    if standing.bad == 0:
        return longest
    return float(min(SOON_S * _GROWTH ** min(standing.bad - 1, 10), longest))


def jittered(seconds: float, chance: float | None = None) -> float:
    """Up to a fifth sooner, so that keys that were stored together are not looked at together.

    `chance` is from 0 to 1; by default it is drawn.
    """
    # Not secret, only spread.
    drawn = random.random() if chance is None else chance  # noqa: S311
    return seconds * (_EARLIEST + (1 - _EARLIEST) * drawn)
