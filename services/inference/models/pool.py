"""The models that are open: within a memory budget, and exchanged while the old ones still render."""

from __future__ import annotations

import itertools
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from services.inference.errors import ModelRefused
from services.inference.models.batching import LoadedSegmenter
from services.inference.pipeline.segment import Segmenter


class Source(Protocol):
    """Where models come from, by reference (`name` or `name@version`). All raise ModelRefused."""

    def fingerprint(self, reference: str) -> str:
        """Changes when there is another model under the reference; quick."""
        ...

    def open(self, reference: str) -> LoadedSegmenter:
        """The model, warm; takes as long as that takes."""
        ...


class Sessions:
    """Warm models by reference, opened when they are first asked for.

    What nobody uses just now is closed, least recently used first, while the rest is over `budget_bytes`. A
    lease keeps its model open whatever happens, and is one version from its beginning to its end.
    """

    def __init__(self, source: Source, budget_bytes: int) -> None:
        self._source = source
        self._budget = budget_bytes
        self._open: dict[str, _Opened] = {}
        self._clock = itertools.count()
        self._lock = threading.Lock()
        self._openings: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    @property
    def open_models(self) -> tuple[str, ...]:
        """Names (`name@version`) of the models that are open, the most recently used last."""
        with self._lock:
            return tuple(opened.segmenter.name for opened in self._by_use())

    @contextmanager
    def lease(self, reference: str) -> Iterator[Segmenter]:
        """Hold the model, opening it if need be. Raises ModelRefused."""
        opened = self._take(reference) or self._open_and_take(reference)
        try:
            yield opened.segmenter
        finally:
            with self._lock:
                opened.leases -= 1
                self._make_room()

    def refresh(self) -> tuple[str, ...]:
        """Open what has changed at its source and let it serve from then on; names of what is new.

        The old one serves until the new one is warm. Raises ModelRefused at the end for one that is no good,
        whose old one stays.
        """
        with self._lock:
            known = dict(self._open)
        fresh, refused = [], []
        for reference, opened in known.items():
            try:
                if self._source.fingerprint(reference) != opened.fingerprint:
                    fresh.append(self._exchange(reference))
            except ModelRefused as error:
                refused.append(error)
        if refused:
            raise refused[0]
        return tuple(fresh)

    def _take(self, reference: str) -> _Opened | None:
        with self._lock:
            opened = self._open.get(reference)
            if opened is not None:
                opened.leases += 1
                opened.used = next(self._clock)
            return opened

    def _open_and_take(self, reference: str) -> _Opened:
        """One thread opens it, whoever else wants it waits for that one."""
        with self._opening(reference):
            return self._take(reference) or self._put(reference, self._opened(reference), leases=1)

    def _exchange(self, reference: str) -> str:
        with self._opening(reference):
            return self._put(reference, self._opened(reference), leases=0).segmenter.name

    def _opened(self, reference: str) -> _Opened:
        # The fingerprint first: if the model changes in between, the next refresh sees it.
        fingerprint = self._source.fingerprint(reference)
        return _Opened(self._source.open(reference), fingerprint)

    def _put(self, reference: str, opened: _Opened, leases: int) -> _Opened:
        with self._lock:
            opened.leases = leases
            opened.used = next(self._clock)
            self._open[reference] = opened
            self._make_room()
            return opened

    def _make_room(self) -> None:
        """Drop models; the memory is free when the last lease of them has ended."""
        total = sum(opened.segmenter.size_bytes for opened in self._open.values())
        newest = max((opened.used for opened in self._open.values()), default=0)
        for reference, opened in sorted(self._open.items(), key=lambda item: item[1].used):
            if total <= self._budget:
                return
            if not opened.leases and opened.used < newest:
                total -= opened.segmenter.size_bytes
                del self._open[reference]

    def _by_use(self) -> list[_Opened]:
        return sorted(self._open.values(), key=lambda opened: opened.used)

    def _opening(self, reference: str) -> threading.Lock:
        with self._lock:
            return self._openings[reference]


class _Opened:
    """An open model, how many hold it, and when it was last taken."""

    def __init__(self, segmenter: LoadedSegmenter, fingerprint: str) -> None:
        self.segmenter = segmenter
        self.fingerprint = fingerprint
        self.leases = 0
        self.used = 0
