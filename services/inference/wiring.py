"""The parts of the inference service, put together by hand for the role that is asked for."""

from __future__ import annotations

import asyncio

from libs.common.contracts import flow
from libs.common.contracts.inference import WorkerRole
from libs.common.lifecycle import Lifecycle
from services.inference.base import Base
from services.inference.leases import Connect
from services.inference.local import LocalEngine
from services.inference.renderer import OnnxRenderer, OnnxRendererFactory, RendererFactory, follow_models
from services.inference.settings import InferenceSettings

QUEUES = (flow.RENDERS_NOW, flow.RENDERS)


async def wire(
    settings: InferenceSettings,
    lifecycle: Lifecycle,
    factory: RendererFactory | None = None,
    connect_to: Connect | None = None,
) -> None:
    """Start everything for the role. `factory` stands for the local one's model, `connect_to` for the remote
    one's providers.
    """
    if settings.role is WorkerRole.REMOTE:
        from services.inference.remote.wiring import wire_remote

        await wire_remote(settings, lifecycle, connect_to)
    else:
        await _wire_local(settings, lifecycle, factory or OnnxRendererFactory.of(settings))


async def _wire_local(settings: InferenceSettings, lifecycle: Lifecycle, factory: RendererFactory) -> None:
    """The model is warm before the first message comes."""
    renderer = await asyncio.to_thread(factory)
    base = await Base.open(settings, lifecycle)
    engine = LocalEngine(renderer, factory, places=settings.places, image_timeout_s=settings.image_timeout_s)
    worker = base.worker(engine, settings.places)
    lifecycle.at_stop(worker.close)
    await lifecycle.open("bus", base.bus)
    if isinstance(renderer, OnnxRenderer) and settings.model_check_s:
        lifecycle.background("models", follow_models(renderer.sessions, settings.model_check_s))
    await base.serve(worker, QUEUES, settings.places)
