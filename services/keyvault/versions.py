"""The secrets of a credential, one row a version, and the key that their ciphertexts are under."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from libs.common.contracts.ids import CredentialId, TenantId
from libs.common.db import Row, Transaction
from services.keyvault.encrypt import Kept
from services.keyvault.errors import KeyMoved
from services.keyvault.store import sql


class Status(StrEnum):
    """pending (being checked) → current → previous (kept to roll back to) → gone (ciphertext dropped)."""

    PENDING = "pending"
    CURRENT = "current"
    PREVIOUS = "previous"
    GONE = "gone"


@dataclass(frozen=True)
class Epoch:
    """How often the tenant's key was erased: what was encrypted before that is lost."""

    erasures: int


async def epoch(tx: Transaction, tenant: TenantId) -> Epoch:
    """To be read before encrypting."""
    row = await tx.fetchrow(sql.key_epoch, tenant)
    assert row is not None
    return Epoch(row["erasures"])


async def hold_key(tx: Transaction, tenant: TenantId, before: Epoch, kept: Kept) -> None:
    """Let neither rotation nor erasure pass until the transaction ends.

    KeyMoved if one came since `before`: the ciphertext is under a key that is, or soon will be, refused.
    """
    await tx.execute(sql.lock_tenant, tenant)
    row = await tx.fetchrow(sql.key_epoch, tenant)
    assert row is not None
    if row["erasures"] != before.erasures or kept.key_version < row["rotated_to"]:
        raise KeyMoved


async def insert(
    tx: Transaction,
    tenant: TenantId,
    credential_id: CredentialId,
    version: int,
    kept: Kept,
    settings: Mapping[str, str],
    status: Status,
    for_s: float | None = None,
) -> None:
    """Keep a version, for so many seconds (None: for good). Call `hold_key` first."""
    of_secret = (kept.ciphertext, kept.key_version, kept.last_four, kept.fingerprint)
    await tx.execute(
        sql.insert_secret, tenant, credential_id, version, status, dict(settings), for_s, *of_secret
    )


async def by_status(tx: Transaction, tenant: TenantId, credential_id: CredentialId) -> dict[Status, Row]:
    """The versions that are not gone; there is one of a status at most."""
    return {Status(row["status"]): row for row in await tx.fetch(sql.versions, tenant, credential_id)}


async def next_number(tx: Transaction, tenant: TenantId, credential_id: CredentialId) -> int:
    """The number for a new version; those of forgotten ones don't come again."""
    return int(await tx.fetchval(sql.last_version, tenant, credential_id)) + 1


async def forget(
    tx: Transaction, tenant: TenantId, credential_id: CredentialId, versions: Sequence[int] | None = None
) -> None:
    """Drop the ciphertexts of these versions (None: of all)."""
    await tx.execute(sql.forget_secrets, tenant, credential_id, versions)


async def use(
    tx: Transaction, tenant: TenantId, credential_id: CredentialId, version: int, *, old: int, keep_s: float
) -> None:
    """Let `version` be the credential's secret in place of `old`, which can be brought back for `keep_s`."""
    await tx.execute(sql.set_status, tenant, credential_id, old, Status.PREVIOUS, keep_s)
    await tx.execute(sql.set_status, tenant, credential_id, version, Status.CURRENT, None)
    await tx.execute(sql.use_version, tenant, credential_id, version)
