"""Values by their names: those in use are kept, others are read when they are asked for."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Value = TypeVar("Value")
ABSENT_S = 30.0
MOST_ABSENT = 10_000


class Shelf(Generic[Value]):
    """At most `most` values, the last used ones, and for a while the names of some that do not exist.

    Who asks for one name at the same time shares one reading.
    """

    def __init__(self, most: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._held: OrderedDict[str, Value] = OrderedDict()
        self._absent: OrderedDict[str, float] = OrderedDict()
        self._reading: dict[str, asyncio.Task[Value | None]] = {}
        self._moved: set[str] = set()

    def __contains__(self, name: str) -> bool:
        """Whether `get` would answer without reading."""
        return name in self._held or self._absent.get(name, float("-inf")) > self._clock()

    async def get(self, name: str, read: Callable[[], Awaitable[Value | None]]) -> Value | None:
        """The value of that name, from `read` unless it is here; None if there is none."""
        if name in self:
            return self._found(name)
        if (reading := self._reading.get(name)) is None:
            reading = self._reading[name] = asyncio.create_task(self._read(name, read))
            reading.add_done_callback(_seen)
        return await asyncio.shield(reading)

    def put(self, name: str, value: Value) -> None:
        """Keep a value as if it had been read."""
        self._held[name] = value
        self._held.move_to_end(name)
        if len(self._held) > self._most:
            self._held.popitem(last=False)

    def drop(self, unwanted: Callable[[Value], bool]) -> None:
        """Keep none of those."""
        for name in [name for name, value in self._held.items() if unwanted(value)]:
            del self._held[name]

    def moved(self, name: str, value: Value) -> None:
        """It is this from now on: also for a reading under way, which may have seen it as it was before."""
        if name in self._held:
            self._held[name] = value
        self._absent.pop(name, None)
        if name in self._reading:
            self._moved.add(name)

    def _found(self, name: str) -> Value | None:
        if name in self._held:
            self._held.move_to_end(name)
        return self._held.get(name)

    async def _read(self, name: str, read: Callable[[], Awaitable[Value | None]]) -> Value | None:
        try:
            found = await read()
            while name in self._moved:
                self._moved.discard(name)
                found = await read()
            self._keep(name, found)
            return found
        finally:
            del self._reading[name]
            self._moved.discard(name)

    def _keep(self, name: str, found: Value | None) -> None:
        if found is not None:
            self.put(name, found)
            return
        self._absent[name] = self._clock() + ABSENT_S
        if len(self._absent) > MOST_ABSENT:
            self._absent.popitem(last=False)


def _seen(reading: asyncio.Task[Value | None]) -> None:
    """Nobody may be left to hear of an error."""
    if not reading.cancelled():
        reading.exception()
