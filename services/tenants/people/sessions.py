"""Sessions of users: opened, refreshed, listed, ended."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Literal

from libs.common.audit.record import record
from libs.common.contracts.ids import SessionId, TenantId
from libs.common.contracts.people import (
    Client,
    Done,
    EndSession,
    EndSessions,
    ListSessions,
    OpenedSession,
    RefreshSession,
    SessionList,
)
from libs.common.db import Database, Row, Transaction
from services.tenants.people import store
from services.tenants.people.access import end_sessions
from services.tenants.people.acting import by_user
from services.tenants.people.errors import NoSuchSession, SessionEnded
from services.tenants.people.links import Presented, digest, following, new_token, presented
from services.tenants.people.settings import PeopleSettings
from services.tenants.people.store import sql
from services.tenants.people.turning import Limits, Verdict, judge

Method = Literal["password", "sso", "invite"]


class Sessions:
    """The use cases."""

    def __init__(self, database: Database, settings: PeopleSettings) -> None:
        self._database = database
        self._life = settings.session_life
        self._limits = Limits(settings.session_idle, settings.refresh_grace)

    async def open(self, tx: Transaction, user: Row, method: Method, client: Client) -> OpenedSession:
        """A new one for the user, in the transaction that let them in."""
        tenant, session_id = TenantId(user["tenant_id"]), SessionId.new()
        token = new_token(session_id, tenant)
        expires_at = datetime.now(UTC) + self._life
        ip = str(client.ip) if client.ip else None
        place = (ip, client.user_agent, expires_at)
        await tx.fetchrow(sql.insert_session, tenant, session_id, user["id"], method, digest(token), *place)
        record(tx, "session.opened", session_id, actor=by_user(user["id"], client), method=method)
        return _opened(user, session_id, token, expires_at)

    async def refresh(self, query: RefreshSession) -> OpenedSession:
        """The next token, and the user as they are now. SessionEnded."""
        text = query.refresh_token.get_secret_value()
        given = presented(text, SessionId)
        if given is None or given.tenant is None:
            raise SessionEnded
        async with self._database.tenant(given.tenant) as tx:
            refreshed = await self._refreshed(tx, given.tenant, given, text)
        if refreshed is None:  # raised out here, as the end of the session is to be committed
            raise SessionEnded
        return refreshed

    async def end(self, query: EndSession) -> Done:
        """By its token; also by one that was turned over."""
        given = presented(query.refresh_token.get_secret_value(), SessionId)
        if given is None or given.tenant is None:
            return Done()
        async with self._database.tenant(given.tenant) as tx:
            row = await tx.fetchrow(sql.lock_session, given.tenant, given.row)
            if row and given.sha256 in (row["sha256"], row["previous_sha256"]):
                await self._end(tx, row, "signed_out")
        return Done()

    async def list(self, query: ListSessions, tenant: TenantId) -> SessionList:
        now = datetime.now(UTC)
        async with self._database.tenant(tenant) as tx:
            rows = await tx.fetch(sql.list_sessions, tenant, query.user_id, now, now - self._limits.idle)
        return SessionList(items=tuple(map(store.session, rows)))

    async def end_one(self, query: EndSessions, tenant: TenantId) -> Done:
        """NoSuchSession."""
        async with self._database.tenant(tenant) as tx:
            ended = await end_sessions(tx, tenant, query.user_id, only=query.session_id)
            if query.session_id and not ended:
                raise NoSuchSession
            record(tx, "session.ended", query.session_id or query.user_id, sessions=ended)
        return Done()

    async def _refreshed(
        self, tx: Transaction, tenant: TenantId, given: Presented[SessionId], text: str
    ) -> OpenedSession | None:
        row = await tx.fetchrow(sql.lock_session, tenant, given.row)
        now = datetime.now(UTC)
        verdict = judge(row, given.sha256, now, self._limits) if row else Verdict.DEAD
        if row and verdict is Verdict.REUSED:
            await self._end(tx, row, "token_reused")
        if row is None or verdict in (Verdict.REUSED, Verdict.DEAD):
            return None
        user = await tx.fetchrow(sql.user_of_session, tenant, row["user_id"])
        if user is None:
            return None
        seed = row["seed"] if verdict is Verdict.REPEAT else secrets.token_bytes(32)
        token = following(text, given.row, tenant, seed)
        if verdict is Verdict.TURN:
            await tx.execute(sql.turn_session, tenant, given.row, digest(token), seed, now)
        return _opened(user, given.row, token, row["expires_at"])

    async def _end(self, tx: Transaction, row: Row, why: str) -> None:
        ended = await end_sessions(tx, TenantId(row["tenant_id"]), row["user_id"], only=row["id"])
        if ended:
            record(tx, "session.ended", row["id"], actor=by_user(row["user_id"]), reason=why)


def _opened(user: Row, session_id: SessionId, token: str, expires_at: datetime) -> OpenedSession:
    return OpenedSession.model_validate(
        {
            "tenant": user["tenant_id"],
            "session_id": session_id,
            "user": store.user(user),
            "refresh_token": token,
            "expires_at": expires_at,
        }
    )
