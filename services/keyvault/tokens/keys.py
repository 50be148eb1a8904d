"""What is known of the key's versions: looked up in the vault every few seconds at most."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta

from libs.common.contracts.tokens import TokenKeys
from services.keyvault.clock import Clock, utc_now
from services.keyvault.tokens.rules import TokenKey, published, signing
from services.keyvault.tokens.vault import TokenVault
from services.keyvault.vault import VaultUnavailable

KNOWN_FOR_S = 5.0
LONGEST = timedelta(hours=1)
"""The longest life that a token may be given."""


class KeyBook:
    """The versions as the vault had them a moment ago. lead: how long one is published before it signs."""

    def __init__(self, vault: TokenVault, lead: timedelta, *, clock: Clock = utc_now) -> None:
        self._vault = vault
        self._lead = lead
        self._clock = clock
        self._keys: Sequence[TokenKey] = ()
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    async def signing(self) -> TokenKey:
        """What tokens are signed with now. VaultUnavailable."""
        return signing(await self._known(), self._clock(), self._lead)

    async def jwks(self) -> TokenKeys:
        """The public keys of all tokens that may be met. VaultUnavailable."""
        keys = published(await self._known(), self._clock(), self._lead, LONGEST)
        return TokenKeys(keys=tuple(key.jwk() for key in keys))

    def forget(self) -> None:
        """Look again when next asked."""
        self._read_at = float("-inf")

    async def _known(self) -> Sequence[TokenKey]:
        async with self._reading:
            if time.monotonic() - self._read_at > KNOWN_FOR_S:
                await self._read()
            return self._keys

    async def _read(self) -> None:
        """While the vault is away what is known of public keys stays true."""
        try:
            self._keys = await self._vault.token_keys()
        except VaultUnavailable:
            if not self._keys:
                raise
        self._read_at = time.monotonic()
