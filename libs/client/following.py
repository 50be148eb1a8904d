"""Following a batch to its end, whatever happens to the connection. No I/O.

The stream of events says when. Where it breaks it is taken up after the last event; where it says nothing
(a proxy holds it back) or is not to be had, the batch itself is looked at now and then.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from libs.client.errors import (
    ConnectionFailed,
    MannequinError,
    NotFound,
    Unauthorized,
    UnexpectedAnswer,
    WaitTimeout,
)
from libs.client.models import Batch, Event
from libs.client.retry import passes

SILENCE_S = 40.0
"""After this long without a byte a stream counts as broken; the API sends a comment every 15 s."""
PATIENCE_S = 600.0
"""How long nobody may answer before waiting gives up: longer than any restart."""
_MUTE_STREAMS = 2
_SHORTEST_S, _LONGEST_S = 0.2, 5.0


class Following:
    """One wait for one batch. `batch` is set once it has ended.

    on_event: told of every event, and of how the batch stands where it had to be looked at instead.
    WaitTimeout after `timeout_s`; the last error once nobody has answered for PATIENCE_S.
    """

    def __init__(
        self,
        batch_id: str,
        timeout_s: float | None,
        on_event: Callable[[Event], None] | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.batch: Batch | None = None
        self.last_id: str | None = None
        self._batch_id = batch_id
        self._timeout_s = timeout_s
        self._on_event = on_event
        self._clock = clock
        self._answered = self._began = clock()
        self._mute = 0
        self._rounds = 0

    @property
    def streams(self) -> bool:
        """Whether it is worth asking for events. To be asked within `listening`."""
        return self._mute <= _MUTE_STREAMS

    @property
    def silence_s(self) -> float:
        """Seconds of silence after which to look up from the stream."""
        return min(SILENCE_S, max(0.1, self._left()))

    def heard(self, event: Event | None) -> None:
        """A line of the stream, and the event that it completed if it did."""
        self._check_time()
        self._answered = self._clock()
        self._mute = 0
        if event is None:
            return
        self._rounds = 0
        self.last_id = event.id
        if event.kind == "batch":
            self._end(event)
        if self._on_event:
            self._on_event(event)

    def looked(self, batch: Batch) -> None:
        """How the batch stands, as seen without the stream."""
        self._answered = self._clock()
        if batch.ended:
            self.batch = batch
        if self._on_event:
            kind = "batch" if batch.ended else "progress"
            self._on_event(Event(id=self.last_id, kind=kind, data=batch.model_dump(mode="json")))

    def pause(self) -> float:
        """Seconds until the next round: longer from round to round, until an event comes. WaitTimeout."""
        if self.batch:
            return 0
        self._check_time()
        self._rounds += 1
        pause: float = min(_SHORTEST_S * 2**self._rounds, _LONGEST_S, self._left())
        return pause

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Around one stream, which may end or break in any way that says nothing of the batch."""
        self._mute += 1  # until a line proves the opposite
        try:
            yield
        except (Unauthorized, NotFound, WaitTimeout):
            raise
        except MannequinError as error:
            self._check_time()
            if passes(error) and not _broke(error):
                self._mute -= 1  # the API itself is away: its streams may be well

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Around a look at the batch, which may fail for a while."""
        try:
            yield
        except MannequinError as error:
            worth_waiting = passes(error) or isinstance(error, UnexpectedAnswer)
            if not worth_waiting or self._clock() - self._answered > PATIENCE_S:
                raise

    def _end(self, event: Event) -> None:
        try:
            self.batch = Batch.model_validate(event.data)
        except ValueError:
            self.batch = None  # the look at the batch that follows tells

    def _left(self) -> float:
        if self._timeout_s is None:
            return float("inf")
        return self._began + self._timeout_s - self._clock()

    def _check_time(self) -> None:
        if self._left() <= 0:
            raise WaitTimeout(f"{self._batch_id} has not ended within {self._timeout_s:g} s; it goes on.")


def _broke(error: MannequinError) -> bool:
    return isinstance(error, ConnectionFailed) and error.broke
