"""The parts of the webhooks service, put together by hand."""

from __future__ import annotations

from libs.common.bus.connect import connect
from libs.common.contracts import flow
from libs.common.contracts.erasure import ExportWebhooks
from libs.common.db import Database
from libs.common.erasure import subscribe_erasure
from libs.common.export import rows_responder
from libs.common.lifecycle import Lifecycle
from libs.common.outbox import Relay
from services.webhooks.attempt import Sender
from services.webhooks.clock import utc_now
from services.webhooks.deliver import Deliverer
from services.webhooks.guard import Guard
from services.webhooks.handlers import attach
from services.webhooks.seal import Seal
from services.webhooks.service import WebhooksService
from services.webhooks.settings import WebhooksSettings
from services.webhooks.share import Bounds
from services.webhooks.sweep import sweep


async def wire(settings: WebhooksSettings, lifecycle: Lifecycle) -> None:
    """Start everything; the loop that delivers before the subscription that feeds it."""
    database = await lifecycle.open("database", Database.of(settings, "webhooks"))
    bus = await lifecycle.open("bus", connect(settings.bus_url, "webhooks"))

    seal = Seal(settings.secret_key)
    guard = Guard(allow_private=settings.allow_private, timeout_s=settings.timeout_s)
    lifecycle.at_stop(guard.close)
    session = guard.session()
    lifecycle.at_stop(session.close)
    deliverer = Deliverer(database, Sender(session, seal, utc_now), _bounds(settings))
    service = WebhooksService(database, guard, seal, api_url=settings.api_url, deliver=deliverer.wake)

    relay = Relay(database, bus)
    lifecycle.background("outbox", relay.run())
    lifecycle.background("inbox sweep", relay.sweep_inbox())
    lifecycle.background("delivery sweep", sweep(database, keep_days=settings.keep_days))
    lifecycle.background("deliverer", deliverer.run())
    await attach(bus, database, service)
    await bus.respond(ExportWebhooks, rows_responder(database))
    await subscribe_erasure(bus, database, flow.WEBHOOK_ERASURES)


def _bounds(settings: WebhooksSettings) -> Bounds:
    return Bounds(settings.concurrency, settings.tenant_concurrency, settings.endpoint_concurrency)
