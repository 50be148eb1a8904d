"""Rows of erasures, and what they look like to the outside."""

from __future__ import annotations

from libs.common.contracts.erasure import Erasure
from libs.common.db import Queries, Row
from services.tenants.erasure.rules import Progress

sql = Queries(__package__)
OWN = "tenants"


def erasure(row: Row) -> Erasure:
    """While all others are done and this service is not, it is itself what is waited for."""
    done = row["completed_at"] is not None
    return Erasure(
        id=row["id"],
        tenant_sha256=row["tenant_sha256"],
        requested_at=row["requested_at"],
        waiting_for=() if done else (*row["waiting_for"], OWN),
        completed_at=row["completed_at"],
        statement=row["statement"],
        signature=row["signature"],
        public_key=row["public_key"],
    )


def progress(row: Row) -> Progress:
    return Progress(
        round=row["round"],
        round_began_at=row["round_began_at"],
        announced_at=row["announced_at"],
        announcements=row["announcements"],
        waiting_for=row["waiting_for"],
    )
