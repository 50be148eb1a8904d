"""The bus edge of quotas."""

from __future__ import annotations

from libs.common.bus.bus import Bus
from libs.common.bus.responders import for_tenant
from libs.common.contracts.quotas import Admit, GetMargins, GetQuotaUse, ListTenantUsage
from libs.common.db import Database
from libs.common.objects import Objects
from services.batch.quotas.admission import Admissions
from services.batch.quotas.margins import MarginReports


async def attach_quotas(bus: Bus, database: Database, objects: Objects) -> None:
    """Respond to what `flow.py` gives this service of quotas and margins."""
    admissions, reports = Admissions(database, objects), MarginReports(database)
    await bus.respond(Admit, for_tenant(admissions.admit))
    await bus.respond(GetQuotaUse, for_tenant(admissions.use))
    await bus.respond(ListTenantUsage, reports.list_usage)
    await bus.respond(GetMargins, reports.margins)
