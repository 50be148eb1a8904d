"""Which failures are tried again, and when."""

from __future__ import annotations

import random
from dataclasses import dataclass

from libs.client.errors import ApiError, ConnectionFailed, MannequinError, RateLimited, Unavailable

_PASSING = (502, 503, 504)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """attempts: tries in all. base_s doubles with each try, up to longest_s, and is jittered.

    patience_s: a server that asks for a longer pause than this gets none; its error is raised instead.
    """

    attempts: int = 4
    base_s: float = 0.5
    longest_s: float = 10.0
    patience_s: float = 60.0

    def pause(self, attempt: int, error: MannequinError) -> float | None:
        """Seconds until the next try after `attempt` tries, or None to give up."""
        if attempt >= self.attempts or not passes(error):
            return None
        if isinstance(error, ApiError) and error.retry_after is not None:
            return error.retry_after if error.retry_after <= self.patience_s else None
        pause: float = min(self.base_s * 2 ** (attempt - 1), self.longest_s)
        return pause * random.uniform(0.5, 1.0)  # noqa: S311  # no secret depends on it


class Tries:
    """The tries of one call. repeatable: whether doing it twice does no more than doing it once."""

    def __init__(self, policy: RetryPolicy, *, repeatable: bool) -> None:
        self._policy = policy
        self._repeatable = repeatable
        self.made = 0

    def pause_after(self, error: MannequinError) -> float:
        """Seconds until the next try; raises `error` if there is to be none."""
        self.made += 1
        pause = self._policy.pause(self.made, error) if self._repeatable else None
        if pause is None:
            raise error
        return pause


def passes(error: MannequinError) -> bool:
    """Whether the failure may be gone in a moment."""
    if isinstance(error, Unavailable):
        return error.status in _PASSING
    return isinstance(error, ConnectionFailed | RateLimited) or _in_progress(error)


def _in_progress(error: MannequinError) -> bool:
    """The first try of the same request is still being worked on."""
    return isinstance(error, ApiError) and error.code == "idempotency_in_progress"
