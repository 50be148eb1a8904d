"""Calls on a tenant's account: from the event loop, where connections live, and from threads that render."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

from libs.common.contracts.providers import Fault, FaultCode, FaultKind
from libs.common.errors import Unavailable
from services.inference.errors import LeaseRefused, RouteNotOpen
from services.inference.leases import Leases, Use
from services.inference.providers.provider import CallFailed, Connection, Drawing, Tensors
from services.inference.timing import Stopwatch

Answer = TypeVar("Answer")


class Calls(Protocol):
    """What a render calls an account for, on its own thread or in its own process. Raises CallFailed."""

    def segment(self, inputs: Tensors, outputs: Sequence[str]) -> Tensors:
        """What the platform's model, on the account, gives for its inputs; not looked at yet."""

    def draw(self, photo: bytes, media_type: str) -> Drawing:
        """The garment of the photo without what it is worn on."""

    def dress(self, photo: bytes, person: bytes, media_type: str) -> Drawing:
        """The person of a photo in the garment of another."""


class NotCalled(CallFailed):
    """No call was made, as the account may not be used any more; says nothing new of the credential."""


class AccountCalls:
    """The calls of one chunk on one account, from the event loop.

    `fault`: that of the key, once there is one. Then no further call is made.
    """

    def __init__(self, use: Use, leases: Leases) -> None:
        self.use = use
        self.fault: Fault | None = None
        self._leases = leases

    async def segment(self, inputs: Tensors, outputs: Sequence[str]) -> Tensors:
        return await self._call(lambda connection: connection.segment(inputs, outputs))

    async def draw(self, photo: bytes, media_type: str) -> Drawing:
        return await self._call(lambda connection: connection.ghost(photo, media_type))

    async def dress(self, photo: bytes, person: bytes, media_type: str) -> Drawing:
        return await self._call(lambda connection: connection.on_model(photo, media_type, "", person))

    async def _call(self, run: Callable[[Connection], Awaitable[Answer]]) -> Answer:
        if self.fault is not None:
            raise NotCalled(self.fault.code, self.fault.detail)
        try:
            held = await self._leases.get(self.use)
            if held.ended:  # revoked or used up while this one waited for it
                held = await self._leases.get(self.use)
            return await held.call(run)
        except LeaseRefused as refused:
            self.fault = fault_of(refused)
            raise NotCalled(self.fault.code, self.fault.detail) from None
        except Unavailable as error:
            raise NotCalled(FaultCode.UNAVAILABLE, f"no lease on the credential: {error.detail}") from None
        except CallFailed as failed:
            await self._see(failed)
            raise

    async def _see(self, failed: CallFailed) -> None:
        """After a fault of the key nobody goes on with this lease, also none of the batch's other chunks."""
        if failed.fault.kind is FaultKind.KEY:
            self.fault = self.fault or failed.fault
            await self._leases.drop(self.use)


def fault_of(refused: LeaseRefused) -> Fault:
    """What a refused lease means for the images: their route is closed. It is no fault of the key where the
    batch has just nothing more in flight on it.
    """
    code = FaultCode.UNAVAILABLE if isinstance(refused, RouteNotOpen) else FaultCode.REVOKED
    return Fault(code=code, detail=f"the credential is not given out: {refused.detail}"[:500])


class Bridge:
    """Lets threads wait for what the event loop does, until it is closed."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiting: set[concurrent.futures.Future[Any]] = set()
        self._lock = threading.Lock()
        self._closed = False

    def wait_for(self, start: Callable[[], Awaitable[Answer]]) -> Answer:
        """What it gives or raises; Unavailable where the process is stopping."""

        async def run() -> Answer:
            return await start()

        with self._lock:
            if self._closed:
                raise Unavailable("the worker is stopping")
            future = asyncio.run_coroutine_threadsafe(run(), self._loop)
            self._waiting.add(future)
        try:
            return future.result()
        except concurrent.futures.CancelledError:
            raise Unavailable("the worker is stopping") from None
        finally:
            with self._lock:
                self._waiting.discard(future)

    def close(self) -> None:
        """Nobody waits any more; twice is fine."""
        with self._lock:
            self._closed, waiting = True, list(self._waiting)
        for future in waiting:
            future.cancel()


class Cores:
    """As many renders at work as there are cores; one that waits for a provider takes none."""

    def __init__(self, count: int) -> None:
        self._free = threading.Semaphore(count)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        with self._free:
            yield

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Within `at_work`: while something else is waited for."""
        self._free.release()
        try:
            yield
        finally:
            self._free.acquire()


class ThreadCalls:
    """The Calls of one image, from a thread of this process.

    `watch` adds up what they took; `answered_at`: when the last one went well.
    """

    def __init__(self, account: AccountCalls, bridge: Bridge, cores: Cores | None = None) -> None:
        self.watch = Stopwatch()
        self.answered_at: datetime | None = None
        self._account = account
        self._bridge = bridge
        self._cores = cores

    def segment(self, inputs: Tensors, outputs: Sequence[str]) -> Tensors:
        return self._wait_for(lambda: self._account.segment(inputs, outputs))

    def draw(self, photo: bytes, media_type: str) -> Drawing:
        return self._wait_for(lambda: self._account.draw(photo, media_type))

    def dress(self, photo: bytes, person: bytes, media_type: str) -> Drawing:
        return self._wait_for(lambda: self._account.dress(photo, person, media_type))

    def _wait_for(self, start: Callable[[], Awaitable[Answer]]) -> Answer:
        if self._cores is None:
            return self._timed(start)
        with self._cores.waiting():
            return self._timed(start)

    def _timed(self, start: Callable[[], Awaitable[Answer]]) -> Answer:
        with self.watch.running():
            answer = self._bridge.wait_for(start)
        self.answered_at = datetime.now(UTC)
        return answer
