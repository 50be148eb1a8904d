"""Ending what is open: sessions, and the tokens that were issued under them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from libs.common.contracts.ids import SessionId, TenantId, UserId
from libs.common.contracts.tokens import AccessRevoked
from libs.common.db import Transaction
from services.tenants.people.store import sql

LONGEST_TOKEN = timedelta(minutes=20)
"""Longer than any token of a session lives (15 minutes), so that a revocation outlasts them."""
LONGEST_INSIDE = timedelta(minutes=65)
"""The same of tokens by which the staff acts inside a tenant (60 minutes)."""
SETTLING = timedelta(seconds=2)
"""In which a token may still be signed for who somebody was: the news is on its way to the gateways."""


def tokens_end(tx: Transaction, subject: str, lifetime: timedelta = LONGEST_TOKEN) -> None:
    """Every token of the user or member of staff that was issued until now. lifetime: of the longest one."""
    before = datetime.now(UTC) + SETTLING
    tx.publish(AccessRevoked(subject=subject, before=before, until=before + lifetime))


def session_ends(tx: Transaction, session_id: str, lifetime: timedelta = LONGEST_TOKEN) -> None:
    """Every token of the session, also one that is still being signed: it is never open again."""
    until = datetime.now(UTC) + lifetime
    tx.publish(AccessRevoked(session_id=SessionId(session_id), before=until, until=until))


async def end_sessions(
    tx: Transaction,
    tenant: TenantId,
    user_id: UserId | str,
    *,
    only: SessionId | None = None,
    but: SessionId | None = None,
) -> int:
    """One of the user's sessions, all, or all but one; how many were open."""
    rows = await tx.fetch(sql.end_sessions, tenant, user_id, only, but)
    for row in rows:
        session_ends(tx, row["id"])
    return len(rows)
