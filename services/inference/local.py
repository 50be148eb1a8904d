"""Chunks on this machine's own model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from functools import partial

from libs.common.contracts.ids import TenantId
from libs.common.contracts.inference import RenderImages
from libs.common.contracts.message import Durable
from libs.common.contracts.options import RenderOptions
from libs.common.contracts.providers import Fault, Route
from libs.common.telemetry import logger
from services.inference.custom.cache import CustomModelCache
from services.inference.engine import RenderThreads, sorted_errors
from services.inference.errors import ModelRefused
from services.inference.isolation import Isolation
from services.inference.models.rollout import Rollout
from services.inference.pipeline.render import Render
from services.inference.renderer import OnnxRenderer, Renderer, RendererFactory
from services.inference.results import Finished
from services.inference.shots import Shots, render_shots

_log = logger("inference.local")
_renderer: Renderer | None = None


class LocalEngine:
    """An Engine on warm models: the platform's own, or those that a tenant rolled out for itself.

    custom: what tenants rolled out; None where they can't.
    """

    def __init__(
        self,
        renderer: Renderer,
        factory: RendererFactory,
        *,
        places: int,
        image_timeout_s: float,
        custom: CustomModelCache | None = None,
    ) -> None:
        self.renderer = renderer
        self.threads = RenderThreads(places)
        self.isolation = Isolation(partial(_prepare, factory), timeout_s=image_timeout_s)
        self._custom = custom

    async def begin(self, chunk: RenderImages, tenant: TenantId, age_s: float) -> LocalJob:
        rollout = await self._custom.rollout(tenant) if self._custom else None
        if rollout is None or not isinstance(self.renderer, OnnxRenderer):
            return LocalJob(self, self.renderer)
        try:
            own = await asyncio.to_thread(self.renderer.through, rollout)
        except ModelRefused as refused:
            # It ran in the sandbox, so this machine is at fault. Each result names the model that made it.
            _log.error("custom_model_refused", tenant=tenant, reason=str(refused))
            return LocalJob(self, self.renderer)
        return LocalJob(self, own, rollout)

    async def close(self) -> None:
        self.threads.close()
        await self.isolation.close()


class LocalJob:
    """A Job of this machine. rollout: of the tenant's own models; None for the platform's."""

    route: Route | None = None
    fault: Fault | None = None

    def __init__(self, engine: LocalEngine, renderer: Renderer, rollout: Rollout | None = None) -> None:
        self._engine = engine
        self._renderer = renderer
        self._rollout = rollout

    def turn(self, *, urgent: bool) -> AbstractAsyncContextManager[None]:
        return nullcontext()

    async def render(self, shots: Shots, options: RenderOptions) -> Finished:
        return await self._engine.threads.run(
            lambda: Finished.of(render_shots(self._renderer, shots, options))
        )

    async def render_apart(self, shots: Shots, options: RenderOptions) -> Finished:
        with sorted_errors():
            render = await self._engine.isolation.run(_render, shots, options, self._rollout)
        return await self._engine.threads.run(lambda: Finished.of(render))

    @asynccontextmanager
    async def reports(self) -> AsyncIterator[Sequence[Durable]]:
        yield ()


def _prepare(factory: RendererFactory) -> None:
    global _renderer
    _renderer = factory()


def _render(shots: Shots, options: RenderOptions, rollout: Rollout | None) -> Render:
    renderer = _renderer
    assert renderer is not None
    if rollout is not None and isinstance(renderer, OnnxRenderer):
        renderer = renderer.through(rollout)
    return render_shots(renderer, shots, options)
