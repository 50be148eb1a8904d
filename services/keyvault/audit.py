"""The audit: one row for everything that happens to a credential or a key; it grows and never changes."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from libs.common.audit.record import record as tell
from libs.common.contracts.credentials import AuditPage, AuditRow, Credential, ListAudit
from libs.common.contracts.ids import TenantId
from libs.common.db import Database, Row, Transaction
from libs.common.errors import Invalid
from services.keyvault.store import sql


class Actor(StrEnum):
    """Who did it: the tenant over the API, the platform's people, or the service by itself."""

    API = "api"
    OPERATOR = "operator"
    KEYVAULT = "keyvault"


async def record(
    tx: Transaction,
    tenant: TenantId,
    action: str,
    subject: str,
    actor: str,
    detail: Mapping[str, str] | None = None,
) -> None:
    """`action` is such as "credential.created"; `subject` an id. Nothing secret may stand in `detail`.

    The tenant's own audit log is told as well, in the same transaction.
    """
    await tx.execute(sql.insert_audit, tenant, action, subject, actor, dict(detail or {}))
    told: dict[str, Any] = dict(detail or {})
    tell(tx, action, subject, **told)


async def of_credential(
    tx: Transaction,
    tenant: TenantId,
    what: str,
    credential: Credential,
    actor: Actor,
    detail: Mapping[str, str] | None = None,
) -> None:
    """That a credential was `what` ("created"), with what tells its secret from others."""
    told = {
        "provider": credential.provider.value,
        "version": str(credential.version),
        "last_four": credential.last_four,
        "fingerprint": credential.fingerprint,
    }
    await record(tx, tenant, f"credential.{what}", credential.id, actor, told | dict(detail or {}))


class Trail:
    """Reading the audit."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, query: ListAudit, tenant: TenantId) -> AuditPage:
        """Newest first. Invalid for a cursor that is none of ours."""
        if query.cursor is not None and not query.cursor.isdecimal():
            raise Invalid("the cursor is not one that a page came with", field="cursor")
        before = int(query.cursor) if query.cursor is not None else None
        async with self._database.tenant(tenant) as tx:
            rows = await tx.fetch(sql.list_audit, tenant, before, query.limit + 1)
        shown = rows[: query.limit]
        more = len(rows) > query.limit
        return AuditPage(items=tuple(map(_shown, shown)), next_cursor=str(shown[-1]["id"]) if more else None)


def _shown(row: Row) -> AuditRow:
    return AuditRow(**{name: row[name] for name in AuditRow.model_fields})
