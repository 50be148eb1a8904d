"""Calls that come while the model is busy share the next run."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import pytest

from services.inference.models.batching import Batcher
from services.inference.pipeline.arrays import F32, U8
from services.inference.pipeline.segment import Fit, Hint

LIMIT_S = 10.0


class Gated:
    """A segmenter whose runs wait for the gate; each picture's map says its value and its hint."""

    name = "gated@1"
    input_size = (32, 32)
    fit = Fit.LETTERBOX
    size_bytes = 1

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.runs: list[int] = []
        self.running = 0
        self.most_at_once = 0
        self._lock = threading.Lock()

    def maps(self, batch: U8, hints: Sequence[Hint]) -> F32:
        with self._lock:
            self.runs.append(len(batch))
            self.running += 1
            self.most_at_once = max(self.most_at_once, self.running)
        try:
            assert self.gate.wait(LIMIT_S)
            if (batch == 13).any():
                raise ValueError("unlucky")
            values = [
                (int(picture[0, 0, 0]), list(Hint).index(hint))
                for picture, hint in zip(batch, hints, strict=True)
            ]
            return np.array(values, np.float32)[..., None, None]
        finally:
            with self._lock:
                self.running -= 1


def picture(value: int, count: int = 1) -> U8:
    return np.full((count, 32, 32, 3), value, np.uint8)


def until(holds: Callable[[], bool]) -> None:
    """Poll a condition, with a limit."""
    end = time.monotonic() + LIMIT_S
    while not holds():
        assert time.monotonic() < end
        threading.Event().wait(0.001)


@pytest.fixture
def inner() -> Gated:
    return Gated()


def call(pool: ThreadPoolExecutor, batcher: Batcher, value: int, count: int = 1) -> Future[F32]:
    return pool.submit(batcher.maps, picture(value, count), [list(Hint)[value % 4]] * count)


def first_then(
    pool: ThreadPoolExecutor, batcher: Batcher, inner: Gated, values: Sequence[int]
) -> list[Future[F32]]:
    """The first value's run has begun; the others wait."""
    futures = [call(pool, batcher, values[0])]
    until(lambda: inner.runs == [1])
    for place, value in enumerate(values[1:], 1):
        futures.append(call(pool, batcher, value))
        until(lambda: batcher.waiting == place)  # noqa: B023  # called before the next turn
    return futures


def test_who_waits_shares_the_next_run(inner: Gated) -> None:
    """Each gets the maps of its own picture and hint."""
    batcher = Batcher(inner, max_batch=8)
    with ThreadPoolExecutor(6) as pool:
        futures = first_then(pool, batcher, inner, range(6))
        inner.gate.set()
        answers = [future.result(LIMIT_S)[0, :, 0, 0].tolist() for future in futures]
    assert answers == [[value, value % 4] for value in range(6)]
    assert inner.runs == [1, 5]


def test_a_run_holds_no_more_than_a_batch(inner: Gated) -> None:
    """The rest is next; one call of more than a batch goes alone."""
    batcher = Batcher(inner, max_batch=2)
    with ThreadPoolExecutor(6) as pool:
        futures = first_then(pool, batcher, inner, range(4))
        futures.append(call(pool, batcher, 4, count=5))
        until(lambda: batcher.waiting == 8)
        inner.gate.set()
        assert [len(future.result(LIMIT_S)) for future in futures] == [1, 1, 1, 1, 5]
    assert inner.runs == [1, 2, 1, 5]


def test_one_that_comes_alone_is_not_held_up(inner: Gated) -> None:
    """There is nobody to wait for, and no delay was asked for."""
    inner.gate.set()
    batcher = Batcher(inner, max_batch=8)
    for value in range(3):
        assert batcher.maps(picture(value), [Hint.AUTO])[0, 0, 0, 0] == value
    assert inner.runs == [1, 1, 1]


def test_with_a_delay_a_run_waits_until_it_is_full(inner: Gated) -> None:
    """And goes at once when it is; the limit here is far beyond the test's."""
    inner.gate.set()
    batcher = Batcher(inner, max_batch=3, delay_ms=LIMIT_S * 10_000)
    with ThreadPoolExecutor(3) as pool:
        futures = [call(pool, batcher, value) for value in range(3)]
        assert [future.result(LIMIT_S)[0, 0, 0, 0] for future in futures] == [0, 1, 2]
    assert inner.runs == [3]


def test_a_delay_ends(inner: Gated) -> None:
    """Nobody else comes."""
    inner.gate.set()
    batcher = Batcher(inner, max_batch=3, delay_ms=5)
    assert batcher.maps(picture(1), [Hint.AUTO])[0, 0, 0, 0] == 1


@pytest.mark.parametrize("in_flight", [1, 2, 3])
def test_as_many_runs_go_at_once_as_are_allowed(inner: Gated, in_flight: int) -> None:
    """Several sessions on a GPU take a run each."""
    batcher = Batcher(inner, max_batch=1, in_flight=in_flight)
    with ThreadPoolExecutor(5) as pool:
        futures = [call(pool, batcher, value) for value in range(5)]
        until(lambda: inner.running == in_flight and batcher.waiting == 5 - in_flight)
        inner.gate.set()
        assert [future.result(LIMIT_S)[0, 0, 0, 0] for future in futures] == [0, 1, 2, 3, 4]
    assert inner.most_at_once == in_flight


def test_a_picture_that_fails_takes_no_neighbour_along(inner: Gated) -> None:
    """The others of its run are done again without it, and it gets the error."""
    batcher = Batcher(inner, max_batch=8)
    with ThreadPoolExecutor(4) as pool:
        futures = first_then(pool, batcher, inner, [1, 2, 13, 3])
        inner.gate.set()
        assert [futures[place].result(LIMIT_S)[0, 0, 0, 0] for place in (0, 1, 3)] == [1, 2, 3]
        with pytest.raises(ValueError, match="unlucky"):
            futures[2].result(LIMIT_S)
    assert batcher.maps(picture(4), [Hint.AUTO])[0, 0, 0, 0] == 4


@pytest.mark.parametrize(("in_flight", "delay_ms"), [(1, 0), (2, 0), (2, 0.5)])
def test_nobody_is_forgotten_in_a_crowd(inner: Gated, in_flight: int, delay_ms: float) -> None:
    """Hundreds of calls from many threads, each answered once and rightly."""
    inner.gate.set()
    batcher = Batcher(inner, max_batch=4, in_flight=in_flight, delay_ms=delay_ms)
    values = [value for value in range(200) if value != 13]
    with ThreadPoolExecutor(16) as pool:
        futures = [call(pool, batcher, value, count=1 + value % 3) for value in values]
        answers = [future.result(LIMIT_S) for future in futures]
    assert [len(answer) for answer in answers] == [1 + value % 3 for value in values]
    assert all((answer[:, 0] == value).all() for answer, value in zip(answers, values, strict=True))
    assert sum(inner.runs) == sum(len(answer) for answer in answers)
