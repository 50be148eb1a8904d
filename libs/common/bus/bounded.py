"""Running jobs, so many at a time, until it is time to stop."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

Job = Callable[[], Coroutine[Any, Any, None]]
"""Makes the coroutine when its turn comes; handles its own errors."""

LINE = 10_000

CANCEL_LIMIT_S = 5.0
"""How long a cancelled job may take to clean up."""


class Bounded:
    """Runs jobs, never more than `limit` at once; `line` more wait in line, and what is beyond is dropped."""

    def __init__(self, limit: int, line: int = LINE) -> None:
        self._limit = limit
        self._line = line
        self._running: set[asyncio.Task[None]] = set()
        self._waiting: deque[Job] = deque()
        self._room = asyncio.Event()
        self._room.set()
        self._stopped = False

    @property
    def free(self) -> int:
        """How many more jobs would start at once."""
        return max(0, self._limit - len(self._running) - len(self._waiting))

    async def room(self) -> None:
        """Returns when a job would start at once."""
        await self._room.wait()

    def add(self, job: Job) -> None:
        """Start the job, or put it in line. Nothing happens after `drain`."""
        if self._stopped or len(self._waiting) >= self._line:
            return
        self._waiting.append(job)
        self._start()

    async def drain(self, limit_s: float) -> None:
        """Forget those in line, let the running ones finish, and cancel what still runs after `limit_s`."""
        self._stopped = True
        self._waiting.clear()
        await self._wait(limit_s)
        for task in tuple(self._running):
            task.cancel()
        await self._wait(CANCEL_LIMIT_S)

    async def _wait(self, limit_s: float) -> None:
        if self._running:
            await asyncio.wait(tuple(self._running), timeout=limit_s)

    def _start(self) -> None:
        while self._waiting and len(self._running) < self._limit:
            task = asyncio.ensure_future(self._waiting.popleft()())
            self._running.add(task)
            task.add_done_callback(self._ended)
        self._mark()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._start()

    def _mark(self) -> None:
        if self.free:
            self._room.set()
        else:
            self._room.clear()
