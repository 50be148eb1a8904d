"""The seam to the vault for kept secrets; see `services/keyvault/vault.py` for how its calls fail."""

from __future__ import annotations

from typing import Protocol

from libs.common.contracts.ids import TenantId
from services.keyvault.vault import Ciphertext, Context


class SecretsVault(Protocol):
    """A key for each tenant's kept secrets, beside the one for its credentials, and one for the platform's.

    Of its own, because credentials are rewrapped when their key is rotated, after which the vault refuses
    what is under older versions: these ciphertexts lie where nobody here can rewrap them.
    """

    async def ensure_secrets_key(self, tenant: TenantId) -> None:
        """Make the tenant's key unless it is there."""

    async def protect(self, tenant: TenantId | None, context: Context, plaintext: bytes) -> Ciphertext:
        """Encrypt under the tenant's key, or the platform's for None. NoTenantKey."""

    async def reveal(self, tenant: TenantId | None, context: Context, ciphertext: str) -> bytes:
        """The plaintext. CiphertextLost."""

    async def erase_secrets(self, tenant: TenantId) -> None:
        """Destroy the tenant's key for good, and so all that is under it. Again is fine."""

    async def sign(self, statement: bytes) -> str:
        """See `Vault`."""

    async def certificate_key(self) -> str:
        """See `Vault`."""
