"""Ciphertexts of a tenant, brought under the newest version of its key without ever being opened."""

from __future__ import annotations

from collections.abc import Sequence

from libs.common.contracts.ids import TenantId
from libs.common.db import Database, Row
from services.keyvault.store import sql
from services.keyvault.vault import Ciphertext, Context, Vault

BATCH = 100
_BEFORE_ALL = ("", 0)


async def rewrap(
    database: Database, vault: Vault, tenant: TenantId, key_version: int, *, batch: int = BATCH
) -> int:
    """Rewrap what is under a version before `key_version`; how many were.

    Each batch is a transaction of its own and the ciphertexts stay readable throughout: it can die anywhere
    and be called again. One that can't be rewrapped is passed over. VaultUnavailable.
    """
    done, after = 0, _BEFORE_ALL
    while rows := await _older(database, tenant, key_version, after, batch):
        done += await _rewrap(database, vault, tenant, rows)
        after = (rows[-1]["credential_id"], rows[-1]["version"])
    return done


async def _older(
    database: Database, tenant: TenantId, key_version: int, after: tuple[str, int], batch: int
) -> list[Row]:
    async with database.tenant(tenant) as tx:
        return await tx.fetch(sql.to_rewrap, tenant, key_version, *after, batch)


async def _rewrap(database: Database, vault: Vault, tenant: TenantId, rows: Sequence[Row]) -> int:
    items = [(Context(tenant, row["provider"], row["credential_id"]), row["ciphertext"]) for row in rows]
    answers = await vault.rewrap(tenant, items)
    new = [(row, made) for row, made in zip(rows, answers, strict=True) if isinstance(made, Ciphertext)]
    columns = (
        [row["credential_id"] for row, _ in new],
        [row["version"] for row, _ in new],
        [row["ciphertext"] for row, _ in new],
        [made.text for _, made in new],
        [made.key_version for _, made in new],
    )
    async with database.tenant(tenant) as tx:
        return await tx.execute(sql.keep_rewrapped, tenant, *columns)
