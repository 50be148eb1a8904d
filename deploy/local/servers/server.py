"""What every server of the local system promises, and the part that they share."""

from __future__ import annotations

import asyncio
import ssl
import time
from abc import ABC, abstractmethod
from typing import Protocol

from deploy.local.processes import Child, Program
from deploy.local.state import State

POLL_S = 0.03


class Server(Protocol):
    """A server as child processes of this one, on a loopback port, with its data in the state folder.

    Stop without start is fine, so is stop twice; what a stopped or killed server has acknowledged is there
    again after `restart`. Start from the main thread.
    """

    @property
    def name(self) -> str:
        """Its name in messages, logs and pid files."""

    @property
    def url(self) -> str:
        """Where clients reach it, with user and password."""

    @property
    def pids(self) -> tuple[int, ...]:
        """The processes that were started for it and still run."""

    def available(self) -> str | None:
        """None where it can run here, else the reason and what to do about it."""

    async def start(self) -> None:
        """Starts it and returns when it takes clients. Raises StartFailed, ServerUnavailable."""

    async def stop(self) -> None:
        """Lets it finish, for at most some seconds."""

    async def kill(self) -> None:
        """Kills it without warning, as a power cut would."""

    async def restart(self) -> None:
        """Stops it if it runs and starts it on the same data and port."""

    async def ended(self) -> None:
        """Returns when one of its processes is no longer there."""

    def log_tail(self) -> str:
        """The last lines of its log."""


class SingleProcess(ABC):
    """A server that is one process: a subclass says what to run and when it is ready."""

    start_limit_s = 30.0

    def __init__(self, state: State, name: str) -> None:
        self.name = name
        self._state = state
        self._child = Child(state, name)

    @abstractmethod
    async def prepare(self) -> Program:
        """Makes what the process needs (data, config) and says how to run it."""

    @abstractmethod
    async def ready(self) -> bool:
        """Whether it takes clients now."""

    @property
    def pids(self) -> tuple[int, ...]:
        """See Server."""
        return (self._child.pid,) if self._child.pid is not None else ()

    async def start(self) -> None:
        """See Server."""
        self._child.start(await self.prepare())
        deadline = time.monotonic() + self.start_limit_s
        while not await self.ready():
            if not self._child.running:
                raise self._child.failure(f"ended with status {await self._child.ended()} while starting")
            if time.monotonic() > deadline:
                raise self._child.failure(f"was not ready within {self.start_limit_s:.0f} s")
            await asyncio.sleep(POLL_S)

    async def stop(self) -> None:
        """See Server."""
        await self._child.stop()

    async def kill(self) -> None:
        """See Server."""
        await self._child.kill()

    async def restart(self) -> None:
        """See Server."""
        await self.stop()
        await self.start()

    async def ended(self) -> None:
        """See Server."""
        await self._child.ended()

    def log_tail(self) -> str:
        """See Server."""
        return self._child.log_tail()


async def exchange(host: str, port: int, send: bytes, size: int, tls: ssl.SSLContext | None = None) -> bytes:
    """Connects, sends, and gives the first `size` bytes of the answer; empty when nobody answers in time."""
    try:
        async with asyncio.timeout(1.0):
            reader, writer = await asyncio.open_connection(host, port, ssl=tls)
            try:
                writer.write(send)
                return await reader.readexactly(size)
            finally:
                writer.close()
    except (OSError, TimeoutError, asyncio.IncompleteReadError):
        return b""
