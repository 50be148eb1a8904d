"""Pictures of several threads in one run of the model."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from services.inference.pipeline.arrays import F32, U8
from services.inference.pipeline.segment import Fit, Hint, Segmenter


class LoadedSegmenter(Segmenter, Protocol):
    """A Segmenter that takes memory: about `size_bytes` of it, until nobody holds it any more."""

    @property
    def size_bytes(self) -> int: ...


class Batcher:
    """A Segmenter that puts what comes at the same time into one run of another.

    There is no thread of its own: a caller that finds fewer than `in_flight` runs going takes all who wait,
    up to `max_batch` pictures, and runs for them; the others wait for their answer. While a run is going the
    next batch gathers by itself, so a picture that comes alone is not held up. With `delay_ms` a run that
    is not full waits that long for more.
    """

    def __init__(
        self, inner: LoadedSegmenter, *, max_batch: int, delay_ms: float = 0.0, in_flight: int = 1
    ) -> None:
        self._inner = inner
        self._max_batch = max_batch
        self._delay_s = delay_ms / 1000
        self._free = in_flight
        self._waiting: deque[_Call] = deque()
        self._changed = threading.Condition()

    @property
    def name(self) -> str:
        return self._inner.name

    @property
    def input_size(self) -> tuple[int, int]:
        return self._inner.input_size

    @property
    def fit(self) -> Fit:
        return self._inner.fit

    @property
    def size_bytes(self) -> int:
        return self._inner.size_bytes

    @property
    def waiting(self) -> int:
        """Pictures that no run has taken yet."""
        with self._changed:
            return sum(len(call.batch) for call in self._waiting)

    def maps(self, batch: U8, hints: Sequence[Hint]) -> F32:
        call = _Call(batch, hints)
        with self._changed:
            self._waiting.append(call)
            self._changed.notify_all()
        while (taken := self._join(call)) is not None:
            try:
                if taken:
                    _run(self._inner, taken)
            finally:
                self._finish(taken)
        return call.answer()

    def _join(self, call: _Call) -> list[_Call] | None:
        """Wait in line. The calls to run, if it is up to this one; None once its answer is there.

        While it gathers, another runner may take them all.
        """
        with self._changed:
            self._changed.wait_for(lambda: call.done or (self._free > 0 and call in self._waiting))
            if call.done:
                return None
            self._free -= 1
            self._gather()
            return self._take()

    def _gather(self) -> None:
        end = time.monotonic() + self._delay_s
        while self._pictures() < self._max_batch and (left := end - time.monotonic()) > 0:
            self._changed.wait(left)

    def _pictures(self) -> int:
        return sum(len(call.batch) for call in self._waiting)

    def _take(self) -> list[_Call]:
        """As many as fit; one that is larger than a batch goes alone."""
        taken: list[_Call] = []
        room = self._max_batch
        while self._waiting and (len(self._waiting[0].batch) <= room or not taken):
            taken.append(self._waiting.popleft())
            room -= len(taken[-1].batch)
        return taken

    def _finish(self, taken: list[_Call]) -> None:
        with self._changed:
            for call in taken:
                call.done = True
            self._free += 1
            self._changed.notify_all()


class _Call:
    """One caller's pictures, then its maps or what went wrong."""

    def __init__(self, batch: U8, hints: Sequence[Hint]) -> None:
        self.batch = batch
        self.hints = hints
        self.done = False
        self.maps: F32 | None = None
        self.error: BaseException | None = None

    def answer(self) -> F32:
        if self.error is not None:
            raise self.error
        assert self.maps is not None
        return self.maps


def _run(segmenter: Segmenter, calls: list[_Call]) -> None:
    """One run for all; if it fails, one for each, so that a picture does not take its neighbours along."""
    try:
        batch = np.concatenate([call.batch for call in calls])
        maps = segmenter.maps(batch, [hint for call in calls for hint in call.hints])
    except Exception as error:  # noqa: BLE001  # whatever it is, each caller gets its own
        _run_apart(segmenter, calls, error)
        return
    ends = np.cumsum([len(call.batch) for call in calls])
    for call, part in zip(calls, np.split(maps, ends[:-1]), strict=True):
        call.maps = part


def _run_apart(segmenter: Segmenter, calls: list[_Call], error: Exception) -> None:
    if len(calls) == 1:
        calls[0].error = error
        return
    for call in calls:
        _run(segmenter, [call])
