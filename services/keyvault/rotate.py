"""A new version of a tenant's key: rotate, rewrap all that is under older ones, then refuse those.

Leases go on meanwhile, as the old version decrypts until the last step. What is under way is a row of the
table of rotations: whoever calls next goes on with it, and so does the sweep.
"""

from __future__ import annotations

from libs.common.contracts.credentials import RotateKey, Rotation
from libs.common.contracts.ids import TenantId
from libs.common.db import Database, Row, Transaction
from services.keyvault import audit
from services.keyvault.audit import Actor
from services.keyvault.errors import KeyMoved, RotationIncomplete
from services.keyvault.rewrap import BATCH, rewrap
from services.keyvault.store import sql
from services.keyvault.vault import Vault


class Rotations:
    """Rotating tenants' keys. batch: ciphertexts that are rewrapped in one call and transaction."""

    def __init__(self, database: Database, vault: Vault, *, batch: int = BATCH) -> None:
        self._database = database
        self._vault = vault
        self._batch = batch

    async def rotate(self, _: RotateKey, tenant: TenantId) -> Rotation:
        """Rotate, or end what was left half-way. RotationIncomplete, KeyMoved, VaultUnavailable."""
        await self._vault.ensure_tenant_key(tenant)
        async with self._database.tenant(tenant) as tx:
            await tx.execute(sql.lock_tenant, tenant)
            row = await tx.fetchrow(sql.find_rotation, tenant)
            if row is None or row["ended_at"] is not None:
                await self._begin(tx, tenant, row["minimum_version"] if row else 1)
        return await self.resume(tenant)

    async def _begin(self, tx: Transaction, tenant: TenantId, minimum_version: int) -> None:
        """Dying before the commit leaves one version more than was needed, and no harm done."""
        version = await self._vault.rotate(tenant)
        await tx.execute(sql.begin_rotation, tenant, version, minimum_version)
        await _record(tx, tenant, "rotation_began", Actor.OPERATOR, {"key_version": str(version)})

    async def resume(self, tenant: TenantId) -> Rotation:
        """Go on where the last one stopped. RotationIncomplete, KeyMoved, VaultUnavailable."""
        done = 0
        while True:
            async with self._database.tenant(tenant) as tx:
                row = await tx.fetchrow(sql.find_rotation, tenant)
            if row is None:
                raise KeyMoved
            version = row["key_version"]
            done += await rewrap(self._database, self._vault, tenant, version, batch=self._batch)
            if (ended := await self._end(tenant, version, done)) is not None:
                return ended

    async def _end(self, tenant: TenantId, version: int, rewrapped: int) -> Rotation | None:
        """Refuse the older versions, once nothing is under them and nothing under them can come.

        None if another rotation has begun meanwhile: then that is what is to be ended.
        """
        async with self._database.tenant(tenant) as tx:
            await tx.execute(sql.lock_tenant, tenant)
            row = await tx.fetchrow(sql.find_rotation, tenant)
            if row is None or row["key_version"] != version:
                return None
            count = await tx.fetchrow(sql.count_ciphertexts, tenant, version)
            assert count is not None
            if count["older"]:
                raise RotationIncomplete(_incomplete(count))
            await self._vault.set_minimum_version(tenant, version)
            await tx.execute(sql.end_rotation, tenant, version)
            detail = {"key_version": str(version), "rewrapped": str(rewrapped)}
            await _record(tx, tenant, "rotation_ended", Actor.KEYVAULT, detail)
        return _rotation(tenant, count, version, rewrapped)


def _incomplete(count: Row) -> str:
    return (
        f"{count['older']} of {count['ciphertexts']} ciphertexts could not be rewrapped; the older versions "
        "of the key stay good. Look at the vault, then rotate again."
    )


async def _record(tx: Transaction, tenant: TenantId, what: str, actor: Actor, detail: dict[str, str]) -> None:
    await audit.record(tx, tenant, f"key.{what}", tenant, actor, detail)


def _rotation(tenant: TenantId, count: Row, version: int, rewrapped: int) -> Rotation:
    return Rotation(
        tenant_id=tenant,
        key_version=version,
        ciphertexts=count["ciphertexts"],
        rewrapped=rewrapped,
        minimum_version=version,
    )
