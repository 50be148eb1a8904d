"""Keeping one session with the broker open for as long as it is wanted."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, Protocol, TypeVar

from libs.common.bus.outcome import backoff
from libs.common.errors import Unavailable
from libs.common.telemetry import logger

log = logger("bus.link")


class Closable(Protocol):
    """Something that ends."""

    async def close(self) -> None:
        """Never raises."""


S = TypeVar("S", bound=Closable)

Lost = asyncio.Event
"""Set by a session when its connection is gone."""


class Link(Generic[S]):
    """Opens sessions, one after another: a new one, with jittered backoff, whenever the last was lost.

    open_session: raises Unavailable where it can't be opened now.
    """

    def __init__(self, open_session: Callable[[Lost], Awaitable[S]]) -> None:
        self._open_session = open_session
        self._session: S | None = None
        self._connected = asyncio.Event()
        self._why = "no connection was tried"
        self._task: asyncio.Task[None] | None = None

    @property
    def session(self) -> S | None:
        """The session of this moment."""
        return self._session

    async def start(self, timeout: float) -> None:
        """Connect, and stay so. Unavailable if that takes longer than `timeout` seconds."""
        self._task = self._task or asyncio.create_task(self._keep())
        try:
            await self.get(timeout)
        except Unavailable:
            await self.close()
            raise

    async def get(self, timeout: float) -> S:
        """The session, waiting for one for at most `timeout` seconds; then Unavailable."""
        if self._session is None:
            await self._wait(timeout)
        if self._session is None:
            raise Unavailable(f"the message broker does not answer: {self._why}")
        return self._session

    async def close(self) -> None:
        """Disconnect for good."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait((task,))

    async def _wait(self, timeout: float) -> None:
        if self._task is None:
            raise Unavailable("the bus is not started")
        connected = asyncio.ensure_future(self._connected.wait())
        await asyncio.wait((connected, self._task), timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        connected.cancel()
        if self._task is not None and self._task.done() and not self._task.cancelled():
            self._task.result()

    async def _keep(self) -> None:
        failures = 0
        while True:
            lost = Lost()
            try:
                session = await self._open_session(lost)
            except Unavailable as exc:
                failures += 1
                self._why = exc.detail
                log.warning("the message broker can't be reached", why=exc.detail, failures=failures)
            else:
                failures = 0
                await self._hold(session, lost)
            await asyncio.sleep(backoff(failures))

    async def _hold(self, session: S, lost: Lost) -> None:
        self._session = session
        self._connected.set()
        try:
            await lost.wait()
            self._why = "the connection was lost"
            log.warning("the connection to the message broker was lost")
        finally:
            self._session = None
            self._connected.clear()
            await session.close()
