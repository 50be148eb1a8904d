"""Which failures are tried again, and when. Every call may be repeated: POSTs carry an idempotency key."""

from __future__ import annotations

import random
from dataclasses import dataclass

from libs.client.errors import ApiError, ConnectionFailed, MannequinError, RateLimited, Unavailable


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """attempts: tries in all. base_s doubles with each try, up to longest_s, and is jittered."""

    attempts: int = 4
    base_s: float = 0.5
    longest_s: float = 10.0

    def pause(self, attempt: int, error: MannequinError) -> float | None:
        """Seconds until the next try after `attempt` tries, or None to give up."""
        worth_it = isinstance(error, ConnectionFailed | RateLimited | Unavailable) or _in_progress(error)
        if attempt >= self.attempts or not worth_it:
            return None
        if isinstance(error, ApiError) and error.retry_after is not None:
            return error.retry_after
        pause: float = min(self.base_s * 2 ** (attempt - 1), self.longest_s)
        return pause * random.uniform(0.5, 1.0)  # noqa: S311  # no secret depends on it


def _in_progress(error: MannequinError) -> bool:
    """The first try of the same request is still being worked on."""
    return isinstance(error, ApiError) and error.code == "idempotency_in_progress"
