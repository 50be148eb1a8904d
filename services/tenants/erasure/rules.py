"""What comes next in an erasure: pure, from its row and the time alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

from libs.common.contracts.erasure import TenantErasureBegan
from libs.common.contracts.flow import consumers

PARTS = tuple(sorted(queue.service for queue in consumers(TenantErasureBegan)))
"""The services that erase a part of their own; this one does its own last."""
LAST_ROUND = 2
Removed = Mapping[str, Mapping[str, int]]


class Step(Enum):
    """WAIT: for services, or for what may be under way. ANNOUNCE: again to those that are missing."""

    WAIT = auto()
    ANNOUNCE = auto()
    NEXT_ROUND = auto()
    FINISH = auto()


@dataclass(frozen=True, slots=True)
class Patience:
    """settle: how long work that began before the erasure may go on: rendering, requests. The second round
    comes after it. repeat: after which a service that said nothing is told again; by then the broker is
    through with all retries of what it was told before.
    """

    settle: timedelta
    repeat: timedelta


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is. `announcements`: in this round."""

    round: int
    round_began_at: datetime
    announced_at: datetime
    announcements: int
    waiting_for: Collection[str]


def next_step(progress: Progress, now: datetime, patience: Patience) -> Step:
    """What to do at `now`."""
    told_lately = now - progress.announced_at < patience.repeat
    if progress.waiting_for:
        return Step.WAIT if told_lately else Step.ANNOUNCE
    if progress.round < LAST_ROUND:
        settled = now - progress.round_began_at >= patience.settle
        return Step.NEXT_ROUND if settled else Step.WAIT
    # What was announced twice may be retried yet, and would name the tenant to the broker once more.
    return Step.WAIT if progress.announcements > 1 and told_lately else Step.FINISH


def added(removed: Removed, service: str, more: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """The counts with those of one more report."""
    sums = {name: dict(counts) for name, counts in removed.items()}
    own = sums.setdefault(service, {})
    for kind, count in more.items():
        own[kind] = own.get(kind, 0) + count
    return sums
