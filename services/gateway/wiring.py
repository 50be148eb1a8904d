"""The parts of the gateway, put together by hand."""

from __future__ import annotations

from libs.common.bus.bus import Bus
from libs.common.bus.connect import connect
from libs.common.contracts import flow
from libs.common.contracts.batch import BatchProgressed
from libs.common.contracts.branding import BrandsChanged
from libs.common.contracts.erasure import TenantForgotten
from libs.common.contracts.tenants import ApiKeysChanged
from libs.common.contracts.tokens import GetTokenKeys, TokenKeysChanged
from libs.common.db import Database
from libs.common.erasure import forgetter, subscribe_erasure
from libs.common.lifecycle import Lifecycle
from libs.common.objects import Objects
from libs.common.outbox import Relay
from services.gateway.app import create_app
from services.gateway.auth.access import Access
from services.gateway.auth.keyring import KeyRing, StoredKeys
from services.gateway.auth.projection import AccessWatch, access_handler, keys_handler
from services.gateway.auth.standing import Standing
from services.gateway.auth.token_keys import TokenKeyBook
from services.gateway.auth.tokens import TokenCheck
from services.gateway.batches import Batches
from services.gateway.branding.book import BrandBook
from services.gateway.branding.pictures import Pictures
from services.gateway.branding.projection import BrandWatch, brands_handler
from services.gateway.erasure import answers_about, telling_replicas
from services.gateway.gateway import Gateway
from services.gateway.idempotency import Idempotency
from services.gateway.middleware.metrics import GatewayMetrics
from services.gateway.plans import Plans, plans_handler
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
    await follow(gateway, lifecycle)
    await _follow_brands(gateway, lifecycle)
    await bus.listen(TenantForgotten, forgetter([gateway.keys.forget]))
    also = (answers_about(database), telling_replicas(bus))
    await subscribe_erasure(bus, database, flow.GATEWAY_ERASURES, also=also)
    await _serve(gateway, lifecycle)


def assemble(
    settings: GatewaySettings,
    database: Database,
    bus: Bus,
    objects: Objects,
    metrics: GatewayMetrics | None = None,
) -> Gateway:
    """The parts over given connections."""
    keys, standing = KeyRing(StoredKeys(database)), Standing()
    token_keys = TokenKeyBook(lambda: bus.request(GetTokenKeys()))
    strangers = TokenBuckets(settings.address_rate_per_s, settings.address_burst, name="address")
    return Gateway(
        settings=settings,
        database=database,
        bus=bus,
        objects=objects,
        keys=keys,
        token_keys=token_keys,
        standing=standing,
        access=Access(keys, TokenCheck(token_keys), standing, strangers),
        hub=Hub(),
        batches=Batches(bus, database),
        sealer=Sealer(bus),
        idempotency=Idempotency(database),
        buckets=TokenBuckets(settings.rate_per_s, settings.burst),
        strangers=strangers,
        metrics=metrics or GatewayMetrics(),
        plans=Plans(database),
        brands=BrandBook(settings.base_domain, settings.public_url),
        brand_pictures=Pictures(objects),
    )


async def follow(gateway: Gateway, lifecycle: Lifecycle) -> None:
    """Hear of access and of progress; what was revoked is known before the first request."""
    watch = AccessWatch(gateway.database, gateway.keys, gateway.standing)
    await gateway.bus.listen(ApiKeysChanged, watch.changed)
    await gateway.bus.listen(TokenKeysChanged, gateway.token_keys.changed)
    await gateway.bus.listen(BatchProgressed, gateway.hub.heard)
    await gateway.bus.subscribe(flow.API_KEYS, keys_handler(gateway.database, gateway.bus))
    await gateway.bus.subscribe(flow.ACCESS, access_handler(gateway.database, gateway.bus))
    await gateway.bus.subscribe(flow.GATEWAY_PLANS, plans_handler(gateway.database))
    await watch.read()
    lifecycle.background("access", watch.run())
    lifecycle.background("revocations sweep", watch.sweep())
    lifecycle.background("token keys", gateway.token_keys.run())
    lifecycle.background("key use", gateway.access.key_use.run(gateway.database))


async def _follow_brands(gateway: Gateway, lifecycle: Lifecycle) -> None:
    watch = BrandWatch(gateway.database, gateway.brands)
    await gateway.bus.listen(BrandsChanged, watch.changed)
    await gateway.bus.subscribe(flow.BRANDS, brands_handler(gateway.database, gateway.bus))
    await watch.read()
    lifecycle.background("brands", watch.run())


async def _serve(gateway: Gateway, lifecycle: Lifecycle) -> None:
    server = HttpServer(create_app(gateway), gateway.settings, draining=gateway.hub.close)
    serving = lifecycle.background("http", server.run())
    lifecycle.at_stop(lambda: server.drain(serving))
    lifecycle.pings["http"] = server.ping
    await server.started()
