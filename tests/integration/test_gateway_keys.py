"""The gateway's projection of keys, standing and revocations, on a real database."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from libs.common.api_keys import GeneratedKey, generate, parse
from libs.common.contracts.access import Permission
from libs.common.contracts.ids import ApiKeyId, SessionId, StaffId, TenantId, TokenId, UserId
from libs.common.contracts.tenants import (
    ApiKeyChanged,
    ApiKeyIssued,
    ApiKeyRevoked,
    KeyMode,
    TenantStatus,
    TenantStatusChanged,
)
from libs.common.contracts.tokens import AccessRevoked
from libs.common.db import Database
from services.gateway.auth.keyring import KeyRing, KnownKey, StoredKeys
from services.gateway.auth.projection import AccessWatch, store_access, store_key
from services.gateway.auth.standing import Standing
from tests.servers.databases import TestDatabase

Told = ApiKeyIssued | ApiKeyChanged | ApiKeyRevoked


@dataclass
class Key:
    """A key of a tenant, and the events of its life."""

    tenant: TenantId
    generated: GeneratedKey
    issued: ApiKeyIssued
    revoked: ApiKeyRevoked

    @classmethod
    def new(cls) -> Key:
        key, key_id = generate(KeyMode.LIVE), ApiKeyId.new()
        issued = ApiKeyIssued(key_id=key_id, public_id=key.public_id, sha256=key.sha256, mode=key.mode)
        return cls(TenantId.new(), key, issued, ApiKeyRevoked(key_id=key_id, revoked_at=datetime.now(UTC)))

    async def found(self, keys: KeyRing) -> KnownKey | None:
        parsed = parse(self.generated.secret.get_secret_value())
        assert parsed is not None
        return await keys.find(parsed)

    async def works(self, keys: KeyRing) -> bool:
        known = await self.found(keys)
        return known is not None and not known.revoked


@pytest.fixture
async def db(database: TestDatabase) -> AsyncIterator[Database]:
    db = database.of("gateway")
    await db.start()
    yield db
    await db.close()


@pytest.fixture
def keys(db: Database) -> KeyRing:
    return KeyRing(StoredKeys(db))


@pytest.fixture
def standing() -> Standing:
    return Standing()


@pytest.fixture
async def watch(db: Database, keys: KeyRing, standing: Standing) -> AccessWatch:
    """A replica that has started."""
    watch = AccessWatch(db, keys, standing)
    await watch.read()
    return watch


async def tell(db: Database, key: Key, *messages: Told) -> None:
    for message in messages:
        async with db.tenant(key.tenant) as tx:
            await store_key(message, tx)


async def test_an_issued_key_works_at_once_and_a_revoked_one_no_longer(
    db: Database, keys: KeyRing, watch: AccessWatch
) -> None:
    """The first is read when it is used, the second as soon as the projection is read again."""
    key = Key.new()
    await tell(db, key, key.issued)
    assert await key.works(keys)
    await tell(db, key, key.revoked)
    await watch.read()
    assert not await key.works(keys)


async def test_a_key_that_was_used_too_early_works_once_it_is_known(
    db: Database, keys: KeyRing, watch: AccessWatch
) -> None:
    """A tenant may be quicker than the event."""
    key = Key.new()
    assert not await key.works(keys)
    await tell(db, key, key.issued)
    await watch.read()
    assert await key.works(keys)


async def test_a_revocation_that_overtakes_the_issue_wins(
    db: Database, keys: KeyRing, watch: AccessWatch
) -> None:
    """Events come in any order, and the issue may even come twice."""
    key = Key.new()
    await tell(db, key, key.revoked, key.issued, key.issued)
    await watch.read()
    assert not await key.works(keys)


async def test_the_terms_of_the_highest_revision_hold(db: Database, keys: KeyRing) -> None:
    """Whatever the order: the change before the issue, and an older change after a newer one."""
    key = Key.new()
    newer, older = (
        ApiKeyChanged(
            key_id=key.issued.key_id,
            scopes=scopes,
            expires_at=datetime(2100, 1, 1, tzinfo=UTC),
            allowed_ips=("203.0.113.0/24",),
            revision=revision,
        )
        for scopes, revision in (((Permission.IMAGES_READ,), 2), ((Permission.USAGE_READ,), 1))
    )
    await tell(db, key, newer, key.issued, older)
    known = await key.found(keys)
    assert known is not None
    assert known.caller.permissions == {Permission.IMAGES_READ}
    assert [str(network) for network in known.networks] == ["203.0.113.0/24"]
    assert known.caller.good_until == datetime(2100, 1, 1, tzinfo=UTC).timestamp()


async def test_a_transaction_that_commits_late_is_not_missed(
    db: Database, keys: KeyRing, watch: AccessWatch
) -> None:
    """It began before one that was read already, so that its place in the order has been passed by."""
    late, early = Key.new(), Key.new()
    await tell(db, late, late.issued)
    await tell(db, early, early.issued)
    assert await late.works(keys)
    assert await early.works(keys)
    async with db.tenant(late.tenant) as tx:
        await store_key(late.revoked, tx)
        await tell(db, early, early.revoked)
        await watch.read()
        assert not await early.works(keys)
        assert await late.works(keys)
    await watch.read()
    assert not await late.works(keys)


class Counting(KeyRing):
    """How many keys it was told of each time."""

    def __init__(self, db: Database) -> None:
        super().__init__(StoredKeys(db))
        self.told: list[int] = []

    def learn(self, keys: Iterable[KnownKey]) -> None:
        found = list(keys)
        self.told.append(len(found))
        super().learn(found)


async def test_only_what_changed_is_read_again(db: Database) -> None:
    """So that reading often costs little, and a start too, however many keys there are."""
    keys, key, before = Counting(db), Key.new(), Key.new()
    await tell(db, before, before.issued)
    watch = AccessWatch(db, keys, Standing())
    await watch.read()
    await tell(db, key, key.issued)
    await watch.read()
    await watch.read()
    await tell(db, key, key.revoked)
    await watch.read()
    assert keys.told == [0, 1, 0, 1]


async def test_a_lost_signal_costs_less_than_a_second(
    db: Database, keys: KeyRing, watch: AccessWatch
) -> None:
    """Replicas read now and then without being told."""
    key = Key.new()
    await tell(db, key, key.issued)
    assert await key.works(keys)
    running = asyncio.create_task(watch.run())
    await tell(db, key, key.revoked)
    async with asyncio.timeout(1):
        while await key.works(keys):
            await asyncio.sleep(0.01)
    running.cancel()


async def test_a_tenants_standing_is_that_of_the_highest_revision(
    db: Database, keys: KeyRing, standing: Standing, watch: AccessWatch
) -> None:
    """Also for a replica that starts later."""
    tenant = TenantId.new()
    for status, revision in ((TenantStatus.SUSPENDED, 3), (TenantStatus.ACTIVE, 2)):
        async with db.tenant(tenant) as tx:
            await store_access(TenantStatusChanged(status=status, revision=revision), tx)
    await watch.read()
    later = Standing()
    await AccessWatch(db, keys, later).read()
    assert standing.status(tenant) is later.status(tenant) is TenantStatus.SUSPENDED
    async with db.tenant(tenant) as tx:
        await store_access(TenantStatusChanged(status=TenantStatus.ACTIVE, revision=4), tx)
    await watch.read()
    assert standing.status(tenant) is TenantStatus.ACTIVE


@pytest.mark.parametrize(
    "told", [{"token_id": TokenId.new()}, {"session_id": SessionId.new()}, {"subject": UserId.new()}]
)
async def test_what_was_revoked_is_known_to_every_replica_also_after_a_start(
    db: Database, keys: KeyRing, standing: Standing, watch: AccessWatch, told: dict[str, str]
) -> None:
    """For tokens of before, not for those of after."""
    now = datetime.now(UTC)
    event = AccessRevoked.model_validate({**told, "before": now, "until": now + timedelta(minutes=15)})
    async with db.tenant(TenantId.new()) as tx:
        await store_access(event, tx)
    await watch.read()
    later = Standing()
    await AccessWatch(db, keys, later).read()

    def revokes(one: Standing, issued_at: int) -> bool:
        session, subject = event.session_id, event.subject
        return one.revokes(token=event.token_id, session=session, subject=subject, issued_at=issued_at)

    for one in (standing, later):
        assert revokes(one, int(now.timestamp()) - 1)
        assert not revokes(one, int(now.timestamp()) + 1)


async def test_a_revocation_of_the_platforms_people_is_of_no_tenant(
    db: Database, standing: Standing, watch: AccessWatch
) -> None:
    """It is stored by the platform's role, and forgotten once its tokens are dead by themselves."""
    person, now = StaffId.new(), datetime.now(UTC)
    async with db.platform("store a revocation") as tx:
        await store_access(AccessRevoked(subject=person, before=now, until=now + timedelta(minutes=1)), tx)
    await watch.read()
    assert standing.revokes(token=None, session=None, subject=person, issued_at=0)
    late = Standing(clock=lambda: time.time() + 61)
    await AccessWatch(db, KeyRing(StoredKeys(db)), late).read()
    late.forget_dead()
    assert not late.revokes(token=None, session=None, subject=person, issued_at=0)
