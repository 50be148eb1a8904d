"""API keys: those in use are in memory, so that a request costs no round trip; others are an indexed read."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Protocol

from libs.common.api_keys import ParsedKey
from libs.common.contracts.access import DEFAULT_KEY_PERMISSIONS, ActorKind, Permission
from libs.common.contracts.ids import ApiKeyId, TenantId
from libs.common.contracts.tenants import KeyMode
from libs.common.db import Database, Row
from services.gateway.auth.addresses import Address
from services.gateway.auth.caller import Caller, held
from services.gateway.auth.shelf import Shelf
from services.gateway.store import sql

MOST_KEYS = 100_000
Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class KnownKey:
    """What recognises a key (`sha256`, hex, of the whole of it), whose it is, and from where it may be used.

    networks: anywhere if empty.
    """

    public_id: str
    sha256: str
    caller: Caller
    revoked: bool = False
    expires_at: datetime | None = None
    networks: tuple[Network, ...] = ()

    @classmethod
    def of(cls, row: Row) -> KnownKey:
        expires_at, scopes = row["expires_at"], row["scopes"]
        caller = Caller(
            tenant=TenantId(row["tenant_id"]),
            subject=row["id"],
            kind=ActorKind.API_KEY,
            permissions=DEFAULT_KEY_PERMISSIONS if scopes is None else held(Permission, scopes),
            test=row["mode"] == KeyMode.TEST,
            good_until=expires_at.timestamp() if expires_at else None,
        )
        networks = tuple(ip_network(one, strict=False) for one in row["allowed_ips"])
        revoked = row["revoked_at"] is not None
        return cls(row["public_id"], row["sha256"], caller, revoked, expires_at, networks)

    def allows(self, address: Address | None) -> bool:
        """Whether it may be used from there."""
        return not self.networks or any(address in network for network in self.networks if address)


class KeyStore(Protocol):
    """Where keys are read from that are not in memory."""

    async def by_public_id(self, public_id: str) -> KnownKey | None: ...

    async def by_id(self, tenant: TenantId, key_id: ApiKeyId) -> KnownKey | None: ...


class KeyRing:
    """The keys in use, as they stand in the store or did until a moment ago: see `AccessWatch`."""

    def __init__(self, store: KeyStore, *, most: int = MOST_KEYS) -> None:
        self._store = store
        self._shelf: Shelf[KnownKey] = Shelf(most)
        self._revoked: set[str] = set()

    def holds(self, presented: ParsedKey) -> bool:
        """Whether `find` can answer from memory."""
        return presented.public_id in self._shelf

    async def find(self, presented: ParsedKey) -> KnownKey | None:
        """The key, revoked or not; None if it is unknown, or shares but the visible part with another."""
        public_id = presented.public_id
        known = await self._shelf.get(public_id, lambda: self._store.by_public_id(public_id))
        return known if known and hmac.compare_digest(known.sha256, presented.sha256) else None

    async def of(self, tenant: TenantId, key_id: ApiKeyId) -> KnownKey | None:
        """The key that a token was issued to."""
        return await self._shelf.get(key_id, lambda: self._store.by_id(tenant, key_id))

    def put(self, key: KnownKey) -> None:
        """Hold a key from the start."""
        for name in (key.public_id, key.caller.subject):
            self._shelf.put(name, key)

    def learn(self, keys: Iterable[KnownKey]) -> None:
        """What changed in the store: taken over for keys that are held."""
        for key in keys:
            for name in (key.public_id, key.caller.subject):
                self._shelf.moved(name, key)
            if key.revoked:
                self._revoked.add(key.caller.subject)

    def forget(self, tenant: TenantId) -> None:
        """It was erased."""
        self._shelf.drop(lambda key: key.caller.tenant == tenant)

    def admits(self, caller: Caller) -> bool:
        """Whether no revocation of the key was heard of since it was found: an answer may outlast it."""
        return caller.subject not in self._revoked


class StoredKeys:
    """The gateway's own table of keys."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def by_public_id(self, public_id: str) -> KnownKey | None:
        async with self._database.platform("find an api key") as tx:
            row = await tx.fetchrow(sql.api_key_by_public_id, public_id)
        return KnownKey.of(row) if row else None

    async def by_id(self, tenant: TenantId, key_id: ApiKeyId) -> KnownKey | None:
        async with self._database.tenant(tenant) as tx:
            row = await tx.fetchrow(sql.api_key_by_id, tenant, key_id)
        return KnownKey.of(row) if row else None
