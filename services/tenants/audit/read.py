"""Looking into the audit log, and checking that nobody tampered with it."""

from __future__ import annotations

import json
from typing import Any

from libs.common.audit.chain import ChainCheck
from libs.common.contracts.audit import AuditEntry, AuditPage, ChainState, ListAuditLog, VerifyAuditLog
from libs.common.contracts.ids import TenantId
from libs.common.db import Database, Row
from libs.common.errors import Invalid
from services.tenants.audit.log import Chain


class AuditReader:
    """The queries; the tenant None is the platform's own log."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, query: ListAuditLog, tenant: TenantId | None) -> AuditPage:
        """Invalid for a cursor that is none of ours."""
        if query.cursor is not None and not (query.cursor.isdecimal() and len(query.cursor) < 19):
            raise Invalid("the cursor is not one that a page came with", field="cursor")
        chain = Chain(self._database, tenant)
        async with chain.transaction("read the audit log") as tx:
            found = await chain.page(
                tx,
                oldest_first=query.oldest_first,
                filters=(query.action, query.actor_id, query.since, query.until),
                after=int(query.cursor) if query.cursor else None,
                limit=query.limit + 1,
            )
        shown = found[: query.limit]
        more = str(shown[-1]["sequence"]) if len(found) > query.limit else None
        return AuditPage(items=tuple(map(AuditEntry.model_validate, shown)), next_cursor=more)

    async def verify(self, _: VerifyAuditLog, tenant: TenantId | None) -> ChainState:
        """Follow the whole chain. Both the hashed text and what the table shows beside it have to fit."""
        chain, check = Chain(self._database, tenant), ChainCheck()
        async with chain.transaction("verify the audit log") as tx:
            # Before the entries: one that is appended meanwhile would else look like a surplus.
            head = await chain.head(tx)
            async for rows in chain.links(tx, head.sequence if head else 0):
                if not check.follow(map(_as_it_stands, rows)):
                    break
        return check.state((head.sequence, head.hash) if head else None)


def _as_it_stands(row: Row) -> dict[str, Any]:
    """The entry, with what the table's own columns say where they differ from it."""
    shown: dict[str, Any] = {"sequence": row["sequence"], "hash": row["hash"]}
    try:
        entry: dict[str, Any] = json.loads(row["body"]) | shown
        at = AuditEntry.model_validate(entry).at
    except ValueError:
        return shown
    return entry if at == row["at"] else entry | {"at": row["at"].isoformat()}
