"""The gateway's projection of the API keys, on a real database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from libs.common.api_keys import GeneratedKey, generate
from libs.common.contracts.ids import ApiKeyId, TenantId
from libs.common.contracts.tenants import ApiKeyIssued, ApiKeyRevoked, KeyMode
from libs.common.db import Database
from services.gateway.auth.keyring import KeyRing, KnownKey
from services.gateway.auth.projection import KeyWatch, store_key
from tests.servers.databases import TestDatabase


@dataclass
class Key:
    """A key of a tenant, and the two events of its life."""

    tenant: TenantId
    generated: GeneratedKey
    issued: ApiKeyIssued
    revoked: ApiKeyRevoked

    @classmethod
    def new(cls) -> Key:
        key, key_id = generate(KeyMode.LIVE), ApiKeyId.new()
        issued = ApiKeyIssued(key_id=key_id, public_id=key.public_id, sha256=key.sha256, mode=key.mode)
        return cls(TenantId.new(), key, issued, ApiKeyRevoked(key_id=key_id, revoked_at=datetime.now(UTC)))

    def works(self, keys: KeyRing) -> bool:
        return keys.find(self.generated.secret.get_secret_value()) is not None


@pytest.fixture
async def db(database: TestDatabase) -> AsyncIterator[Database]:
    db = database.of("gateway")
    await db.start()
    yield db
    await db.close()


async def tell(db: Database, key: Key, *messages: ApiKeyIssued | ApiKeyRevoked) -> None:
    for message in messages:
        async with db.tenant(key.tenant) as tx:
            await store_key(message, tx)


async def test_an_issued_key_works_and_a_revoked_one_does_not(db: Database) -> None:
    """As soon as the projection is read again."""
    keys, key = KeyRing(), Key.new()
    watch = KeyWatch(db, keys)
    await tell(db, key, key.issued)
    await watch.read()
    assert key.works(keys)
    await tell(db, key, key.revoked)
    await watch.read()
    assert not key.works(keys)


async def test_a_revocation_that_overtakes_the_issue_wins(db: Database) -> None:
    """Events come in any order, and the issue may even come twice."""
    keys, key = KeyRing(), Key.new()
    watch = KeyWatch(db, keys)
    await tell(db, key, key.revoked)
    await watch.read()
    await tell(db, key, key.issued, key.issued)
    await watch.read()
    assert not key.works(keys)


async def test_a_transaction_that_commits_late_is_not_missed(db: Database) -> None:
    """It began before one that was read already, so that its place in the order has been passed by."""
    keys, late, early = KeyRing(), Key.new(), Key.new()
    watch = KeyWatch(db, keys)
    async with db.tenant(late.tenant) as tx:
        await store_key(late.issued, tx)
        await tell(db, early, early.issued)
        await watch.read()
        assert early.works(keys)
        assert not late.works(keys)
    await watch.read()
    assert late.works(keys)


class Counting(KeyRing):
    """How many keys it was told of each time."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[int] = []

    def learn(self, keys: Iterable[KnownKey]) -> None:
        found = list(keys)
        self.told.append(len(found))
        super().learn(found)


async def test_only_what_changed_is_read_again(db: Database) -> None:
    """So that reading often costs little, however many keys there are."""
    keys, key = Counting(), Key.new()
    watch = KeyWatch(db, keys)
    await tell(db, key, key.issued)
    await watch.read()
    await watch.read()
    await tell(db, key, key.revoked)
    await watch.read()
    assert keys.told[0] >= 1
    assert keys.told[1:] == [0, 1]


async def test_a_lost_signal_costs_less_than_a_second(db: Database) -> None:
    """Replicas read now and then without being told."""
    keys, key = KeyRing(), Key.new()
    watch = KeyWatch(db, keys)
    await tell(db, key, key.issued)
    await watch.read()
    running = asyncio.create_task(watch.run())
    await tell(db, key, key.revoked)
    async with asyncio.timeout(1):
        while key.works(keys):
            await asyncio.sleep(0.01)
    running.cancel()
