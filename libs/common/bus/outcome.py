"""What becomes of a message after its handler: pure rules, the same for every broker."""

from __future__ import annotations

import random
from dataclasses import dataclass

from libs.common.contracts.flow import Queue
from libs.common.errors import MannequinError, Permanent, Refusal, Snooze

JITTER = 0.2
DETAIL_LIMIT = 500


@dataclass(frozen=True, slots=True)
class Done:
    """The effect is committed; the message may go."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Again after `delay` seconds, as the next attempt."""

    delay: float


@dataclass(frozen=True, slots=True)
class Later:
    """Again after `delay` seconds, as the same attempt."""

    delay: float


@dataclass(frozen=True, slots=True)
class Dead:
    """To the dead letters. `reason` is one word for programs, `detail` one line for people."""

    reason: str
    detail: str


Outcome = Done | Retry | Later | Dead


def of(error: Exception, queue: Queue, attempt: int) -> Outcome:
    """What `error`, raised by the handler in attempt number `attempt` (from 1), means for its message."""
    if isinstance(error, Snooze):
        return Later(max(0.0, error.delay))
    if isinstance(error, Permanent | Refusal):
        return Dead("permanent", describe(error))
    if attempt >= queue.attempts:
        return Dead("exhausted", describe(error))
    return Retry(delay_after(attempt, queue.delays))


def exhausted(queue: Queue, attempt: int) -> Dead | None:
    """Whether a message comes once too often: its consumers died without a word on every attempt."""
    if attempt <= queue.attempts:
        return None
    return Dead("exhausted", f"came back {attempt - 1} times without an outcome")


def unreadable(error: Exception) -> Dead:
    """A message that does not parse. The body is kept out of the words: it may hold anything."""
    return Dead("unreadable", f"{type(error).__name__}: not a message of this queue")


def delay_after(attempt: int, delays: tuple[float, ...]) -> float:
    """Seconds to wait after failed attempt number `attempt`; the last delay repeats."""
    return delays[min(attempt, len(delays)) - 1] if delays else 0.0


def spread(delay: float) -> float:
    """`delay` with up to a fifth more, so that what failed together does not come back together."""
    return delay * (1 + random.uniform(0, JITTER))  # noqa: S311  a delay is no secret


def backoff(failures: int, limit: float = 5.0) -> float:
    """Seconds before the next try to connect, after `failures` in a row: doubling, half of it random."""
    longest = min(limit, 0.1 * 2.0 ** min(failures, 16))
    return random.uniform(0.5, 1.0) * longest  # noqa: S311  a delay is no secret


def describe(error: Exception) -> str:
    """One line: of our own errors what they say, of others the class too."""
    text = str(error) if isinstance(error, MannequinError) else f"{type(error).__name__}: {error}"
    return " ".join(text.split())[:DETAIL_LIMIT]
