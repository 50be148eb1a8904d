"""The parts of the gateway, put together by hand."""

from __future__ import annotations

from libs.common.bus.bus import Bus
from libs.common.bus.connect import connect
from libs.common.contracts import flow
from libs.common.contracts.batch import BatchProgressed
from libs.common.contracts.tenants import ApiKeysChanged
from libs.common.db import Database
from libs.common.lifecycle import Lifecycle
from libs.common.objects import Objects
from libs.common.outbox import Relay
from services.gateway.app import create_app
from services.gateway.auth.keyring import KeyRing
from services.gateway.auth.projection import KeyWatch, keys_handler
from services.gateway.batches import Batches
from services.gateway.gateway import Gateway
from services.gateway.idempotency import Idempotency
from services.gateway.middleware.metrics import GatewayMetrics
from services.gateway.progress import Hub
from services.gateway.rate_limit import TokenBuckets
from services.gateway.sealing import Sealer
from services.gateway.server import HttpServer
from services.gateway.settings import GatewaySettings
from services.gateway.store import sweep_submissions


async def wire(settings: GatewaySettings, lifecycle: Lifecycle) -> None:
    """Start everything; the public port last, so that it closes first."""
    database = await lifecycle.open("database", Database.of(settings, "gateway"))
    objects = Objects(settings.objects_url)
    lifecycle.pings["objects"] = objects.ping
    bus = await lifecycle.open("bus", connect(settings.bus_url, "gateway"))
    gateway = assemble(settings, database, bus, objects)
    relay = Relay(database, bus)
    lifecycle.background("outbox", relay.run())
    lifecycle.background("inbox sweep", relay.sweep_inbox())
    lifecycle.background("idempotency sweep", gateway.idempotency.sweep())
    lifecycle.background("submissions sweep", sweep_submissions(database))
    await _follow(gateway, lifecycle)
    await _serve(gateway, lifecycle)


def assemble(
    settings: GatewaySettings,
    database: Database,
    bus: Bus,
    objects: Objects,
    metrics: GatewayMetrics | None = None,
) -> Gateway:
    """The parts over given connections."""
    return Gateway(
        settings=settings,
        database=database,
        bus=bus,
        objects=objects,
        keys=KeyRing(),
        hub=Hub(),
        batches=Batches(bus, database),
        sealer=Sealer(bus),
        idempotency=Idempotency(database),
        buckets=TokenBuckets(settings.rate_per_s, settings.burst),
        metrics=metrics or GatewayMetrics(),
    )


async def _follow(gateway: Gateway, lifecycle: Lifecycle) -> None:
    """Hear of keys and of progress; all keys are known before the first request."""
    watch = KeyWatch(gateway.database, gateway.keys)
    await gateway.bus.listen(ApiKeysChanged, watch.changed)
    await gateway.bus.listen(BatchProgressed, gateway.hub.heard)
    await gateway.bus.subscribe(flow.API_KEYS, keys_handler(gateway.database, gateway.bus))
    await watch.read()
    lifecycle.background("api keys", watch.run())


async def _serve(gateway: Gateway, lifecycle: Lifecycle) -> None:
    server = HttpServer(create_app(gateway), gateway.settings, draining=gateway.hub.close)
    serving = lifecycle.background("http", server.run())
    lifecycle.at_stop(lambda: server.drain(serving))
    lifecycle.pings["http"] = server.ping
    await server.started()
