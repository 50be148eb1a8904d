"""A tenant's secret is sealed to the vault here, before anything else of the system sees it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping

from libs.common.bus.bus import Bus
from libs.common.contracts.credentials import Credential, GetIntakeKey, IntakeKey, SealedSecret
from libs.common.contracts.ids import CredentialId, TenantId
from libs.common.contracts.message import Query
from libs.common.errors import Refusal, Unavailable
from libs.common.sealing import seal_for_vault
from services.gateway.errors import VaultUnavailable

KEPT_S = 300.0
"""How long the vault's public key is believed to be the newest."""
CHECKED_S = 15.0
"""How long storing or checking a credential may take: the vault asks its provider meanwhile."""
_STALE = frozenset({"intake_key_unknown", "not_sealed_for_this"})
"""Codes by which the vault tells that the secret was sealed to a key that it no longer has."""


class Sealer:
    """Seals secrets to the vault's intake key, which it keeps for some minutes."""

    def __init__(self, bus: Bus, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._bus = bus
        self._clock = clock
        self._key: IntakeKey | None = None
        self._fetched_at = 0.0

    async def send(
        self,
        tenant: TenantId,
        credential: CredentialId,
        secret: Mapping[str, str],
        query: Callable[[SealedSecret], Query[Credential]],
    ) -> Credential:
        """Ask `query` of the vault with the sealed secret; once more if the key turns out to be an old one.

        VaultUnavailable; Refusal as the vault raised it.
        """
        try:
            return await self._sent(tenant, credential, secret, query)
        except Refusal as refusal:
            if refusal.code not in _STALE:
                raise
        self._key = None
        return await self._sent(tenant, credential, secret, query)

    async def _sent(
        self,
        tenant: TenantId,
        credential: CredentialId,
        secret: Mapping[str, str],
        query: Callable[[SealedSecret], Query[Credential]],
    ) -> Credential:
        try:
            key = await self._intake_key()
            sealed = await asyncio.to_thread(seal_for_vault, secret, key, tenant, credential)
            return await self._bus.request(query(sealed), tenant=tenant, timeout=CHECKED_S)
        except Unavailable as error:
            raise VaultUnavailable from error

    async def _intake_key(self) -> IntakeKey:
        if self._key is None or self._clock() - self._fetched_at > KEPT_S:
            self._key = await self._bus.request(GetIntakeKey())
            self._fetched_at = self._clock()
        return self._key
