"""The seam between chunks and what computes them: this machine's own model, or a tenant's account."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, contextmanager
from contextvars import copy_context
from typing import Protocol

from libs.common.contracts.ids import TenantId
from libs.common.contracts.inference import RenderImages
from libs.common.contracts.message import Durable
from libs.common.contracts.options import RenderOptions
from libs.common.contracts.providers import Fault, Route
from libs.common.errors import Transient
from libs.common.telemetry import logger
from services.inference.errors import PictureRefused, RefusalCode, WorkerKilled
from services.inference.providers.provider import CallFailed
from services.inference.results import Finished
from services.inference.shots import Shots

_log = logger("inference.engine")


class Job(Protocol):
    """One chunk while it is computed. Renders raise PictureRefused, and CallFailed if a provider fails."""

    @property
    def route(self) -> Route | None:
        """The tenant's route that it is on; None on the platform's own hardware."""

    @property
    def fault(self) -> Fault | None:
        """Why no further image of the chunk can be computed this way, once that is known."""

    def turn(self, *, urgent: bool) -> AbstractAsyncContextManager[None]:
        """Held for each image, before anything of it is fetched: whose job it is may only take so many."""

    async def render(self, shots: Shots, options: RenderOptions) -> Finished:
        """Render in this process; several at a time."""

    async def render_apart(self, shots: Shots, options: RenderOptions) -> Finished:
        """Render in a process of its own, one after another. WorkerKilled if that died or took too long."""

    def reports(self) -> AbstractAsyncContextManager[Sequence[Durable]]:
        """What is to be published together with the outcomes; kept for later if that fails."""


class Engine(Protocol):
    """Computes chunks."""

    async def begin(self, chunk: RenderImages, tenant: TenantId, age_s: float) -> Job:
        """Get ready for a chunk that was sent `age_s` seconds ago. Snooze where that can't be now."""

    async def close(self) -> None:
        """Let go of everything; twice is fine."""


class RenderThreads:
    """Threads for renders, and the sorting of what goes wrong on them."""

    def __init__(self, count: int) -> None:
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="render")

    async def run(self, work: Callable[[], Finished]) -> Finished:
        """What `work` gives on one of the threads. Raises as `sorted_errors` does."""
        with sorted_errors():
            return await asyncio.get_running_loop().run_in_executor(self._pool, copy_context().run, work)

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


@contextmanager
def sorted_errors() -> Iterator[None]:
    """A picture that finds a mistake of ours is refused, so that it does not take its neighbours along."""
    try:
        yield
    except (PictureRefused, CallFailed, WorkerKilled, Transient, MemoryError):
        raise
    except Exception as error:
        _log.exception("render_failed")
        detail = "The picture could not be rendered; support can tell why."
        raise PictureRefused(RefusalCode.RENDER_FAILED, detail) from error
