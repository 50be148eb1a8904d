"""Running jobs, so many at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from libs.common.bus.bounded import Bounded


class Gate:
    """Jobs that end when they are told to."""

    def __init__(self) -> None:
        self.started: list[int] = []
        self.ended: list[int] = []
        self.cancelled: list[int] = []
        self._open: dict[int, asyncio.Event] = {}

    def job(self, number: int) -> Callable[[], Coroutine[Any, Any, None]]:
        return lambda: self._run(number)

    def end(self, number: int) -> None:
        self._open[number].set()

    async def _run(self, number: int) -> None:
        self.started.append(number)
        self._open[number] = asyncio.Event()
        try:
            await self._open[number].wait()
            self.ended.append(number)
        except asyncio.CancelledError:
            self.cancelled.append(number)
            raise


async def settle() -> None:
    """Let every task that can go on do so."""
    for _ in range(5):
        await asyncio.sleep(0)


async def filled(limit: int, jobs: int, line: int = 10) -> tuple[Bounded, Gate]:
    bounded, gate = Bounded(limit, line), Gate()
    for number in range(jobs):
        bounded.add(gate.job(number))
    await settle()
    return bounded, gate


async def test_jobs_beyond_the_limit_wait_in_line() -> None:
    """And start in their order as others end."""
    bounded, gate = await filled(limit=2, jobs=4)
    assert gate.started == [0, 1]
    gate.end(1)
    await settle()
    assert gate.started == [0, 1, 2]
    await bounded.drain(0)


async def test_room_is_what_would_start_at_once() -> None:
    """None while all are busy, and told as soon as there is some."""
    bounded, gate = await filled(limit=2, jobs=1)
    assert bounded.free == 1
    bounded.add(gate.job(1))
    await settle()
    waiting = asyncio.ensure_future(bounded.room())
    await settle()
    assert not waiting.done()
    gate.end(0)
    await asyncio.wait_for(waiting, 1)
    assert bounded.free == 1
    await bounded.drain(0)


async def test_what_is_beyond_the_line_is_dropped() -> None:
    """Memory stays bounded when nobody keeps up."""
    bounded, gate = await filled(limit=1, jobs=5, line=2)
    for number in range(3):
        gate.end(number)
        await settle()
    assert gate.started == [0, 1, 2]
    await bounded.drain(0)


async def test_draining_lets_running_jobs_end() -> None:
    """Those in line never start, nor what is added later."""
    bounded, gate = await filled(limit=1, jobs=2)
    draining = asyncio.ensure_future(bounded.drain(5))
    await settle()
    gate.end(0)
    await asyncio.wait_for(draining, 1)
    bounded.add(gate.job(9))
    await settle()
    assert (gate.started, gate.ended) == ([0], [0])


async def test_draining_cancels_after_the_limit() -> None:
    """Jobs notice and may clean up."""
    bounded, gate = await filled(limit=2, jobs=2)
    await asyncio.wait_for(bounded.drain(0.01), 1)
    assert sorted(gate.cancelled) == [0, 1]


async def test_draining_twice_is_fine() -> None:
    """So is draining when nothing ever ran."""
    bounded = Bounded(1)
    await bounded.drain(1)
    await bounded.drain(1)
