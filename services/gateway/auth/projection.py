"""How every replica gets to know of keys, of tenants' standing and of what was revoked.

The events of the tenants service are stored in the gateway's own tables by whichever replica receives them; a
signal then makes all replicas read what changed. Should the signal be lost, each reads anyway a few times a
second, so that a revoked key or session ends within a second everywhere.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from libs.common.bus.bus import Bus, Delivery, Handler
from libs.common.contracts import flow
from libs.common.contracts.ids import TenantId
from libs.common.contracts.message import Message
from libs.common.contracts.tenants import (
    ApiKeyChanged,
    ApiKeyIssued,
    ApiKeyRevoked,
    ApiKeysChanged,
    TenantStatus,
    TenantStatusChanged,
)
from libs.common.contracts.tokens import AccessRevoked
from libs.common.db import Database, Transaction
from libs.common.errors import MannequinError
from libs.common.outbox import once
from libs.common.telemetry import logger
from services.gateway.auth.keyring import KeyRing, KnownKey
from services.gateway.auth.standing import Revocation, Revoked, Standing
from services.gateway.store import sql

POLL_S = 0.3
_SWEEP_S = 600.0
_log = logger("gateway.access")


def keys_handler(database: Database, bus: Bus) -> Handler:
    """Stores what the tenants service tells of keys, then tells every replica to look."""
    store = once(database, flow.API_KEYS, store_key)

    async def handle(delivery: Delivery) -> None:
        await store(delivery)
        await bus.signal(ApiKeysChanged())

    return handle


def access_handler(database: Database, bus: Bus) -> Handler:
    """The same for tenants' standing and revocations; those of the platform's own people name no tenant."""
    of_tenant = once(database, flow.ACCESS, store_access)

    async def handle(delivery: Delivery) -> None:
        if delivery.envelope.tenant_id is not None:
            await of_tenant(delivery)
        else:
            async with database.platform("store a revocation") as tx:
                if await tx.first_time(flow.ACCESS.name, delivery.envelope):
                    await store_access(delivery.message, tx)
        await bus.signal(ApiKeysChanged())

    return handle


async def store_key(message: Message, tx: Transaction) -> None:
    """Events may come in any order: a revocation is never undone by the issue that it overtook."""
    match message:
        case ApiKeyIssued():
            known = (message.key_id, message.public_id, message.sha256, message.mode)
            await tx.execute(sql.issue_api_key, tx.tenant, *known)
            await tx.execute(sql.set_key_terms, tx.tenant, message.key_id, *_terms(message), 0)
        case ApiKeyChanged():
            terms = (*_terms(message), message.revision)
            await tx.execute(sql.set_key_terms, tx.tenant, message.key_id, *terms)
        case ApiKeyRevoked():
            await tx.execute(sql.revoke_api_key, tx.tenant, message.key_id, message.revoked_at)


async def store_access(message: Message, tx: Transaction) -> None:
    """Of two statuses the one of the higher revision stays."""
    match message:
        case TenantStatusChanged():
            await tx.execute(sql.set_tenant_standing, tx.tenant, message.status, message.revision)
        case AccessRevoked():
            named = {
                Revoked.TOKEN: message.token_id,
                Revoked.SESSION: message.session_id,
                Revoked.SUBJECT: message.subject,
            }
            for kind, name in named.items():
                if name is not None:
                    await tx.execute(
                        sql.insert_revocation, tx.tenant, kind, name, message.before, message.until
                    )


def _terms(message: ApiKeyIssued | ApiKeyChanged) -> tuple[object, ...]:
    return list(message.scopes), message.expires_at, list(message.allowed_ips)


class AccessWatch:
    """Keeps what is in memory up to date from the stored projection."""

    def __init__(self, database: Database, keys: KeyRing, standing: Standing) -> None:
        self._database = database
        self._keys = keys
        self._standing = standing
        self._position: int | None = None
        self._wake = asyncio.Event()

    async def changed(self, _: Delivery) -> None:
        """Listener of ApiKeysChanged."""
        self._wake.set()

    async def read(self) -> None:
        """Read what changed since the last time; at first all of it but the keys, which are read when used.

        Transaction ids come out of order, so reading starts again at the oldest one that was still open: a
        row may be read twice but none is missed.
        """
        since = self._position
        async with self._database.platform("read access") as tx:
            position = await tx.fetchval(sql.access_position)
            keys = await tx.fetch(sql.api_keys_since, position if since is None else since)
            tenants = await tx.fetch(sql.tenant_standing_since, since or 0)
            revocations = await tx.fetch(sql.revocations_since, since or 0)
        self._keys.learn(map(KnownKey.of, keys))
        self._standing.learn_tenants(
            (TenantId(row["tenant_id"]), TenantStatus(row["status"])) for row in tenants
        )
        self._standing.learn_revocations(map(Revocation.of, revocations))
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
                _log.warning("access_not_read", reason=error.detail)

    async def sweep(self) -> None:
        """Forget revocations of tokens that are dead anyway, until cancelled."""
        while True:
            await asyncio.sleep(_SWEEP_S)
            self._standing.forget_dead()
            with suppress(MannequinError):
                async with self._database.platform("revocations sweep") as tx:
                    await tx.execute(sql.sweep_revocations)
