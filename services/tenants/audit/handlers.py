"""The bus edge of the audit log."""

from __future__ import annotations

from libs.common.bus.bus import Bus, Delivery
from libs.common.contracts import flow
from libs.common.contracts.audit import AuditPage, ChainState, ListAuditLog, VerifyAuditLog
from libs.common.db import Database
from services.tenants.audit.append import appender
from services.tenants.audit.read import AuditReader


async def attach(bus: Bus, database: Database) -> None:
    """Take in what all services tell, and answer who asks; without a tenant it is the platform's own log."""
    reader = AuditReader(database)

    async def page(delivery: Delivery) -> AuditPage:
        assert isinstance(delivery.message, ListAuditLog)
        return await reader.page(delivery.message, delivery.envelope.tenant_id)

    async def verify(delivery: Delivery) -> ChainState:
        assert isinstance(delivery.message, VerifyAuditLog)
        return await reader.verify(delivery.message, delivery.envelope.tenant_id)

    await bus.subscribe(flow.AUDIT, appender(database))
    await bus.respond(ListAuditLog, page)
    await bus.respond(VerifyAuditLog, verify)
