"""Facts of all services become entries of a chain, each once and in the order of their arrival."""

from __future__ import annotations

from libs.common.audit.chain import GENESIS, sealed
from libs.common.bus.bus import Delivery, Handler
from libs.common.contracts import flow
from libs.common.contracts.audit import ActionAudited, AuditEntry
from libs.common.contracts.ids import AuditId
from libs.common.db import Database
from services.tenants.audit.log import Chain, Head


def appender(database: Database) -> Handler:
    """Handler of the audit queue: a fact that comes twice is one entry."""

    async def handle(delivery: Delivery) -> None:
        chain = Chain(database, delivery.envelope.tenant_id)
        async with chain.transaction("append to the audit log") as tx:
            if not await tx.first_time(flow.AUDIT.name, delivery.envelope):
                return
            entry, body = sealed(_entry(delivery, await chain.lock(tx, GENESIS)))
            await chain.append(tx, entry.at, body, Head(entry.sequence, entry.hash))

    return handle


def _entry(delivery: Delivery, head: Head) -> AuditEntry:
    """The fact as the entry after `head`, without its hash."""
    told = delivery.message
    assert isinstance(told, ActionAudited)
    return AuditEntry(
        id=AuditId.new(),
        sequence=head.sequence + 1,
        at=told.at,
        action=told.action,
        actor=told.actor,
        target=told.target,
        detail=told.detail,
        source=delivery.envelope.source,
        previous=head.hash,
        hash="",
    )
