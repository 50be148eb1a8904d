"""Chunks on this machine's own model."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from functools import partial

from libs.common.contracts.ids import TenantId
from libs.common.contracts.inference import RenderImages
from libs.common.contracts.message import Durable
from libs.common.contracts.options import RenderOptions
from libs.common.contracts.providers import Fault, Route
from services.inference.engine import RenderThreads, sorted_errors
from services.inference.isolation import Isolation
from services.inference.pipeline.render import Render
from services.inference.renderer import Renderer, RendererFactory
from services.inference.results import Finished
from services.inference.shots import Shots, render_shots

_renderer: Renderer | None = None


class LocalEngine:
    """An Engine whose every chunk is alike: there is one renderer for all, and another in the child."""

    route: Route | None = None
    fault: Fault | None = None

    def __init__(
        self, renderer: Renderer, factory: RendererFactory, *, places: int, image_timeout_s: float
    ) -> None:
        self._renderer = renderer
        self._threads = RenderThreads(places)
        self._isolation = Isolation(partial(_prepare, factory), timeout_s=image_timeout_s)

    async def begin(self, chunk: RenderImages, tenant: TenantId, age_s: float) -> LocalEngine:
        return self

    async def close(self) -> None:
        self._threads.close()
        await self._isolation.close()

    def turn(self, *, urgent: bool) -> AbstractAsyncContextManager[None]:
        return nullcontext()

    async def render(self, shots: Shots, options: RenderOptions) -> Finished:
        return await self._threads.run(lambda: Finished.of(render_shots(self._renderer, shots, options)))

    async def render_apart(self, shots: Shots, options: RenderOptions) -> Finished:
        with sorted_errors():
            render = await self._isolation.run(_render, shots, options)
        return await self._threads.run(lambda: Finished.of(render))

    @asynccontextmanager
    async def reports(self) -> AsyncIterator[Sequence[Durable]]:
        yield ()


def _prepare(factory: RendererFactory) -> None:
    global _renderer
    _renderer = factory()


def _render(shots: Shots, options: RenderOptions) -> Render:
    assert _renderer is not None
    return render_shots(_renderer, shots, options)
