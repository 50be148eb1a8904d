"""The seam to the vault: what may be asked of its transit engine, and how it fails.

VaultError
├── VaultUnavailable    also Unavailable: sealed, stopped, or our token is dead; it comes back by itself
├── VaultRefused        also Permanent: the policy of the role does not allow it, or the request is wrong
├── NoTenantKey         also Permanent: the tenant has no key (never made, or erased)
└── CiphertextLost      also Permanent: nothing will ever decrypt this again
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from libs.common.contracts.credentials import IntakeKey
from libs.common.contracts.ids import TenantId
from libs.common.errors import MannequinError, Permanent, Unavailable


class VaultError(MannequinError):
    """The vault did not do what it was asked."""


class Trouble(StrEnum):
    """Why the vault can't be used now, in the terms of its operators."""

    UNREACHABLE = "unreachable"
    SEALED = "sealed"
    STANDBY = "standby"
    TOKEN_DEAD = "token_dead"  # noqa: S105  # no password but a state
    OVERLOADED = "overloaded"
    BROKEN = "broken"


class VaultUnavailable(VaultError, Unavailable):
    """The vault can't be used now. Try again in a moment; its operators are told by /readyz and an alert."""

    def __init__(self, detail: str | None = None, *, trouble: Trouble = Trouble.UNREACHABLE) -> None:
        super().__init__(detail)
        self.trouble = trouble


class VaultRefused(VaultError, Permanent):
    """The vault does not let this role do that, or does not understand it. Look at the policies."""


class NoTenantKey(VaultError, Permanent):
    """The tenant has no key in the vault: it stored no credential yet, or its key was erased."""


class CiphertextLost(VaultError, Permanent):
    """The ciphertext does not decrypt: its key was erased, it was damaged, or it is another row's."""


@dataclass(frozen=True)
class Context:
    """The row that a ciphertext is for. Moved to any other, it does not decrypt.

    What transit derives the key from (NIST SP 800-108), so it is as good as one key a credential.
    """

    tenant: str
    provider: str
    credential_id: str

    def encoded(self) -> str:
        """As transit takes it: base64."""
        return b64encode(f"{self.tenant}|{self.provider}|{self.credential_id}".encode()).decode()


@dataclass(frozen=True)
class Ciphertext:
    """What transit made of a secret: `vault:v<key version>:<base64>`."""

    text: str = field(repr=False)
    key_version: int


class Vault(Protocol):
    """The keys of the tenants and of the platform; no key ever leaves it.

    Every call may raise VaultUnavailable (nothing is lost, ask again later) and VaultRefused. Calls of many
    tasks at once are put together on the way, so ask for one thing at a time and as many as there are.
    """

    async def ensure_tenant_key(self, tenant: TenantId) -> None:
        """Make the tenant's key unless it is there; needed once before the first `encrypt`."""

    async def encrypt(self, tenant: TenantId, context: Context, plaintext: bytes) -> Ciphertext:
        """Encrypt under the newest version of the tenant's key. NoTenantKey: a key is never silently made."""

    async def decrypt(self, tenant: TenantId, context: Context, ciphertext: str) -> bytes:
        """The plaintext. CiphertextLost."""

    async def rewrap(
        self, tenant: TenantId, items: Sequence[tuple[Context, str]]
    ) -> list[Ciphertext | VaultError]:
        """The same secrets under the newest version, in order; an item that can't be has its error."""

    async def rotate(self, tenant: TenantId) -> int:
        """Make a new version of the tenant's key and give its number. NoTenantKey."""

    async def set_minimum_version(self, tenant: TenantId, version: int) -> None:
        """Nothing under an older version decrypts from now on. NoTenantKey. The same again is fine."""

    async def key_version(self, tenant: TenantId) -> int:
        """The newest version of the tenant's key. NoTenantKey."""

    async def erase(self, tenant: TenantId) -> None:
        """Destroy the tenant's key for good, and so all that is under it. Again is fine."""

    async def fingerprint(self, data: bytes) -> str:
        """A keyed hash (HMAC-SHA-256, hex) that tells equal secrets without telling what they are."""

    async def intake_key(self) -> IntakeKey:
        """The public key that secrets are sealed to on their way in."""

    async def unwrap(self, sealed_key_version: int, wrapped_key: str) -> bytes:
        """A content key that was wrapped (RSA-OAEP, SHA-256; base64) for `intake_key`. CiphertextLost."""

    async def sign(self, statement: bytes) -> str:
        """A signature (Ed25519, RFC 8032; base64 of its 64 bytes) that the platform made `statement`."""

    async def certificate_key(self) -> str:
        """The public key that `sign` can be checked with: base64 of its 32 bytes."""

    async def ping(self) -> None:
        """Return if every role can work now; else VaultUnavailable with the reason and what to do."""
