"""Rows of the keyvault schema, and what they look like to the outside."""

from __future__ import annotations

from libs.common.contracts.credentials import Credential, CredentialChanged, Health, HealthState
from libs.common.contracts.ids import CredentialId, TenantId
from libs.common.contracts.providers import FaultCode
from libs.common.db import Queries, Row, Transaction
from services.keyvault.advice import advice
from services.keyvault.errors import NoSuchCredential

sql = Queries(__package__)

_SAME = (
    *("id", "provider", "label", "enabled", "version", "revision", "last_four", "fingerprint", "settings"),
    *("priority", "monthly_cap", "regions", "models", "expires_at", "previous_until"),
    *("created_at", "updated_at"),
)


def credential(row: Row) -> Credential:
    """Of a row of `show_credentials`, which has the current secret's last four characters with it."""
    return Credential.model_validate(
        {name: row[name] for name in _SAME}
        | {"deleted": row["deleted_at"] is not None, "health": health(row)}
    )


def health(row: Row) -> Health:
    """Of a row of the table of credentials."""
    code = FaultCode(row["health_code"]) if row["health_code"] else None
    return Health(
        state=HealthState(row["health"]),
        since=row["health_since"],
        checked_at=row["checked_at"],
        code=code,
        detail=row["health_detail"],
        advice=advice(code),
    )


async def find(tx: Transaction, tenant: TenantId, credential_id: CredentialId) -> Row | None:
    """The credential as `credential` takes it, deleted or not; None if there never was one."""
    return await tx.fetchrow(sql.show_credentials, tenant, credential_id)


async def get(tx: Transaction, tenant: TenantId, credential_id: CredentialId) -> Row:
    """The same. NoSuchCredential if it was deleted or never was."""
    row = await find(tx, tenant, credential_id)
    if row is None or row["deleted_at"] is not None:
        raise NoSuchCredential
    return row


async def lock(tx: Transaction, tenant: TenantId, credential_id: CredentialId) -> Row:
    """The same, held until the transaction ends. NoSuchCredential."""
    await tx.execute(sql.lock_credential, tenant, credential_id)
    return await get(tx, tenant, credential_id)


async def changed(tx: Transaction, row: Row) -> Credential:
    """Count a change of the credential that `row` is of, and tell of it as it is now.

    Call it after the last change in the transaction; `row` needs `tenant_id` and `id` only.
    """
    tenant, credential_id = TenantId(row["tenant_id"]), CredentialId(row["id"])
    await tx.execute(sql.count_change, tenant, credential_id)
    now = await find(tx, tenant, credential_id)
    assert now is not None
    shown = credential(now)
    tx.publish(CredentialChanged(credential=shown), tenant=tenant, subject=credential_id)
    return shown
