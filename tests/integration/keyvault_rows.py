"""Credentials put into the vault's tables as they are, and what the tables say of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from libs.common.contracts.credentials import CredentialObserved, ObservedBy
from libs.common.contracts.envelope import Envelope
from libs.common.contracts.ids import CredentialId, ProbeId, TenantId
from libs.common.contracts.message import MESSAGES, Message
from libs.common.contracts.providers import Fault, FaultCode, ProviderName
from libs.common.db import Database, Row
from services.keyvault.encrypt import Kept

NO_SECRET = Kept(ciphertext="vault:v1:none", key_version=1, last_four="last", fingerprint="print")
REVOKED = Fault(code=FaultCode.REVOKED, detail="the endpoint refused the key")


async def fetch(database: Database, query: str, *args: Any) -> list[Row]:
    """Rows of any tenant."""
    async with database.platform("look") as tx:
        return await tx.fetch(query, *args)


async def put_credential(
    database: Database,
    tenant: TenantId,
    *,
    provider: ProviderName = ProviderName.OPEN_INFERENCE,
    credential_id: CredentialId | None = None,
    kept: Kept = NO_SECRET,
    health: str = "healthy",
    **columns: Any,
) -> CredentialId:
    """A credential with one secret; `columns` of its row that are to be otherwise."""
    credential_id = credential_id or CredentialId.new()
    await fetch(
        database,
        "insert into credentials (tenant_id, id, provider, label, health, next_probe_at) "
        "values ($1, $2, $3, 'ours', $4, now())",
        tenant,
        credential_id,
        provider.value,
        health,
    )
    await put_secret(database, tenant, credential_id, 1, "current", kept)
    for column, value in columns.items():
        await fetch(database, f"update credentials set {column} = $2 where id = $1", credential_id, value)
    return credential_id


async def put_secret(
    database: Database,
    tenant: TenantId,
    credential_id: CredentialId,
    version: int,
    status: str,
    kept: Kept = NO_SECRET,
    until: datetime | None = None,
) -> None:
    """A version of its secret."""
    await fetch(
        database,
        "insert into secrets (tenant_id, credential_id, version, status, ciphertext, key_version, last_four, "
        "fingerprint, until) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        tenant,
        credential_id,
        version,
        status,
        kept.ciphertext,
        kept.key_version,
        kept.last_four,
        kept.fingerprint,
        until,
    )


async def row_of(database: Database, credential_id: CredentialId) -> Row:
    """The credential's row."""
    [row] = await fetch(database, "select * from credentials where id = $1", credential_id)
    return row


async def told(database: Database, credential_id: CredentialId) -> list[Message]:
    """What is in the outbox about it, in order."""
    rows = await fetch(database, "select headers, data from outbox order by id")
    return [
        MESSAGES[row["headers"]["type"]].model_validate_json(row["data"])
        for row in rows
        if row["headers"].get("subject") == credential_id
    ]


async def audited(database: Database, subject: str) -> list[Row]:
    """Its audit rows, in order."""
    return await fetch(database, "select * from audit where subject = $1 order by id", subject)


def observation(
    credential_id: CredentialId,
    fault: Fault | None = None,
    *,
    version: int = 1,
    by: ObservedBy = ObservedBy.PROBE,
    probe_id: ProbeId | None = None,
    ago_s: float = 0,
) -> CredentialObserved:
    """What a worker says that it saw."""
    return CredentialObserved(
        credential_id=credential_id,
        version=version,
        by=by,
        probe_id=probe_id,
        fault=fault,
        observed_at=datetime.now(UTC) - timedelta(seconds=ago_s),
    )


def envelope(message: Message, tenant: TenantId) -> Envelope:
    """As it travels from a worker."""
    return Envelope.of(message, source="inference", tenant=tenant)
