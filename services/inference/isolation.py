"""A process of its own for a picture that may kill whoever renders it."""

from __future__ import annotations

import asyncio
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress

from libs.common.contracts.options import RenderOptions
from services.inference.errors import PictureRefused, WorkerKilled
from services.inference.pipeline.render import Render
from services.inference.renderer import Renderer, RendererFactory
from services.inference.shots import Shots, render_shots

_renderer: Renderer | None = None


class Isolation:
    """One child process, kept while it lives and replaced when a picture has killed it."""

    def __init__(self, factory: RendererFactory, *, timeout_s: float) -> None:
        self._factory = factory
        self._timeout_s = timeout_s
        self._pool: ProcessPoolExecutor | None = None
        self._turn = asyncio.Lock()

    async def render(self, shots: Shots, options: RenderOptions) -> Render:
        """Render in the child. WorkerKilled if it died or took too long, or PictureRefused."""
        async with self._turn:
            pool = self._pool or self._start()
            work = asyncio.get_running_loop().run_in_executor(pool, _render, shots, options)
            try:
                result = await asyncio.wait_for(work, self._timeout_s)
            except (BrokenProcessPool, TimeoutError) as error:
                await self._kill()
                raise WorkerKilled from error
        if isinstance(result, PictureRefused):
            raise result
        return result

    async def close(self) -> None:
        await self._kill()

    def _start(self) -> ProcessPoolExecutor:
        self._pool = ProcessPoolExecutor(
            1, multiprocessing.get_context("spawn"), initializer=_prepare, initargs=(self._factory,)
        )
        return self._pool

    async def _kill(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            for process in list(
                (pool._processes or {}).values()
            ):  # the pool has no public way to kill its child
                with suppress(ProcessLookupError):
                    process.kill()
            await asyncio.to_thread(pool.shutdown, wait=True, cancel_futures=True)


def _prepare(factory: RendererFactory) -> None:
    global _renderer
    _renderer = factory()


def _render(shots: Shots, options: RenderOptions) -> Render | PictureRefused:
    assert _renderer is not None
    try:
        return render_shots(_renderer, shots, options)
    except PictureRefused as refused:
        return refused
