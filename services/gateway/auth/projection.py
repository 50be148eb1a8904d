"""How every replica gets to know the keys.

The events of the tenants service are stored in the gateway's own table by whichever replica receives them;
a signal then makes all replicas read what changed. Should the signal be lost, each reads anyway a few times a
second, so that a revoked key ends within a second everywhere.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from libs.common.bus.bus import Bus, Delivery, Handler
from libs.common.contracts import flow
from libs.common.contracts.message import Message
from libs.common.contracts.tenants import ApiKeyIssued, ApiKeyRevoked, ApiKeysChanged
from libs.common.db import Database, Transaction
from libs.common.errors import MannequinError
from libs.common.outbox import once
from libs.common.telemetry import logger
from services.gateway.auth.keyring import KeyRing, KnownKey
from services.gateway.store import sql

POLL_S = 0.3
_log = logger("gateway.keys")


def keys_handler(database: Database, bus: Bus) -> Handler:
    """Stores what the tenants service tells of keys, then tells every replica to look."""
    store = once(database, flow.API_KEYS, store_key)

    async def handle(delivery: Delivery) -> None:
        await store(delivery)
        await bus.signal(ApiKeysChanged())

    return handle


async def store_key(message: Message, tx: Transaction) -> None:
    """Events may come in any order: a revocation is never undone by the issue that it overtook."""
    if isinstance(message, ApiKeyIssued):
        await tx.execute(
            sql.issue_api_key, tx.tenant, message.key_id, message.public_id, message.sha256, message.mode
        )
    elif isinstance(message, ApiKeyRevoked):
        await tx.execute(sql.revoke_api_key, tx.tenant, message.key_id, message.revoked_at)


class KeyWatch:
    """Keeps a key ring up to date from the stored projection."""

    def __init__(self, database: Database, keys: KeyRing) -> None:
        self._database = database
        self._keys = keys
        self._position = 0
        self._wake = asyncio.Event()

    async def changed(self, _: Delivery) -> None:
        """Listener of ApiKeysChanged."""
        self._wake.set()

    async def read(self) -> None:
        """Read what changed since the last time.

        Transaction ids come out of order, so reading starts again at the oldest one that was still open: a
        key may be read twice but none is missed.
        """
        async with self._database.platform("read api keys") as tx:
            position = await tx.fetchval(sql.api_keys_position)
            rows = await tx.fetch(sql.api_keys_since, self._position)
        self._keys.learn(map(KnownKey.of, rows))
        self._position = position

    async def run(self) -> None:
        """Read on each signal and every `POLL_S` seconds, until cancelled."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_S):
                    await self._wake.wait()
            self._wake.clear()
            try:
                await self.read()
            except MannequinError as error:
                _log.warning("keys_not_read", reason=error.detail)
