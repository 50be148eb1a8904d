"""What can be done with a tenant's API keys."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from libs.common.api_keys import generate
from libs.common.audit import current_actor
from libs.common.audit.record import record
from libs.common.contracts.ids import ApiKeyId, TenantId
from libs.common.contracts.tenants import (
    ApiKey,
    ApiKeyChanged,
    ApiKeyIssued,
    ApiKeyList,
    ApiKeyRevoked,
    GetApiKey,
    IssueApiKey,
    IssuedApiKey,
    ListApiKeys,
    RevokeApiKey,
    RotateApiKey,
    UpdateApiKey,
)
from libs.common.contracts.tokens import AccessRevoked
from libs.common.db import Database, Row, Transaction
from services.tenants import key_terms, store
from services.tenants.errors import ApiKeyEnded, ApiKeyReplaced, NoSuchApiKey, TooManyApiKeys
from services.tenants.key_terms import KeyTerms
from services.tenants.store import sql

MOST_ACTIVE = 1000
LONGEST_TOKEN = timedelta(minutes=20)
"""Longer than any token lives that was issued to a key (15 minutes)."""


class ApiKeys:
    """The use cases; the gateway is told of each change with its transaction."""

    def __init__(self, database: Database, *, most_active: int = MOST_ACTIVE) -> None:
        self._database = database
        self._most_active = most_active

    async def issue(self, query: IssueApiKey, tenant: TenantId) -> IssuedApiKey:
        """A new key, whose secret is in this reply and nowhere else.

        NoSuchTenant, TenantIsErasing, TooManyApiKeys, ScopeRefused, ScopeBeyondCaller, NetworkInvalid,
        ExpiryPassed.
        """
        scopes = key_terms.scopes(query.scopes, query.at_most)
        networks = key_terms.networks(query.allowed_ips)
        key_terms.check_end(query.expires_at, datetime.now(UTC))
        async with self._database.tenant(tenant) as tx:
            await self._room(tx, tenant)
            terms = KeyTerms(query.mode, query.label, scopes, networks, query.expires_at)
            made = await _insert(tx, tenant, terms)
            _record(tx, "api_key.issued", made.key)
        return made

    async def rotate(self, query: RotateApiKey, tenant: TenantId) -> IssuedApiKey:
        """A new key in an old one's place, which works a while longer.

        NoSuchTenant, TenantIsErasing, NoSuchApiKey, ApiKeyEnded, ApiKeyReplaced, TooManyApiKeys,
        ScopeBeyondCaller, ExpiryPassed.
        """
        now = datetime.now(UTC)
        key_terms.check_end(query.expires_at, now)
        async with self._database.tenant(tenant) as tx:
            await self._room(tx, tenant)
            old = _working(await store.lock_key(tx, tenant, query.key_id), now)
            if old.replaced_by:
                raise ApiKeyReplaced
            scopes = key_terms.scopes(old.scopes, query.at_most)
            ends = query.expires_at or key_terms.lifetime(old.created_at, old.expires_at, now)
            made = await _insert(tx, tenant, KeyTerms(old.mode, old.label, scopes, old.allowed_ips, ends))
            row = await tx.fetchrow(sql.replace_api_key, tenant, old.id, made.key.id, query.overlap_s)
            assert row is not None
            _tell(tx, row)
            if not query.overlap_s:
                _tokens_end(tx, old.id)
            record(tx, "api_key.rotated", old.id, replaced_by=made.key.id, overlap_s=query.overlap_s)
        return made

    async def update(self, query: UpdateApiKey, tenant: TenantId) -> ApiKey:
        """NoSuchTenant, TenantIsErasing, NoSuchApiKey, ApiKeyEnded, ScopeRefused, NetworkInvalid."""
        async with self._database.tenant(tenant) as tx:
            await store.lock(tx, tenant)
            before = _working(await store.lock_key(tx, tenant, query.key_id), datetime.now(UTC))
            after = _changed(before, query)
            if after == before:
                return before
            columns = (after.label, after.scopes, after.allowed_ips)
            row = await tx.fetchrow(sql.update_api_key, tenant, before.id, *columns)
            assert row is not None
            _tell(tx, row)
            if after.scopes != before.scopes:
                _tokens_end(tx, before.id)
            _record(tx, "api_key.changed", after)
        return store.api_key(row)

    async def get(self, query: GetApiKey, tenant: TenantId) -> ApiKey:
        """NoSuchTenant, NoSuchApiKey."""
        async with self._database.tenant(tenant) as tx:
            await store.must_exist(tx, tenant)
            row = await tx.fetchrow(sql.get_api_key, tenant, query.key_id)
            if row is None:
                raise NoSuchApiKey
        return store.api_key(row)

    async def list_all(self, query: ListApiKeys, tenant: TenantId) -> ApiKeyList:
        """NoSuchTenant."""
        async with self._database.tenant(tenant) as tx:
            await store.must_exist(tx, tenant)
            rows = await tx.fetch(sql.list_api_keys, tenant, query.cursor, query.active, query.limit + 1)
        page = tuple(map(store.api_key, rows[: query.limit]))
        return ApiKeyList(items=page, next_cursor=page[-1].id if len(rows) > query.limit else None)

    async def revoke(self, query: RevokeApiKey, tenant: TenantId) -> ApiKey:
        """Told again if it is revoked again, for a gateway that missed it. NoSuchTenant, NoSuchApiKey."""
        async with self._database.tenant(tenant) as tx:
            await store.must_exist(tx, tenant)
            before = await store.lock_key(tx, tenant, query.key_id)
            row = await tx.fetchrow(sql.revoke_api_key, tenant, query.key_id)
            assert row is not None
            tx.publish(ApiKeyRevoked(key_id=query.key_id, revoked_at=row["revoked_at"]))
            if before["revoked_at"] is None:
                _tokens_end(tx, query.key_id)
                record(tx, "api_key.revoked", query.key_id)
        return store.api_key(row)

    async def _room(self, tx: Transaction, tenant: TenantId) -> None:
        """Whoever holds the tenant's row is alone in counting."""
        await store.lock(tx, tenant)
        if await tx.fetchval(sql.count_active_keys, tenant) >= self._most_active:
            raise TooManyApiKeys(
                f"There are {self._most_active} working keys. Revoke one that is no longer needed."
            )


async def _insert(tx: Transaction, tenant: TenantId, terms: KeyTerms) -> IssuedApiKey:
    key, by = generate(terms.mode), current_actor()
    row = await tx.fetchrow(
        sql.insert_api_key,
        tenant,
        ApiKeyId.new(),
        key.mode,
        key.public_id,
        key.sha256,
        terms.label,
        terms.scopes,
        terms.expires_at,
        terms.networks,
        by.id if by else None,
    )
    assert row is not None
    issued = store.api_key(row)
    tx.publish(
        ApiKeyIssued(
            key_id=issued.id,
            public_id=key.public_id,
            sha256=key.sha256,
            mode=key.mode,
            scopes=issued.scopes,
            expires_at=issued.expires_at,
            allowed_ips=issued.allowed_ips,
        )
    )
    return IssuedApiKey(key=issued, secret=key.secret)


def _working(row: Row, now: datetime) -> ApiKey:
    key = store.api_key(row)
    if key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= now):
        raise ApiKeyEnded
    return key


def _changed(key: ApiKey, query: UpdateApiKey) -> ApiKey:
    """ScopeRefused, NetworkInvalid."""
    changes: dict[str, object] = {}
    if query.label is not None:
        changes["label"] = query.label
    if query.scopes is not None:
        changes["scopes"] = key_terms.fewer_scopes(query.scopes, key.scopes)
    if query.allowed_ips is not None:
        changes["allowed_ips"] = key_terms.networks(query.allowed_ips)
    return key.model_copy(update=changes)


def _tell(tx: Transaction, row: Row) -> None:
    key = store.api_key(row)
    tx.publish(
        ApiKeyChanged(
            key_id=key.id,
            scopes=key.scopes,
            expires_at=key.expires_at,
            allowed_ips=key.allowed_ips,
            revision=row["revision"],
        )
    )


def _tokens_end(tx: Transaction, key_id: ApiKeyId) -> None:
    """Tokens that the key was exchanged for say what it could do then."""
    now = datetime.now(UTC)
    tx.publish(AccessRevoked(subject=key_id, before=now, until=now + LONGEST_TOKEN))


def _record(tx: Transaction, action: str, key: ApiKey) -> None:
    """A key's label is the tenant's own words, and stays out of the audit log."""
    record(
        tx,
        action,
        key.id,
        mode=key.mode,
        scopes=list(key.scopes),
        expires_at=key.expires_at.isoformat() if key.expires_at else None,
        allowed_ips=list(key.allowed_ips),
    )
