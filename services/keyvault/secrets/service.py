"""Protecting a secret, and revealing it to the row that it is for."""

from __future__ import annotations

from libs.common.contracts.ids import TenantId
from libs.common.contracts.message import Secret
from libs.common.contracts.tokens import Protected, ProtectSecret, Revealed, RevealSecret
from libs.common.db import Database
from services.keyvault.errors import KeyMoved
from services.keyvault.secrets.errors import SecretLost
from services.keyvault.secrets.vault import SecretsVault
from services.keyvault.store import sql
from services.keyvault.vault import CiphertextLost, Context, NoTenantKey
from services.keyvault.versions import epoch

_PLATFORM = "platform"


class KeptSecrets:
    """The use cases of the tenants service. Nothing is stored here."""

    def __init__(self, database: Database, vault: SecretsVault) -> None:
        self._database = database
        self._vault = vault

    async def protect(self, query: ProtectSecret, tenant: TenantId | None) -> Protected:
        """KeyMoved if the tenant's keys were erased in just this moment, VaultUnavailable."""
        if tenant is None:
            return await self._encrypt(query, None)
        async with self._database.tenant(tenant) as tx:
            before = await epoch(tx, tenant)
        await self._vault.ensure_secrets_key(tenant)
        protected = await self._encrypt(query, tenant)
        async with self._database.tenant(tenant) as tx:
            await tx.execute(sql.lock_tenant, tenant)
            if await epoch(tx, tenant) != before:
                raise KeyMoved
        return protected

    async def reveal(self, query: RevealSecret, tenant: TenantId | None) -> Revealed:
        """SecretLost, VaultUnavailable."""
        try:
            plain = await self._vault.reveal(tenant, _context(query, tenant), query.ciphertext)
        except CiphertextLost:
            raise SecretLost from None
        return Revealed(secret=Secret(plain.decode()))

    async def _encrypt(self, query: ProtectSecret, tenant: TenantId | None) -> Protected:
        plain = query.secret.get_secret_value().encode()
        try:
            made = await self._vault.protect(tenant, _context(query, tenant), plain)
        except NoTenantKey:
            raise KeyMoved from None
        return Protected(ciphertext=made.text)


def _context(query: ProtectSecret | RevealSecret, tenant: TenantId | None) -> Context:
    return Context(tenant or _PLATFORM, query.purpose.value, query.owner)
