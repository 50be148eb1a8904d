"""The parts of the batch service, put together by hand."""

from __future__ import annotations

from datetime import timedelta

from libs.common.bus.connect import connect
from libs.common.contracts import flow
from libs.common.contracts.erasure import ExportBatch
from libs.common.db import Database
from libs.common.erasure import subscribe_erasure
from libs.common.export import rows_responder
from libs.common.lifecycle import Lifecycle
from libs.common.objects import Objects
from libs.common.outbox import Relay
from services.batch.collector import Collector
from services.batch.dispatcher import Dispatcher
from services.batch.erase import objects_of
from services.batch.flights import Flights
from services.batch.handlers import attach
from services.batch.human_models.handlers import attach_human_models
from services.batch.progress import Progress
from services.batch.quotas.handlers import attach_quotas
from services.batch.retention import Retention
from services.batch.routing_handlers import attach_routing
from services.batch.service import BatchService
from services.batch.settings import BatchSettings
from services.batch.splitter import Splitter
from services.batch.window import Window


async def wire(settings: BatchSettings, lifecycle: Lifecycle) -> None:
    """Start everything; the loops before the subscriptions, so that what comes in finds them running."""
    database = await lifecycle.open("database", Database.of(settings, "batch"))
    objects = Objects(settings.objects_url)
    lifecycle.pings["objects"] = objects.ping
    bus = await lifecycle.open("bus", connect(settings.bus_url, "batch"))

    progress = Progress(bus)
    local = Window(queued_s=settings.queued_s, chunk=settings.chunk)
    remote = Window(queued_s=settings.remote_queued_s, chunk=settings.remote_chunk, image_s=1.0)
    flights = Flights(local, remote)
    dispatcher = Dispatcher(database, flights, progress, render_timeout_s=settings.render_timeout_s)
    splitter = Splitter(database, objects, progress, dispatcher.wake, workers=settings.splitters)
    collector = Collector(progress, dispatcher.wake, flights.image_took)
    service = BatchService(database, progress, split=splitter.wake, dispatch=dispatcher.wake)

    relay = Relay(database, bus)
    lifecycle.background("outbox", relay.run())
    lifecycle.background("inbox sweep", relay.sweep_inbox())
    lifecycle.background("progress", progress.run())
    lifecycle.background("dispatcher", dispatcher.run())
    lifecycle.background("watch", dispatcher.watch())
    lifecycle.background("splitter", splitter.run())
    retention = Retention(database, objects, stray_after=timedelta(hours=settings.stray_after_h))
    lifecycle.background("retention", retention.run())
    await attach(bus, database, service, collector, dispatcher)
    await attach_routing(bus, database, objects, dispatcher)
    await attach_quotas(bus, database, objects)
    await attach_human_models(bus, database, objects)
    await bus.respond(ExportBatch, rows_responder(database))
    await subscribe_erasure(bus, database, flow.BATCH_ERASURES, also=[objects_of(objects)])
