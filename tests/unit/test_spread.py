"""Work spread over the cores: nothing is lost, and no more is begun than can be done."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Barrier

import pytest

from libs.common.spread import spread

LIMIT_S = 10


def test_everything_is_done_once() -> None:
    """In whatever order it ends."""
    assert sorted(spread(lambda number: number * 2, range(100), 3)) == list(range(0, 200, 2))
    assert list(spread(str, [], 3)) == []


def test_so_many_run_at_a_time() -> None:
    """Each of three waits for the two others; with fewer threads nobody would come."""
    together = Barrier(3, timeout=LIMIT_S)
    assert len(list(spread(lambda _: together.wait(), range(6), 3))) == 6


def test_what_comes_later_is_not_taken_before_its_turn() -> None:
    """A source may draw or read each thing when it is asked for: memory stays bounded."""
    taken: list[int] = []

    def source() -> Iterator[int]:
        for number in range(1000):
            taken.append(number)
            yield number

    made = spread(lambda number: number, source(), 2)
    next(made)
    assert len(taken) <= 8
    made.close()  # type: ignore[attr-defined]  # it is a generator
    assert len(taken) <= 8


def test_a_mistake_ends_the_work() -> None:
    """It reaches whoever asked for the results."""
    with pytest.raises(ZeroDivisionError):
        list(spread(lambda number: 1 // number, [1, 1, 0, 1], 2))
