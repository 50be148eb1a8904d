"""When a process that died is started again, and when that no longer helps. No I/O."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field


@dataclass
class RestartRule:
    """Up to `limit` - 1 deaths within `window_s` are forgiven, each with a longer pause than the one before.

    Times are of any monotonic clock, in seconds.
    """

    limit: int = 5
    window_s: float = 60.0
    first_pause_s: float = 0.1
    _deaths: deque[float] = field(default_factory=deque)

    def pause_after_death(self, now: float) -> float | None:
        """How long to wait before the next start, or None when it has died too often."""
        self._deaths.append(now)
        while self._deaths[0] <= now - self.window_s:
            self._deaths.popleft()
        if len(self._deaths) >= self.limit:
            return None
        return self.first_pause_s * 4.0 ** (len(self._deaths) - 1)
