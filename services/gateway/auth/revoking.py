"""Taking an access token back before it runs out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol

from libs.common.audit.record import record
from libs.common.bus.bus import Bus
from libs.common.contracts.tenants import ApiKeysChanged
from libs.common.contracts.tokens import Claims
from libs.common.db import Database
from libs.common.errors import Refusal
from services.gateway.auth.access import Access
from services.gateway.auth.caller import Principal
from services.gateway.auth.standing import Revocation, Revoked, Standing
from services.gateway.auth.tokens import LEEWAY_S
from services.gateway.store import sql


class Revokes(Protocol):
    """What `Gateway` is to this module."""

    @property
    def bus(self) -> Bus: ...

    @property
    def database(self) -> Database: ...

    @property
    def access(self) -> Access: ...

    @property
    def standing(self) -> Standing: ...


async def revoke(gateway: Revokes, caller: Principal, token: str) -> None:
    """End a token of the caller's own tenant, or realm, in every replica; nothing where it is none.

    It is in the table that all replicas read several times a second, and so outlives them.
    """
    try:
        claims = await gateway.access.read(token)
    except Refusal:
        return
    if claims.tenant_id == caller.tenant and not gateway.access.revoked(claims):
        await _store(gateway, claims)
        await gateway.bus.signal(ApiKeysChanged())


async def _store(gateway: Revokes, claims: Claims) -> None:
    # Tokens of one second in the future, as clocks differ, are of before as well.
    before, until = datetime.now(UTC) + timedelta(seconds=2 * LEEWAY_S), claims.exp + 2 * LEEWAY_S
    ends = datetime.fromtimestamp(until, UTC)
    tenant = claims.tenant_id
    rows = gateway.database.tenant(tenant) if tenant else gateway.database.platform("revoke a token")
    async with rows as tx:
        await tx.execute(sql.insert_revocation, tenant, Revoked.TOKEN, claims.jti, before, ends)
        record(tx, "token.revoked", claims.jti, subject=claims.sub)
    gateway.standing.learn_revocations(
        [Revocation(Revoked.TOKEN, claims.jti, before.timestamp(), float(until))]
    )
