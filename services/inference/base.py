"""What both roles of the service have: a name, the servers, the outbox and the heartbeat."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence

from libs.common.bus.bus import Bus
from libs.common.bus.connect import connect
from libs.common.contracts import flow
from libs.common.contracts.erasure import ExportInference
from libs.common.contracts.flow import Queue
from libs.common.contracts.human_models import HumanModelDeleted
from libs.common.db import Database
from libs.common.erasure import subscribe_erasure
from libs.common.export import rows_responder
from libs.common.lifecycle import Lifecycle
from libs.common.objects import Objects
from libs.common.outbox import Relay
from services.inference.chunks import Chunks
from services.inference.engine import Engine
from services.inference.heartbeat import beat
from services.inference.human_models.persons import Persons
from services.inference.photos import Photos
from services.inference.settings import InferenceSettings
from services.inference.worker import Worker


class Base:
    """The bus is not started yet: a worker that closes after it has to be there first."""

    def __init__(self, settings: InferenceSettings, lifecycle: Lifecycle) -> None:
        self.name = f"{socket.gethostname()}-{os.getpid()}"
        self.database = Database.of(settings, "inference")
        self.bus: Bus = connect(settings.bus_url, "inference")
        self.objects = Objects(settings.objects_url)
        self.persons = Persons(self.objects)
        self._lifecycle = lifecycle
        self._role = settings.role

    @classmethod
    async def open(cls, settings: InferenceSettings, lifecycle: Lifecycle) -> Base:
        """With the database started."""
        base = cls(settings, lifecycle)
        await lifecycle.open("database", base.database)
        lifecycle.pings["objects"] = base.objects.ping
        return base

    def worker(self, engine: Engine, places: int) -> Worker:
        """One that renders so many images at a time."""
        chunks = Chunks(self.database, Photos(self.objects), places=places, persons=self.persons)
        return Worker(self.name, self.database, chunks, engine)

    async def serve(self, worker: Worker, queues: Sequence[Queue], places: int) -> None:
        """Relay the outbox, show that the worker is there, and take its queues."""
        relay = Relay(self.database, self.bus)
        self._lifecycle.background("outbox", relay.run())
        self._lifecycle.background("inbox sweep", relay.sweep_inbox())
        self._lifecycle.background("heartbeat", beat(self.bus, self.name, places, self._role))
        await self.bus.listen(HumanModelDeleted, self.persons.forget)
        for queue in queues:
            await self.bus.subscribe(queue, worker.handler(queue))
        await self.bus.respond(ExportInference, rows_responder(self.database))
        await subscribe_erasure(self.bus, self.database, flow.INFERENCE_ERASURES)
