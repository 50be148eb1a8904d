"""The bus edge of erasing tenants."""

from __future__ import annotations

from libs.common.bus.bus import Bus, Delivery
from libs.common.bus.responders import for_tenant
from libs.common.contracts import flow
from libs.common.contracts.erasure import Erasure, ExportTenants, GetErasure, RequestErasure
from libs.common.db import Database
from libs.common.export import rows_responder
from services.tenants.erasure.service import ErasureService


async def attach(bus: Bus, database: Database) -> None:
    """Respond and subscribe to what `flow.py` gives this service of erasing and of taking everything out."""
    service = ErasureService(database)

    async def get(delivery: Delivery) -> Erasure:
        assert isinstance(delivery.message, GetErasure)
        return await service.get(delivery.message)

    await bus.respond(RequestErasure, for_tenant(service.request))
    await bus.respond(GetErasure, get)
    await bus.respond(ExportTenants, rows_responder(database))
    await bus.subscribe(flow.ERASED, service.reported)
