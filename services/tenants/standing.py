"""How a tenant stands with the platform, and telling of it: also for erasing, which begins with it."""

from __future__ import annotations

from libs.common.audit.record import record
from libs.common.contracts.ids import TenantId
from libs.common.contracts.tenants import TenantStatus, TenantStatusChanged
from libs.common.db import Row, Transaction
from services.tenants import store
from services.tenants.store import sql

_ACTIONS = {
    TenantStatus.ACTIVE: "tenant.resumed",
    TenantStatus.SUSPENDED: "tenant.suspended",
    TenantStatus.ERASING: "tenant.erasing",
}


async def set_standing(
    tx: Transaction, tenant: TenantId, status: TenantStatus, reason: str | None = None
) -> Row:
    """The tenant's row as it is then; nothing is told if it stood so before, for the same reason.

    An erasure is never taken back. NoSuchTenant, TenantIsErasing (but for erasing it again).
    """
    row = await store.get(tx, tenant)
    if row["status"] == status == TenantStatus.ERASING:
        return row
    row = await store.lock(tx, tenant)
    if (row["status"], row["status_reason"]) == (status, reason):
        return row
    changed = await tx.fetchrow(sql.set_status, tenant, status, reason)
    assert changed is not None
    told = TenantStatusChanged(status=status, revision=changed["status_revision"])
    tx.publish(told, tenant=tenant)
    record(tx, _ACTIONS[status], tenant, tenant=tenant, reason=reason)
    return changed
