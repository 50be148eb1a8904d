"""When each API key was last used: told to the tenants service once a minute, not with every request."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from itertools import groupby

from libs.common.contracts.ids import ApiKeyId, TenantId
from libs.common.contracts.tenants import ApiKeysUsed, KeyUsed
from libs.common.db import Database
from libs.common.errors import MannequinError
from libs.common.telemetry import logger
from services.gateway.auth.caller import Caller

EVERY_S = 60.0
MOST_AT_ONCE = 500
"""Keys in one message."""
_log = logger("gateway.keys")


class KeyUse:
    """The keys that were used since that was last told. What a killed process knew is lost: no harm done."""

    def __init__(self) -> None:
        self._used: dict[tuple[TenantId, ApiKeyId], datetime] = {}

    def seen(self, caller: Caller) -> None:
        """The caller's key was used now."""
        self._used[caller.tenant, ApiKeyId(caller.subject)] = datetime.now(UTC)

    async def tell(self, database: Database) -> None:
        """Hand over what was seen; it stays here if that fails. MannequinError."""
        used = dict(self._used)
        if not used:
            return
        async with database.platform("tell key use") as tx:
            for tenant, message in _messages(used):
                tx.publish(message, tenant=tenant)
        for key, at in used.items():
            if self._used[key] == at:
                del self._used[key]

    async def run(self, database: Database) -> None:
        """Tell it every `EVERY_S` seconds, until cancelled."""
        while True:
            await asyncio.sleep(EVERY_S)
            try:
                await self.tell(database)
            except MannequinError as error:
                _log.warning("key_use_not_told", reason=error.detail)


def _messages(used: dict[tuple[TenantId, ApiKeyId], datetime]) -> list[tuple[TenantId, ApiKeysUsed]]:
    messages = []
    for tenant, group in groupby(sorted(used), key=lambda key: key[0]):
        uses = [KeyUsed(key_id=key_id, at=used[tenant, key_id]) for _, key_id in group]
        for start in range(0, len(uses), MOST_AT_ONCE):
            messages.append((tenant, ApiKeysUsed(uses=tuple(uses[start : start + MOST_AT_ONCE]))))
    return messages
