"""The parts of the inference service, put together by hand."""

from __future__ import annotations

import asyncio
import os
import socket

from libs.common.bus.connect import connect
from libs.common.contracts import flow
from libs.common.db import Database
from libs.common.lifecycle import Lifecycle
from libs.common.objects import Objects
from libs.common.outbox import Relay
from services.inference.heartbeat import beat
from services.inference.isolation import Isolation
from services.inference.photos import Photos
from services.inference.renderer import OnnxRenderer, OnnxRendererFactory, RendererFactory, follow_models
from services.inference.settings import InferenceSettings
from services.inference.worker import Worker


async def wire(
    settings: InferenceSettings, lifecycle: Lifecycle, factory: RendererFactory | None = None
) -> None:
    """Start everything; the model is warm before the first message comes."""
    factory = factory or OnnxRendererFactory.of(settings)
    renderer = await asyncio.to_thread(factory)
    database = await lifecycle.open("database", Database.of(settings, "inference"))
    objects = Objects(settings.objects_url)
    lifecycle.pings["objects"] = objects.ping
    bus = connect(settings.bus_url, "inference")
    name = f"{socket.gethostname()}-{os.getpid()}"
    isolation = Isolation(factory, timeout_s=settings.image_timeout_s)
    worker = Worker(name, database, Photos(objects), renderer, isolation, places=settings.places)
    lifecycle.at_stop(worker.close)
    await lifecycle.open("bus", bus)

    relay = Relay(database, bus)
    lifecycle.background("outbox", relay.run())
    lifecycle.background("inbox sweep", relay.sweep_inbox())
    if isinstance(renderer, OnnxRenderer) and settings.model_check_s:
        lifecycle.background("models", follow_models(renderer.sessions, settings.model_check_s))
    lifecycle.background("heartbeat", beat(bus, name, settings.places))
    for queue in (flow.RENDERS_NOW, flow.RENDERS):
        await bus.subscribe(queue, worker.handler(queue))
