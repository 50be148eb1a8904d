"""How long a picture was in the network, which is what its computing costs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from time import perf_counter

from services.inference.pipeline.arrays import F32, U8
from services.inference.pipeline.render import Render
from services.inference.pipeline.segment import Fit, Hint, Segmenter

COMPUTE = "compute"
"""The entry of a render's timings; it is part of other entries."""


class Stopwatch:
    """Adds up stretches of time."""

    def __init__(self) -> None:
        self.milliseconds = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        start = perf_counter()
        try:
            yield
        finally:
            self.milliseconds += (perf_counter() - start) * 1000

    def on(self, render: Render) -> Render:
        """The render with what was added up."""
        return replace(render, timings={**render.timings, COMPUTE: round(self.milliseconds, 2)})


class Timed:
    """A Segmenter whose runs are timed, the wait for a batch to gather included."""

    def __init__(self, inner: Segmenter) -> None:
        self._inner = inner
        self.watch = Stopwatch()

    @property
    def name(self) -> str:
        return self._inner.name

    @property
    def input_size(self) -> tuple[int, int]:
        return self._inner.input_size

    @property
    def fit(self) -> Fit:
        return self._inner.fit

    def maps(self, batch: U8, hints: Sequence[Hint]) -> F32:
        with self.watch.running():
            return self._inner.maps(batch, hints)
