"""Erasure: without the tenant's key no credential that it ever stored can be read, wherever a copy lies."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from libs.common.contracts.credentials import EraseCredentials, ErasureCertificate
from libs.common.contracts.ids import CredentialId, TenantId
from libs.common.db import Database, Row, Transaction
from libs.common.erasure import Beyond
from services.keyvault import audit, store
from services.keyvault.audit import Actor
from services.keyvault.revoke import Revoker
from services.keyvault.secrets.vault import SecretsVault
from services.keyvault.service import delete
from services.keyvault.store import sql
from services.keyvault.transit import key_of
from services.keyvault.vault import NoTenantKey, Vault

_MEANING = (
    "The named key was deleted from the vault. No credential of this tenant that was stored before can be "
    "decrypted by anybody, neither from the database nor from a copy of it; copies of the database hold "
    "ciphertext without a key until they expire."
)


class Erasures:
    """Erasing tenants' keys. backup_days: how long copies of the database are kept."""

    def __init__(self, database: Database, vault: Vault, revoker: Revoker, *, backup_days: int) -> None:
        self._database = database
        self._vault = vault
        self._revoker = revoker
        self._keep = timedelta(days=backup_days)

    async def erase(self, _: EraseCredentials, tenant: TenantId) -> ErasureCertificate:
        """Delete the key, forget all ciphertexts and say so, signed. VaultUnavailable.

        Dying in between leaves nothing readable: erasing again ends it, and certifies it.
        """
        async with self._database.tenant(tenant) as tx:
            await tx.execute(sql.lock_tenant, tenant)
            deleted = await _delete_all(tx, tenant)
            await tx.execute(sql.forget_rotation, tenant)
            await self._vault.erase(tenant)
            certificate = await self._certify(tx, tenant)
        for credential_id in deleted:
            await self._revoker.tell(tenant, credential_id)
        return certificate

    async def destroy(self, tenant: TenantId) -> Mapping[str, int]:
        """The key's end within the erasure of the whole tenant, whose rows go right after it; again is fine.

        The platform's certificate of that erasure says more than the key's own. VaultUnavailable.
        """
        async with self._database.tenant(tenant) as tx:
            await tx.execute(sql.lock_tenant, tenant)
            stored = [CredentialId(row["id"]) for row in await tx.fetch(sql.show_credentials, tenant, None)]
            keys = await self._keys(tenant)
            await self._vault.erase(tenant)
        for credential_id in stored:
            await self._revoker.tell(tenant, credential_id)
        return {"transit_keys": keys}

    async def _keys(self, tenant: TenantId) -> int:
        try:
            await self._vault.key_version(tenant)
        except NoTenantKey:
            return 0
        return 1

    async def _certify(self, tx: Transaction, tenant: TenantId) -> ErasureCertificate:
        count = await tx.fetchrow(sql.count_ever_stored, tenant)
        assert count is not None
        now = datetime.now(UTC)
        statement = _statement(tenant, count, now, now + self._keep)
        certificate = ErasureCertificate(
            statement=statement,
            signature=await self._vault.sign(statement.encode()),
            public_key=await self._vault.certificate_key(),
            backups_expire_at=now + self._keep,
        )
        signed = (certificate.statement, certificate.signature, certificate.public_key)
        await tx.execute(sql.insert_erasure, tenant, *signed, now, certificate.backups_expire_at)
        counted = {name: str(count[name]) for name in ("credentials", "versions")}
        await audit.record(tx, tenant, "key.erased", tenant, Actor.OPERATOR, counted)
        return certificate


def kept_secrets_of(vault: SecretsVault) -> Beyond:
    """The key of what other services keep of the tenant as ciphertext."""

    async def remove(tenant: TenantId) -> Mapping[str, int]:
        await vault.erase_secrets(tenant)
        return {}

    return remove


async def _delete_all(tx: Transaction, tenant: TenantId) -> list[CredentialId]:
    """Delete every credential that is there; which."""
    shown = [CredentialId(row["id"]) for row in await tx.fetch(sql.show_credentials, tenant, None)]
    for credential_id in shown:
        await delete(tx, tenant, await store.lock(tx, tenant, credential_id), Actor.OPERATOR)
    return shown


def _statement(tenant: TenantId, count: Row, erased_at: datetime, backups_expire_at: datetime) -> str:
    """What is signed, byte for byte."""
    said = {
        "kind": "mannequin.erasure.v1",
        "tenant": tenant,
        "key": key_of(tenant),
        "erased_at": erased_at.isoformat(),
        "credentials": count["credentials"],
        "secret_versions": count["versions"],
        "backups_expire_at": backups_expire_at.isoformat(),
        "meaning": _MEANING,
    }
    return json.dumps(said, separators=(",", ":"))
