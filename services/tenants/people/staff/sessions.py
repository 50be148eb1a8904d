"""Sessions of the staff: short ones."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

from libs.common.audit.record import record
from libs.common.contracts.ids import SessionId
from libs.common.contracts.people import Client, Done
from libs.common.contracts.staff import EndStaffSession, RefreshStaffSession, StaffSession
from libs.common.db import Database, Row, Transaction
from services.tenants.people.acting import by_staff
from services.tenants.people.errors import SessionEnded
from services.tenants.people.links import Presented, digest, following, new_token, presented
from services.tenants.people.settings import PeopleSettings
from services.tenants.people.staff import store
from services.tenants.people.staff.store import sql
from services.tenants.people.turning import Limits, Verdict, judge

_REASON = "keep sessions of staff"


class StaffSessions:
    """The use cases."""

    def __init__(self, database: Database, settings: PeopleSettings) -> None:
        self._database = database
        self._life = settings.staff_session_life
        self._limits = Limits(settings.staff_session_idle, settings.refresh_grace)

    async def open(self, tx: Transaction, row: Row, client: Client) -> StaffSession:
        """A new one, in the transaction that let the person in."""
        session_id = SessionId.new()
        token, expires_at = new_token(session_id), datetime.now(UTC) + self._life
        ip = str(client.ip) if client.ip else None
        place = (ip, client.user_agent, expires_at)
        await tx.execute(sql.insert_session, session_id, row["id"], digest(token), *place)
        record(tx, "staff.session_opened", session_id, actor=by_staff(row["id"], client))
        return _opened(row, session_id, token, expires_at)

    async def refresh(self, query: RefreshStaffSession) -> StaffSession:
        """SessionEnded."""
        text = query.refresh_token.get_secret_value()
        given = presented(text, SessionId, of_tenant=False)
        if given is None:
            raise SessionEnded
        async with self._database.platform(_REASON) as tx:
            refreshed = await self._refreshed(tx, given, text)
        if refreshed is None:  # raised out here, as the end of the session is to be committed
            raise SessionEnded
        return refreshed

    async def end(self, query: EndStaffSession) -> Done:
        """By its token; also by one that was turned over."""
        given = presented(query.refresh_token.get_secret_value(), SessionId, of_tenant=False)
        if given is None:
            return Done()
        async with self._database.platform(_REASON) as tx:
            row = await tx.fetchrow(sql.lock_session, given.row)
            if row and given.sha256 in (row["sha256"], row["previous_sha256"]):
                await _end(tx, row, "signed_out")
        return Done()

    async def _refreshed(
        self, tx: Transaction, given: Presented[SessionId], text: str
    ) -> StaffSession | None:
        row = await tx.fetchrow(sql.lock_session, given.row)
        now = datetime.now(UTC)
        verdict = judge(row, given.sha256, now, self._limits) if row else Verdict.DEAD
        if row and verdict is Verdict.REUSED:
            await _end(tx, row, "token_reused")
        if row is None or verdict in (Verdict.REUSED, Verdict.DEAD):
            return None
        person = await tx.fetchrow(sql.active, row["staff_id"])
        if person is None:
            return None
        seed = row["seed"] if verdict is Verdict.REPEAT else secrets.token_bytes(32)
        token = following(text, given.row, None, seed)
        if verdict is Verdict.TURN:
            await tx.execute(sql.turn_session, given.row, digest(token), seed, now)
        return _opened(person, given.row, token, row["expires_at"])


async def _end(tx: Transaction, row: Row, why: str) -> None:
    if await store.end_sessions(tx, row["staff_id"], row["id"]):
        record(tx, "staff.session_ended", row["id"], actor=by_staff(row["staff_id"]), reason=why)


def _opened(row: Row, session_id: SessionId, token: str, expires_at: datetime) -> StaffSession:
    return StaffSession.model_validate(
        {
            "session_id": session_id,
            "staff": store.staff(row),
            "refresh_token": token,
            "expires_at": expires_at,
        }
    )
