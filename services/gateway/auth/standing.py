"""What was taken back: tenants that may not work any more, and tokens that are good but for that."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from libs.common.contracts.ids import TenantId
from libs.common.contracts.tenants import TenantStatus
from libs.common.db import Row


class Revoked(StrEnum):
    """What is revoked: one token, those of a session, or those of a subject."""

    TOKEN = "token"  # noqa: S105  # no password but a kind
    SESSION = "session"
    SUBJECT = "subject"


@dataclass(frozen=True, slots=True)
class Revocation:
    """Tokens of `name` that were issued before `before` are dead; after `until` they are so by themselves.

    Both in seconds since 1970.
    """

    kind: Revoked
    name: str
    before: float
    until: float

    @classmethod
    def of(cls, row: Row) -> Revocation:
        before, until = row["before"].timestamp(), row["until"].timestamp()
        return cls(Revoked(row["kind"]), row["name"], before, until)


class Standing:
    """All of it in memory: it is little, and looked at for every request."""

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._restricted: dict[TenantId, TenantStatus] = {}
        self._revoked: dict[tuple[Revoked, str], Revocation] = {}

    def learn_tenants(self, statuses: Iterable[tuple[TenantId, TenantStatus]]) -> None:
        """How tenants stand now."""
        for tenant, status in statuses:
            if status is TenantStatus.ACTIVE:
                self._restricted.pop(tenant, None)
            else:
                self._restricted[tenant] = status

    def learn_revocations(self, revocations: Iterable[Revocation]) -> None:
        """Of two for the same name the later counts."""
        for one in revocations:
            known = self._revoked.get((one.kind, one.name))
            if known is None or known.before < one.before:
                self._revoked[one.kind, one.name] = one

    def status(self, tenant: TenantId) -> TenantStatus:
        """Active unless something else was heard."""
        return self._restricted.get(tenant, TenantStatus.ACTIVE)

    def revokes(self, *, token: str | None, session: str | None, subject: str | None, issued_at: int) -> bool:
        """Whether a token is dead. issued_at: its `iat`, whole seconds, so of the last second before counts
        as before.
        """
        names = ((Revoked.TOKEN, token), (Revoked.SESSION, session), (Revoked.SUBJECT, subject))
        found = [self._revoked.get((kind, name)) for kind, name in names if name is not None]
        return any(one is not None and issued_at < one.before for one in found)

    def forget_dead(self) -> None:
        """Drop what concerns no living token any more."""
        now = self._clock()
        self._revoked = {key: one for key, one in self._revoked.items() if one.until > now}
