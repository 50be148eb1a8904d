"""How much to release ahead: enough that no worker idles, little enough that a newcomer need not wait.

By Little's law, images in flight = images per second x seconds in flight. The rate is what the workers that
were seen lately can do (their places over the seconds an image takes); the seconds are a setting.
"""

from __future__ import annotations

from dataclasses import dataclass, field

_FORGET_S = 15.0
_SMOOTHING = 0.1
_MOST = 512
_ASSUMED_PLACES = 2


@dataclass
class Window:
    """Sizes the flight and its chunks. `queued_s`: seconds of work in flight; `chunk`: largest chunk."""

    queued_s: float
    chunk: int
    image_s: float = 0.25
    _workers: dict[str, tuple[int, float]] = field(default_factory=dict)

    def worker_seen(self, worker: str, places: int, now: float) -> None:
        """A worker renders `places` images at a time; silent ones are forgotten after 15 s."""
        self._workers[worker] = (places, now)
        self._workers = {w: seen for w, seen in self._workers.items() if now - seen[1] < _FORGET_S}

    def image_took(self, seconds: float) -> None:
        """Learn from an outcome (exponential moving average)."""
        self.image_s += _SMOOTHING * (max(seconds, 0.0001) - self.image_s)

    @property
    def places(self) -> int:
        """Images that all workers render at a time."""
        return sum(places for places, _ in self._workers.values()) or _ASSUMED_PLACES

    @property
    def in_flight(self) -> int:
        """Images to have released at most: a second one for every place at least."""
        wanted = round(self.places / self.image_s * self.queued_s)
        return max(2 * self.places, min(wanted, max(_MOST, 2 * self.places)))

    @property
    def chunk_size(self) -> int:
        """Images of a chunk: four chunks fill the flight, so that work arrives evenly."""
        return max(1, min(self.chunk, self.in_flight // 4))
