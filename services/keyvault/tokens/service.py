"""The use cases: signing a token, giving the public keys, and a new key."""

from __future__ import annotations

from datetime import datetime, timedelta

from libs.common.audit.record import record
from libs.common.bus.bus import Bus
from libs.common.contracts.access import Actor, ActorKind, Permission, StaffPermission
from libs.common.contracts.ids import ApiKeyId, Id, StaffId, TenantId, TokenId, UserId
from libs.common.contracts.message import Secret
from libs.common.contracts.tokens import (
    Claims,
    GetTokenKeys,
    IssuedToken,
    Realm,
    RotateTokenKey,
    SignToken,
    TokenKeys,
    TokenKeysChanged,
)
from libs.common.db import Database
from libs.common.errors import Invalid
from services.keyvault.clock import Clock, utc_now
from services.keyvault.tokens.jwt import compact, signing_input
from services.keyvault.tokens.keys import LONGEST, KeyBook
from services.keyvault.tokens.vault import TokenVault

LONGEST_PLAIN = timedelta(minutes=15)


class Tokens:
    """Signing for the gateway, and the key for everybody."""

    def __init__(
        self, database: Database, vault: TokenVault, bus: Bus, book: KeyBook, *, clock: Clock = utc_now
    ) -> None:
        self._database = database
        self._vault = vault
        self._bus = bus
        self._book = book
        self._clock = clock

    async def sign(self, query: SignToken, tenant: TenantId | None) -> IssuedToken:
        """A token with the life that was asked for, or the longest there is. Invalid, VaultUnavailable."""
        check(query, tenant)
        claims, key = _claims(query, tenant, self._clock()), await self._book.signing()
        signed = signing_input(key.kid, claims)
        token = compact(signed, await self._vault.sign_token(key.version, signed))
        if tenant is not None and query.acting_for is not None:
            await self._tell(tenant, claims)
        return IssuedToken(token=Secret(token), claims=claims)

    async def keys(self, _: GetTokenKeys) -> TokenKeys:
        """The JWK set. VaultUnavailable."""
        return await self._book.jwks()

    async def rotate(self, _: RotateTokenKey) -> TokenKeys:
        """A new key, which signs once every gateway has had the time to hear of it. VaultUnavailable."""
        await self._vault.rotate_token_key()
        self._book.forget()
        keys = await self._book.jwks()
        async with self._database.platform("record a new token key") as tx:
            record(tx, "token_key.rotated", str(keys.keys[-1]["kid"]))
        await self._bus.signal(TokenKeysChanged())
        return keys

    async def _tell(self, tenant: TenantId, claims: Claims) -> None:
        """One of the platform's people gets into a tenant: no token leaves before that is on record."""
        who = Actor(kind=ActorKind.STAFF, id=claims.sub, acting_for=claims.acting_for)
        async with self._database.tenant(tenant) as tx:
            record(tx, "token.issued", claims.jti, actor=who, session=claims.sid, expires=claims.exp)


def check(query: SignToken, tenant: TenantId | None) -> None:
    """Invalid unless realm, tenant, subject and scope belong together."""
    if (query.aud is Realm.TENANT) != (tenant is not None):
        raise Invalid("a token of the tenants' realm is for a tenant, one of the platform's for none")
    if not any(_is(kind, query.sub) for kind in _subjects(query)):
        raise Invalid("this subject gets no such token", field="sub")
    known = Permission if query.aud is Realm.TENANT else StaffPermission
    if not set(query.scope.split()) <= set(known):
        raise Invalid("the scope names a permission that is not of this realm", field="scope")


def _subjects(query: SignToken) -> tuple[type[Id], ...]:
    if query.aud is Realm.PLATFORM:
        return () if query.acting_for else (StaffId,)
    return (StaffId,) if query.acting_for else (UserId, ApiKeyId)


def _is(kind: type[Id], text: str) -> bool:
    try:
        kind(text)
    except ValueError:
        return False
    return True


def _claims(query: SignToken, tenant: TenantId | None, now: datetime) -> Claims:
    longest = LONGEST if query.acting_for else LONGEST_PLAIN
    issued = int(now.timestamp())
    return Claims(
        aud=query.aud,
        sub=query.sub,
        tenant_id=tenant,
        scope=query.scope,
        sid=query.sid,
        jti=TokenId.new(),
        iat=issued,
        exp=issued + min(query.lifetime_s, int(longest.total_seconds())),
        test=query.test,
        acting_for=query.acting_for,
    )
