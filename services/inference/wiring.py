"""The parts of the inference service, put together by hand for the role that is asked for."""

from __future__ import annotations

import asyncio

from libs.common.contracts import flow
from libs.common.contracts.erasure import TenantForgotten
from libs.common.contracts.inference import WorkerRole
from libs.common.erasure import forgetter
from libs.common.lifecycle import Lifecycle
from services.inference.base import Base
from services.inference.custom import handlers as custom_models
from services.inference.custom.cache import CustomModelCache
from services.inference.custom.strays import ModelStrays
from services.inference.human_models.checking import Checking
from services.inference.human_models.examine import Examiner
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
    custom = CustomModelCache(base.database, base.objects, settings.custom_models, settings.model)
    engine = LocalEngine(
        renderer,
        factory,
        places=settings.places,
        image_timeout_s=settings.image_timeout_s,
        custom=custom,
    )
    worker = base.worker(engine, settings.places)
    lifecycle.at_stop(worker.close)
    await lifecycle.open("bus", base.bus)
    if isinstance(renderer, OnnxRenderer) and settings.model_check_s:
        lifecycle.background("models", follow_models(renderer.sessions, settings.model_check_s))
    if isinstance(renderer, OnnxRenderer):
        await _serve_human_models(base, lifecycle, renderer, factory, settings.image_timeout_s)
    await base.serve(worker, QUEUES, settings.places)
    lifecycle.background("custom models sweep", custom.sweep())
    lifecycle.background("custom model strays", ModelStrays(base.database, base.objects).run())
    await base.bus.listen(TenantForgotten, forgetter([custom.forget]))
    await custom_models.attach(base.bus, base.database, base.objects)


async def _serve_human_models(
    base: Base, lifecycle: Lifecycle, renderer: OnnxRenderer, factory: RendererFactory, timeout_s: float
) -> None:
    """Look at new human models on the same model that renders, and forget those that are deleted."""
    base.persons.also.append(renderer.forget_person)
    examiner = Examiner(renderer, factory, image_timeout_s=timeout_s)
    lifecycle.at_stop(examiner.close)
    checking = Checking(base.database, base.objects, examiner)
    await base.bus.subscribe(flow.HUMAN_MODEL_CHECKS, checking.handle)
