"""From a credential to who calls."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from libs.common.api_keys import parse
from libs.common.contracts.access import ActorKind, Permission, StaffPermission
from libs.common.contracts.ids import ApiKeyId, StaffId, TenantId
from libs.common.contracts.tenants import TenantStatus
from libs.common.contracts.tokens import Claims, Realm
from services.gateway.auth.addresses import Address, counted_at
from services.gateway.auth.caller import Caller, Principal, StaffCaller, held
from services.gateway.auth.key_use import KeyUse
from services.gateway.auth.keyring import KeyRing, KnownKey
from services.gateway.auth.standing import Standing
from services.gateway.auth.tokens import TokenCheck, looks_like_token
from services.gateway.errors import (
    AddressNotAllowed,
    KeyExpired,
    KeyRevoked,
    TenantErased,
    TenantSuspended,
    TokenRevoked,
    TooManyRequests,
    Unauthorized,
)
from services.gateway.rate_limit import TokenBuckets


class Access:
    """Who may come in. strangers: a bucket for each address, from which wrong keys take."""

    def __init__(
        self,
        keys: KeyRing,
        tokens: TokenCheck,
        standing: Standing,
        strangers: TokenBuckets,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._keys = keys
        self._tokens = tokens
        self._standing = standing
        self._strangers = strangers
        self._clock = clock
        self.key_use = KeyUse()

    async def find(self, credential: str, address: Address | None) -> Principal:
        """Who has this key or this token. Unauthorized in all its kinds, AddressNotAllowed, Unavailable."""
        if looks_like_token(credential):
            return await self.by_token(credential, address)
        return await self.by_key(credential, address)

    async def by_key(self, text: str, address: Address | None) -> Caller:
        """Whose API key it is. Unauthorized, KeyExpired, KeyRevoked, AddressNotAllowed, TooManyRequests."""
        presented = parse(text)
        if presented is None:
            raise Unauthorized
        if not self._keys.holds(presented) and (seconds := self._strangers.wait(counted_at(address))):
            raise TooManyRequests(seconds, "Too many wrong keys came from this address.")
        known = await self._keys.find(presented)
        if known is None:
            self._strangers.admit(counted_at(address))
            raise Unauthorized
        self._check_key(known, address)
        self.key_use.seen(known.caller)
        return known.caller

    async def by_token(self, text: str, address: Address | None) -> Principal:
        """Whose access token it is. TokenInvalid, TokenExpired, TokenRevoked, and as for keys."""
        claims = await self._tokens.check(text)
        if self.revoked(claims):
            raise TokenRevoked
        if claims.aud is Realm.PLATFORM:
            return _staff(claims)
        caller = _caller(claims)
        self._check_tenant(caller.tenant)
        return await self._of_key(caller, address) if caller.kind is ActorKind.API_KEY else caller

    async def read(self, token: str) -> Claims:
        """What a token says, be it revoked. TokenInvalid, TokenExpired, Unavailable."""
        return await self._tokens.check(token)

    def revoked(self, claims: Claims) -> bool:
        """Whether the token, its session or its subject was revoked after it was issued."""
        return self._standing.revokes(
            token=claims.jti, session=claims.sid, subject=claims.sub, issued_at=claims.iat
        )

    def admits(self, caller: Principal) -> bool:
        """Whether a caller who was found before is still good: an answer may outlast the credential."""
        if caller.good_until is not None and caller.good_until <= self._clock():
            return False
        dead = self._standing.revokes(
            token=caller.token, session=caller.session, subject=caller.subject, issued_at=caller.issued_at
        )
        if isinstance(caller, StaffCaller) or (dead and caller.token):
            return not dead
        return self._keys.admits(caller) and not self._erased(caller.tenant)

    def suspended(self, caller: Principal) -> bool:
        """Whether the caller may look and no more."""
        return isinstance(caller, Caller) and self._standing.status(caller.tenant) is TenantStatus.SUSPENDED

    def check_still_in(self, tenant: TenantId) -> None:
        """Return if a change that a caller of the tenant began some time ago may yet be made. TenantErased,
        TenantSuspended.
        """
        self._check_tenant(tenant)
        if self._standing.status(tenant) is TenantStatus.SUSPENDED:
            raise TenantSuspended

    async def _of_key(self, caller: Caller, address: Address | None) -> Caller:
        """A token can do no more than the key that it was issued to, as the key is now."""
        known = await self._keys.of(caller.tenant, ApiKeyId(caller.subject))
        if known is None:
            raise KeyRevoked
        self._check_key(known, address)
        return replace(caller, permissions=caller.permissions & known.caller.permissions)

    def _check_key(self, known: KnownKey, address: Address | None) -> None:
        self._check_tenant(known.caller.tenant)
        if known.revoked:
            raise KeyRevoked
        if known.expires_at is not None and known.expires_at.timestamp() <= self._clock():
            raise KeyExpired
        if not known.allows(address):
            raise AddressNotAllowed(address)

    def _check_tenant(self, tenant: TenantId) -> None:
        if self._erased(tenant):
            raise TenantErased

    def _erased(self, tenant: TenantId) -> bool:
        return self._standing.status(tenant) is TenantStatus.ERASING


def _caller(claims: Claims) -> Caller:
    assert claims.tenant_id is not None
    return Caller(
        tenant=claims.tenant_id,
        subject=claims.sub,
        kind=_kind(claims),
        permissions=held(Permission, claims.scope.split()),
        test=claims.test,
        session=claims.sid,
        acting_for=claims.acting_for,
        token=claims.jti,
        issued_at=claims.iat,
        good_until=claims.exp,
    )


def _kind(claims: Claims) -> ActorKind:
    if claims.acting_for is not None or claims.sub.startswith(f"{StaffId.prefix}_"):
        return ActorKind.STAFF
    is_key = claims.sub.startswith(f"{ApiKeyId.prefix}_")
    return ActorKind.API_KEY if is_key else ActorKind.USER


def _staff(claims: Claims) -> StaffCaller:
    return StaffCaller(
        subject=claims.sub,
        permissions=held(StaffPermission, claims.scope.split()),
        session=claims.sid,
        token=claims.jti,
        issued_at=claims.iat,
        good_until=claims.exp,
    )
