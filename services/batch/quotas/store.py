"""Rows that say how much of a plan is taken."""

from __future__ import annotations

import zlib
from datetime import UTC, datetime, time

from libs.common.contracts.ids import BatchId, TenantId
from libs.common.contracts.tenants import Plan
from libs.common.db import Queries, Transaction
from services.batch import accounts
from services.batch.quotas.rules import Taken
from services.batch.routing import month_of
from services.batch.store import routes

sql = Queries(__package__)
_SLOTS = 16


async def bought(tx: Transaction, tenant: TenantId) -> Plan:
    """The tenant's plan as it is now."""
    return accounts.plan(await tx.fetchrow(routes.get_routing, tenant))


async def turn(tx: Transaction, tenant: TenantId) -> datetime:
    """Wait for this tenant's turn, which lasts until the transaction ends; the moment of it."""
    row = await tx.fetchrow(sql.lock_quotas, tenant)
    assert row is not None
    now: datetime = row["now"]
    return now


async def taken(tx: Transaction, tenant: TenantId, now: datetime, *, besides: BatchId | None = None) -> Taken:
    """What is taken at this moment, one batch left out."""
    day = datetime.combine(now.astimezone(UTC).date(), time(), UTC)
    row = await tx.fetchrow(sql.taken, tenant, month_of(now), day, besides)
    assert row is not None
    return Taken(**row)


async def count_charged(tx: Transaction, tenant: TenantId, batch_id: BatchId, images: int) -> None:
    """Put images that were charged in this transaction on the month's count."""
    if images:
        await tx.execute(sql.count_charged, tenant, slot(batch_id), images)


def slot(batch_id: BatchId) -> int:
    """Which of the month's counters a batch uses."""
    return zlib.crc32(batch_id.encode()) % _SLOTS
