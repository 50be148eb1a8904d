"""The platform's people inside a tenant: for a reason, for a time, and in that tenant's own audit log."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from libs.common.audit.record import record
from libs.common.contracts.ids import SessionId, TenantId
from libs.common.contracts.people import UserState
from libs.common.contracts.staff import (
    BeginImpersonation,
    EndImpersonation,
    Impersonation,
    ImpersonationList,
    ListImpersonations,
)
from libs.common.db import Database
from services.tenants.errors import NoSuchTenant
from services.tenants.people.access import LONGEST_INSIDE, session_ends
from services.tenants.people.acting import by_staff
from services.tenants.people.errors import NoSuchImpersonation, NoSuchStaff
from services.tenants.people.staff import store
from services.tenants.people.staff.store import sql


class Impersonations:
    """The use cases. The token is issued by the gateway, under the session that is opened here."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, query: BeginImpersonation, tenant: TenantId) -> Impersonation:
        """NoSuchTenant, NoSuchStaff."""
        async with self._database.platform("let staff into a tenant") as tx:
            person = await store.get(tx, query.staff_id)
        if person["state"] != UserState.ACTIVE:
            raise NoSuchStaff
        until = datetime.now(UTC) + timedelta(minutes=query.minutes)
        values = (SessionId.new(), query.staff_id, query.reason, query.role, until)
        async with self._database.tenant(tenant) as tx:
            row = await tx.fetchrow(sql.insert_impersonation, tenant, *values)
            if row is None:
                raise NoSuchTenant
            record(
                tx,
                "impersonation.began",
                row["session_id"],
                actor=by_staff(query.staff_id),
                reason=query.reason,
                role=query.role,
                minutes=query.minutes,
            )
        return store.impersonation(row)

    async def list(self, _: ListImpersonations, tenant: TenantId) -> ImpersonationList:
        async with self._database.tenant(tenant) as tx:
            rows = await tx.fetch(sql.list_impersonations, tenant)
        return ImpersonationList(items=tuple(map(store.impersonation, rows)))

    async def end(self, query: EndImpersonation, tenant: TenantId) -> Impersonation:
        """Ending it twice is fine. NoSuchImpersonation."""
        async with self._database.tenant(tenant) as tx:
            row = await tx.fetchrow(sql.end_impersonation, tenant, query.session_id)
            if row is None:
                row = await tx.fetchrow(sql.get_impersonation, tenant, query.session_id)
                if row is None:
                    raise NoSuchImpersonation
                return store.impersonation(row)
            session_ends(tx, query.session_id, LONGEST_INSIDE)
            record(tx, "impersonation.ended", query.session_id, reason=row["reason"])
        return store.impersonation(row)
