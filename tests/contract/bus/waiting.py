"""Waiting for what a handler sees, with a limit."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from libs.common.bus.bus import Delivery

LIMIT_S = 20.0
POLL_S = 0.05


class Seen:
    """A handler that remembers: deliveries in their order and when each came (monotonic seconds).

    then: what it does after that, such as raising.
    """

    def __init__(self, then: Callable[[Delivery], Awaitable[None]] | None = None) -> None:
        self.deliveries: list[Delivery] = []
        self.times: list[float] = []
        self._then = then
        self._changed = asyncio.Event()

    async def __call__(self, delivery: Delivery) -> None:
        self.deliveries.append(delivery)
        self.times.append(time.monotonic())
        self._changed.set()
        if self._then is not None:
            await self._then(delivery)

    @property
    def numbers(self) -> list[int]:
        """The `number` of each message."""
        return [getattr(delivery.message, "number", -1) for delivery in self.deliveries]

    @property
    def attempts(self) -> list[int]:
        return [delivery.attempt for delivery in self.deliveries]

    async def count(self, wanted: int) -> None:
        """Returns when so many have come."""
        await self.until(lambda: len(self.deliveries) >= wanted)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Returns when the condition holds; looked at whenever something comes."""
        async with asyncio.timeout(LIMIT_S):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def nothing_more(self, seconds: float) -> None:
        """Returns after so many seconds in which nothing came."""
        self._changed.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return
        raise AssertionError(f"{self.deliveries[-1]} came")


async def forever(_: Delivery) -> None:
    """A handler that never ends by itself."""
    await asyncio.Event().wait()
