"""Having an access token signed by the vault's service."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from typing import Protocol

from libs.common.bus.bus import Bus
from libs.common.contracts.access import AnyPermission
from libs.common.contracts.ids import SessionId, TenantId
from libs.common.contracts.tokens import IssuedToken, Realm, SignToken
from services.gateway.auth.standing import Standing

LIFETIME_S = 600
LIMIT_S = 5.0
MOST_WAITS = 4
"""Seconds that a revocation may reach into the future, and one for the rest of this one."""


class Speaks(Protocol):
    """What `Gateway` is to this module."""

    @property
    def bus(self) -> Bus: ...

    @property
    def standing(self) -> Standing: ...


async def issue(
    gateway: Speaks,
    *,
    tenant: TenantId | None,
    subject: str,
    permissions: Iterable[AnyPermission],
    session: SessionId | None = None,
    lifetime_s: int = LIFETIME_S,
    test: bool = False,
    acting_for: str | None = None,
) -> IssuedToken:
    """A token for `subject` in `tenant`, or in the platform's realm where that is None. Unavailable.

    It lives for `lifetime_s` seconds at most: the vault's service cuts what is too long. Where tokens of the
    subject were revoked a moment ago, it is issued once one counts as of afterwards: `iat` has whole seconds,
    and a revocation reaches a little into the future, for tokens that are signed while it is on its way.
    """
    query = SignToken(
        aud=Realm.TENANT if tenant else Realm.PLATFORM,
        sub=subject,
        scope=" ".join(sorted(permissions)),
        sid=session,
        lifetime_s=lifetime_s,
        test=test,
        acting_for=acting_for,
    )
    for _ in range(MOST_WAITS):
        issued = await gateway.bus.request(query, tenant=tenant, timeout=LIMIT_S)
        if not gateway.standing.revokes(
            token=None, session=None, subject=subject, issued_at=issued.claims.iat
        ):
            return issued
        await asyncio.sleep(1 - time.time() % 1)
    return await gateway.bus.request(query, tenant=tenant, timeout=LIMIT_S)
