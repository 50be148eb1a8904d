"""The bus edge of the webhooks service: messages to use cases."""

from __future__ import annotations

from typing import Any

from libs.common.bus.bus import Bus, Delivery, Handler
from libs.common.bus.responders import UseCase, for_tenant
from libs.common.contracts import flow
from libs.common.contracts.message import Query
from libs.common.contracts.webhooks import (
    CreateEndpoint,
    DeleteEndpoint,
    GetEndpoint,
    ListDeliveries,
    ListEndpointHealth,
    ListEndpoints,
    Redeliver,
    RotateSecret,
    TestEndpoint,
)
from libs.common.db import Database
from libs.common.errors import Permanent
from services.webhooks.overview import Overview
from services.webhooks.service import WebhooksService


async def attach(bus: Bus, database: Database, service: WebhooksService) -> None:
    """Respond and subscribe to everything that `flow.py` gives this service."""
    for query, use_case in _use_cases(service).items():
        await bus.respond(query, for_tenant(use_case))
    await bus.respond(ListEndpointHealth, Overview(database).respond)
    await bus.subscribe(flow.NOTIFICATIONS, _notifier(database, service))


def _notifier(database: Database, service: WebhooksService) -> Handler:
    """Without an inbox: an endpoint is told of each source once by a unique key, and a message that nobody
    asked to be told of costs no write.
    """

    async def handle(delivery: Delivery) -> None:
        tenant = delivery.envelope.tenant_id
        if tenant is None:
            raise Permanent("the message names no tenant")
        async with database.tenant(tenant) as tx:
            await service.notify(delivery.message, tx)

    return handle


def _use_cases(service: WebhooksService) -> dict[type[Query[Any]], UseCase]:
    return {
        CreateEndpoint: service.create,
        ListEndpoints: service.list_all,
        GetEndpoint: service.get,
        DeleteEndpoint: service.delete,
        RotateSecret: service.rotate,
        TestEndpoint: service.test,
        ListDeliveries: service.list_deliveries,
        Redeliver: service.redeliver,
    }
