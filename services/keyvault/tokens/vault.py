"""The seam to the vault for tokens; see `services/keyvault/vault.py` for how its calls fail."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from services.keyvault.tokens.rules import TokenKey


class TokenVault(Protocol):
    """The key that tokens are signed with."""

    async def token_keys(self) -> Sequence[TokenKey]:
        """All versions, the oldest first."""

    async def sign_token(self, version: int, data: bytes) -> bytes:
        """An Ed25519 signature (RFC 8032, 64 bytes) over `data` with that version of the key."""

    async def rotate_token_key(self) -> None:
        """Make a new version."""
