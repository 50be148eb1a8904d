"""Who makes a request."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from libs.common.contracts.access import ActorKind, Permission, StaffPermission
from libs.common.contracts.ids import SessionId, TenantId, TokenId


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody of a tenant, by a verified credential: nothing else says whose rows are looked at.

    subject: id of the API key, the user, or the platform's person who acts inside the tenant (`acting_for`
    says why).
    test: of a test key, whose renders are small, marked and free.
    token, issued_at: id and `iat` of the access token, if it was one.
    good_until: when the credential runs out, in seconds since 1970; None: never.
    """

    tenant: TenantId
    subject: str
    kind: ActorKind
    permissions: frozenset[Permission]
    test: bool = False
    session: SessionId | None = None
    acting_for: str | None = None
    token: TokenId | None = None
    issued_at: int = 0
    good_until: float | None = None


@dataclass(frozen=True, slots=True)
class StaffCaller:
    """One of the platform's own people, in the realm of the platform: of no tenant."""

    subject: str
    permissions: frozenset[StaffPermission]
    session: SessionId | None = None
    token: TokenId | None = None
    issued_at: int = 0
    good_until: float | None = None

    kind = ActorKind.STAFF
    tenant = None
    test = False
    acting_for = None


Principal = Caller | StaffCaller
Realm = TypeVar("Realm", Permission, StaffPermission)


def held(realm: type[Realm], scopes: Iterable[str]) -> frozenset[Realm]:
    """The permissions that `scopes` name, but for what is unknown here: a newer release may have more."""
    named = frozenset(scopes)
    return frozenset(one for one in realm if one in named)
