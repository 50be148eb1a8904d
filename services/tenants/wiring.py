"""The parts of the tenants service, put together by hand."""

from __future__ import annotations

from libs.common.bus.connect import connect
from libs.common.db import Database
from libs.common.lifecycle import Lifecycle
from libs.common.outbox import Relay
from services.tenants.handlers import attach
from services.tenants.service import TenantsService
from services.tenants.settings import TenantsSettings


async def wire(settings: TenantsSettings, lifecycle: Lifecycle) -> None:
    """Start everything. It consumes no facts, so there is no inbox to sweep."""
    database = await lifecycle.open("database", Database.of(settings, "tenants"))
    bus = await lifecycle.open("bus", connect(settings.bus_url, "tenants"))
    lifecycle.background("outbox", Relay(database, bus).run())
    await attach(bus, TenantsService(database))
