"""The worker's places for images in hand; whoever is waited for takes the next one that comes free."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Places:
    """A semaphore of `count` places with two lines of waiters."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._lines: dict[bool, deque[asyncio.Future[None]]] = {True: deque(), False: deque()}

    @asynccontextmanager
    async def one(self, *, urgent: bool) -> AsyncIterator[None]:
        """Hold a place; `urgent` ones come before all others that wait."""
        await self._take(urgent=urgent)
        try:
            yield
        finally:
            self._give()

    async def _take(self, *, urgent: bool) -> None:
        if self._free > 0:
            self._free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._lines[urgent].append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._give()
            raise

    def _give(self) -> None:
        """Hand the place to the next waiter that has not gone away."""
        for urgent in (True, False):
            line = self._lines[urgent]
            while line:
                turn = line.popleft()
                if not turn.done():
                    turn.set_result(None)
                    return
        self._free += 1


class SharedPlaces:
    """Places of which one account takes `share` at most: one that is slow leaves some to the others."""

    def __init__(self, count: int, share: float = 0.75) -> None:
        self._most = max(1, int(count * share))
        self._of: dict[str, Places] = {}
        self._guests: Counter[str] = Counter()

    @asynccontextmanager
    async def one(self, account: str, *, urgent: bool) -> AsyncIterator[None]:
        """Hold a place for the account."""
        self._guests[account] += 1
        try:
            async with self._of.setdefault(account, Places(self._most)).one(urgent=urgent):
                yield
        finally:
            self._guests[account] -= 1
            if not self._guests[account]:
                del self._guests[account], self._of[account]
