"""API keys: what they may, from where and until when, and how one takes another's place."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from libs.common.api_keys import parse
from libs.common.contracts.access import DEFAULT_KEY_PERMISSIONS, ROLES, Permission, Role
from libs.common.contracts.ids import ApiKeyId, TenantId
from libs.common.contracts.tenants import (
    ApiKeyChanged,
    ApiKeyIssued,
    ApiKeyRevoked,
    GetApiKey,
    IssueApiKey,
    KeyMode,
    ListApiKeys,
    RevokeApiKey,
    RotateApiKey,
    UpdateApiKey,
)
from libs.common.contracts.tokens import AccessRevoked
from services.tenants.errors import (
    ApiKeyEnded,
    ApiKeyReplaced,
    ExpiryPassed,
    NetworkInvalid,
    NoSuchApiKey,
    NoSuchTenant,
    ScopeBeyondCaller,
    ScopeRefused,
    TooManyApiKeys,
)
from services.tenants.keys import ApiKeys
from tests.integration.tenants_desk import Desk, tenants_desk
from tests.servers.databases import TestDatabase

READ, WRITE, EXPORT = Permission.IMAGES_READ, Permission.IMAGES_WRITE, Permission.EXPORT


@pytest.fixture
async def desk(database: TestDatabase) -> AsyncIterator[Desk]:
    async with tenants_desk(database) as desk:
        yield desk


@pytest.fixture
async def tenant(desk: Desk) -> TenantId:
    return await desk.tenant()


@pytest.mark.parametrize("mode", KeyMode)
async def test_a_key_is_shown_once_and_only_its_hash_is_kept(
    desk: Desk, tenant: TenantId, mode: KeyMode
) -> None:
    """Neither the tables nor the messages hold anything that opens a door."""
    issued = await desk.keys.issue(IssueApiKey(mode=mode, label="till"), tenant)
    secret = issued.secret.get_secret_value()
    parsed = parse(secret)
    assert parsed is not None
    assert (issued.key.public_id, issued.key.mode, issued.key.label) == (parsed.public_id, mode, "till")
    async with desk.database.tenant(tenant) as tx:
        [row] = await tx.fetch("select * from api_keys")
        left = [bytes(one["data"]).decode() for one in await tx.fetch("select data from outbox")]
    [told] = await desk.told(ApiKeyIssued, tenant)
    assert row["sha256"] == told.sha256 == parsed.sha256
    assert secret.removeprefix(f"im_{mode}_{parsed.public_id}") not in f"{dict(row)} {left}"
    assert secret not in repr(issued)


async def test_a_key_has_what_it_was_issued_with(desk: Desk, tenant: TenantId) -> None:
    """An address is a network of one; the gateway is told all of it."""
    ends = datetime.now(UTC) + timedelta(days=90)
    query = IssueApiKey(
        scopes=(WRITE, READ), expires_at=ends, allowed_ips=("203.0.113.7", "2001:db8::/32", "203.0.113.7/32")
    )
    key = (await desk.keys.issue(query, tenant)).key
    assert key.scopes == (READ, WRITE)
    assert (key.expires_at, key.allowed_ips) == (ends, ("203.0.113.7/32", "2001:db8::/32"))
    [told] = await desk.told(ApiKeyIssued, tenant)
    assert (told.scopes, told.expires_at, told.allowed_ips) == (key.scopes, ends, key.allowed_ips)
    assert await desk.keys.get(GetApiKey(key_id=key.id), tenant) == key


async def test_a_key_without_scopes_has_the_usual_ones_and_never_more_than_who_asks(
    desk: Desk, tenant: TenantId
) -> None:
    """Of somebody who may only look, it may only look."""
    usual = await desk.keys.issue(IssueApiKey(), tenant)
    assert set(usual.key.scopes) == DEFAULT_KEY_PERMISSIONS
    lesser = await desk.keys.issue(IssueApiKey(at_most=ROLES[Role.VIEWER]), tenant)
    assert set(lesser.key.scopes) == DEFAULT_KEY_PERMISSIONS & ROLES[Role.VIEWER]


@pytest.mark.parametrize(
    ("query", "refusal"),
    [
        (IssueApiKey(scopes=(Permission.ERASE,)), ScopeRefused),
        (IssueApiKey(scopes=(Permission.API_KEYS_WRITE, READ)), ScopeRefused),
        (IssueApiKey(scopes=()), ScopeRefused),
        (IssueApiKey(scopes=(EXPORT,), at_most=ROLES[Role.ADMIN]), ScopeBeyondCaller),
        (IssueApiKey(at_most=frozenset({Permission.API_KEYS_WRITE})), ScopeRefused),
        (IssueApiKey(allowed_ips=("203.0.113.7/24",)), NetworkInvalid),
        (IssueApiKey(allowed_ips=("shop.example",)), NetworkInvalid),
        (IssueApiKey(allowed_ips=("fe80::1%eth0",)), NetworkInvalid),
        (IssueApiKey(expires_at=datetime(2020, 1, 1, tzinfo=UTC)), ExpiryPassed),
    ],
)
async def test_what_no_key_may_be_given_is_refused(
    desk: Desk, tenant: TenantId, query: IssueApiKey, refusal: type[Exception]
) -> None:
    """And no key is made."""
    with pytest.raises(refusal):
        await desk.keys.issue(query, tenant)
    assert (await desk.keys.list_all(ListApiKeys(), tenant)).items == ()


async def test_a_rotated_key_works_on_for_a_while_beside_the_new_one(desk: Desk, tenant: TenantId) -> None:
    """The new one may the same from the same places; the gateway hears when the old one ends."""
    terms = IssueApiKey(mode=KeyMode.TEST, label="till", scopes=(READ,), allowed_ips=("10.0.0.0/8",))
    old = (await desk.keys.issue(terms, tenant)).key
    before = datetime.now(UTC)
    new = await desk.keys.rotate(RotateApiKey(key_id=old.id, overlap_s=3600), tenant)
    assert (new.key.mode, new.key.label, new.key.scopes) == (old.mode, old.label, old.scopes)
    assert (new.key.allowed_ips, new.key.expires_at) == (old.allowed_ips, None)
    rotated = await desk.keys.get(GetApiKey(key_id=old.id), tenant)
    assert rotated.replaced_by == new.key.id
    assert rotated.expires_at
    assert before + timedelta(seconds=3600) <= rotated.expires_at <= before + timedelta(seconds=3660)
    [told] = await desk.told(ApiKeyChanged, tenant)
    assert (told.key_id, told.expires_at, told.revision) == (old.id, rotated.expires_at, 1)
    assert await desk.told(AccessRevoked, tenant) == []
    with pytest.raises(ApiKeyReplaced):
        await desk.keys.rotate(RotateApiKey(key_id=old.id), tenant)
    assert (await desk.actions(tenant))[-1] == "api_key.rotated"


async def test_a_rotation_without_overlap_ends_the_old_key_and_its_tokens_at_once(
    desk: Desk, tenant: TenantId
) -> None:
    """For a key that leaked."""
    old = (await desk.keys.issue(IssueApiKey(), tenant)).key
    await desk.keys.rotate(RotateApiKey(key_id=old.id, overlap_s=0), tenant)
    ended = await desk.keys.get(GetApiKey(key_id=old.id), tenant)
    assert ended.expires_at
    assert ended.expires_at <= datetime.now(UTC) + timedelta(seconds=1)
    assert [told.subject for told in await desk.told(AccessRevoked, tenant)] == [old.id]
    active = (await desk.keys.list_all(ListApiKeys(active=True), tenant)).items
    assert [key.id for key in active] == [ended.replaced_by]


async def test_a_rotation_never_lengthens_a_life_unasked(desk: Desk, tenant: TenantId) -> None:
    """A key of a week is followed by one of a week, and an end that is near comes no later."""
    now = datetime.now(UTC)
    old = (await desk.keys.issue(IssueApiKey(expires_at=now + timedelta(days=7)), tenant)).key
    new = (await desk.keys.rotate(RotateApiKey(key_id=old.id, overlap_s=30 * 86_400), tenant)).key
    assert new.expires_at
    assert timedelta(days=7) <= new.expires_at - now <= timedelta(days=7, minutes=1)
    assert (await desk.keys.get(GetApiKey(key_id=old.id), tenant)).expires_at == old.expires_at
    until = now + timedelta(days=1)
    asked = (await desk.keys.rotate(RotateApiKey(key_id=new.id, expires_at=until), tenant)).key
    assert asked.expires_at == until


async def test_nobody_gets_more_by_rotating_than_they_may(desk: Desk, tenant: TenantId) -> None:
    """An admin may not export, and so can't have a key made that does."""
    old = (await desk.keys.issue(IssueApiKey(scopes=(EXPORT,)), tenant)).key
    with pytest.raises(ScopeBeyondCaller):
        await desk.keys.rotate(RotateApiKey(key_id=old.id, at_most=ROLES[Role.ADMIN]), tenant)
    assert (await desk.keys.get(GetApiKey(key_id=old.id), tenant)).replaced_by is None


async def test_scopes_are_only_ever_taken_away(desk: Desk, tenant: TenantId) -> None:
    """Tokens that say more end with it; other changes leave them."""
    key = (await desk.keys.issue(IssueApiKey(scopes=(READ, WRITE)), tenant)).key
    named = await desk.keys.update(UpdateApiKey(key_id=key.id, label="till 2"), tenant)
    assert (named.label, named.scopes) == ("till 2", (READ, WRITE))
    assert await desk.told(AccessRevoked, tenant) == []
    fewer = await desk.keys.update(UpdateApiKey(key_id=key.id, scopes=(READ,), allowed_ips=("::1",)), tenant)
    assert (fewer.label, fewer.scopes, fewer.allowed_ips) == ("till 2", (READ,), ("::1/128",))
    assert [told.subject for told in await desk.told(AccessRevoked, tenant)] == [key.id]
    told = await desk.told(ApiKeyChanged, tenant)
    assert [(one.revision, one.scopes) for one in told] == [(1, (READ, WRITE)), (2, (READ,))]
    assert await desk.keys.update(UpdateApiKey(key_id=key.id, label="till 2"), tenant) == fewer
    assert len(await desk.told(ApiKeyChanged, tenant)) == 2
    for more in ((READ, WRITE), ()):
        with pytest.raises(ScopeRefused):
            await desk.keys.update(UpdateApiKey(key_id=key.id, scopes=more), tenant)


async def test_a_revoked_key_stays_listed_with_the_time_of_its_end(desk: Desk, tenant: TenantId) -> None:
    """Revoking twice is fine, and does not move the time; nothing else can be done with it."""
    key = (await desk.keys.issue(IssueApiKey(), tenant)).key
    query = RevokeApiKey(key_id=key.id)
    first, second = await desk.keys.revoke(query, tenant), await desk.keys.revoke(query, tenant)
    assert first == second
    assert first.revoked_at is not None
    assert (await desk.keys.list_all(ListApiKeys(), tenant)).items == (first,)
    assert (await desk.told(ApiKeyRevoked, tenant))[-1] == ApiKeyRevoked(
        key_id=key.id, revoked_at=first.revoked_at
    )
    assert (await desk.actions(tenant))[-2:] == ["api_key.issued", "api_key.revoked"]
    for refused in (
        desk.keys.rotate(RotateApiKey(key_id=key.id), tenant),
        desk.keys.update(UpdateApiKey(key_id=key.id, label="x"), tenant),
    ):
        with pytest.raises(ApiKeyEnded):
            await refused


async def test_pages_of_keys_follow_one_another(desk: Desk, tenant: TenantId) -> None:
    """Each once, in order of their issue."""
    made = [(await desk.keys.issue(IssueApiKey(), tenant)).key.id for _ in range(3)]
    first = await desk.keys.list_all(ListApiKeys(limit=2), tenant)
    assert first.next_cursor
    rest = await desk.keys.list_all(ListApiKeys(limit=2, cursor=ApiKeyId(first.next_cursor)), tenant)
    assert [key.id for key in (*first.items, *rest.items)] == made
    assert rest.next_cursor is None


async def test_working_keys_are_counted(desk: Desk, tenant: TenantId) -> None:
    """A revoked one makes room."""
    few = ApiKeys(desk.database, most_active=1)
    key = (await few.issue(IssueApiKey(), tenant)).key
    with pytest.raises(TooManyApiKeys):
        await few.issue(IssueApiKey(), tenant)
    await few.revoke(RevokeApiKey(key_id=key.id), tenant)
    assert await few.issue(IssueApiKey(), tenant)


async def test_an_unknown_tenant_has_no_keys(desk: Desk) -> None:
    """And can't get any."""
    nobody, key = TenantId.new(), ApiKeyId.new()
    for call in (
        desk.keys.issue(IssueApiKey(), nobody),
        desk.keys.list_all(ListApiKeys(), nobody),
        desk.keys.rotate(RotateApiKey(key_id=key), nobody),
        desk.keys.revoke(RevokeApiKey(key_id=key), nobody),
    ):
        with pytest.raises(NoSuchTenant):
            await call


async def test_another_tenant_can_not_see_change_or_end_a_key(desk: Desk, tenant: TenantId) -> None:
    """It is as if it were not there."""
    other, key = await desk.tenant("B"), (await desk.keys.issue(IssueApiKey(), tenant)).key
    assert (await desk.keys.list_all(ListApiKeys(), other)).items == ()
    for call in (
        desk.keys.get(GetApiKey(key_id=key.id), other),
        desk.keys.rotate(RotateApiKey(key_id=key.id), other),
        desk.keys.update(UpdateApiKey(key_id=key.id, label="mine"), other),
        desk.keys.revoke(RevokeApiKey(key_id=key.id), other),
    ):
        with pytest.raises(NoSuchApiKey):
            await call
    assert await desk.keys.get(GetApiKey(key_id=key.id), tenant) == key
