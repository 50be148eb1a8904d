"""Rows of the staff, and what they look like to the outside."""

from __future__ import annotations

from libs.common.contracts.staff import Impersonation, Staff
from libs.common.db import Queries, Row, Transaction
from services.tenants.people.access import session_ends
from services.tenants.people.errors import NoSuchStaff

sql = Queries(__package__)


def staff(row: Row) -> Staff:
    """Without anything that opens a door."""
    shown = {name: row[name] for name in Staff.model_fields if name != "totp"}
    return Staff.model_validate({**shown, "totp": row["totp_active"]})


def impersonation(row: Row) -> Impersonation:
    shown = {name: row[name] for name in Impersonation.model_fields if name != "tenant"}
    return Impersonation.model_validate({**shown, "tenant": row["tenant_id"]})


async def get(tx: Transaction, staff_id: str) -> Row:
    """NoSuchStaff."""
    row = await tx.fetchrow(sql.get_staff, staff_id)
    if row is None:
        raise NoSuchStaff
    return row


async def end_sessions(tx: Transaction, staff_id: str, only: str | None = None) -> int:
    """One of a person's sessions, or all; how many were open."""
    rows = await tx.fetch(sql.end_sessions, staff_id, only)
    for row in rows:
        session_ends(tx, row["id"])
    return len(rows)
