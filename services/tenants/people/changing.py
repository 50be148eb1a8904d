"""New passwords: by somebody who is signed in, or by the link of a letter."""

from __future__ import annotations

from datetime import UTC, datetime

from libs.common.audit.record import record
from libs.common.contracts.ids import TenantId, UserId
from libs.common.contracts.people import ChangePassword, Done, RequestPasswordReset, ResetPassword
from libs.common.db import Database, Row, Transaction
from libs.common.telemetry import logger
from services.tenants.mail.jobs import RESET_LIFE, Outgoing
from services.tenants.people import store
from services.tenants.people.access import end_sessions, tokens_end
from services.tenants.people.acting import by_user
from services.tenants.people.backoff import Attempt, Backoff
from services.tenants.people.emails import normalised
from services.tenants.people.errors import EmailInvalid, LinkDead, WrongPassword
from services.tenants.people.links import Presented, presented
from services.tenants.people.passwords import Passwords, refuse_weak
from services.tenants.people.store import sql

_MOST_TENANTS = 20
_log = logger("tenants.people")


class PasswordChanges:
    """The use cases."""

    def __init__(self, database: Database, passwords: Passwords, outgoing: Outgoing) -> None:
        self._database = database
        self._passwords = passwords
        self._outgoing = outgoing
        self._backoff = Backoff(database)

    async def change(self, query: ChangePassword, tenant: TenantId) -> Done:
        """NoSuchUser, WrongPassword, PasswordWeak, TooManyAttempts."""
        async with self._database.tenant(tenant) as tx:
            user = await store.get(tx, tenant, query.user_id)
        await self._check_current(query, user)
        refuse_weak(query.new, user["email"], user["name"])
        fresh = await self._passwords.hash(query.new)
        async with self._database.tenant(tenant) as tx:
            now = await store.lock(tx, tenant, query.user_id)
            if now["password_hash"] != user["password_hash"]:
                raise WrongPassword
            await tx.execute(sql.set_password, tenant, query.user_id, fresh)
            await tx.execute(sql.forget_reset, tenant, query.user_id)
            await end_sessions(tx, tenant, query.user_id, but=query.session_id)
            record(tx, "user.password_changed", query.user_id)
        return Done()

    async def ask_for_link(self, query: RequestPasswordReset) -> Done:
        """A letter goes to whoever has the address; the answer is the same if nobody has."""
        try:
            email = normalised(query.email)
        except EmailInvalid:
            return Done()
        async with self._database.platform("find who forgot a password") as tx:
            found = await tx.fetch(sql.users_by_email, email, None, _MOST_TENANTS)
        if found and not self._outgoing.sends:
            _log.warning("password_reset_not_sent", reason="no mail server is set")
            return Done()
        recently = datetime.now(UTC) + RESET_LIFE - self._outgoing.pause
        for user in found:
            async with self._database.tenant(TenantId(user["tenant_id"])) as tx:
                if await tx.fetchval(sql.insert_reset_mail, user["tenant_id"], user["id"], recently):
                    record(tx, "user.password_reset_asked", user["id"])
                    tx.after_commit.append(self._outgoing.wake)
        return Done()

    async def reset(self, query: ResetPassword) -> Done:
        """By the link: the password is new and every session ends. LinkDead, PasswordWeak."""
        given = presented(query.token.get_secret_value(), UserId)
        if given is None or given.tenant is None:
            raise LinkDead
        async with self._database.tenant(given.tenant) as tx:
            user = await _of_link(tx, given)
        refuse_weak(query.password, user["email"], user["name"])
        fresh = await self._passwords.hash(query.password)
        async with self._database.tenant(given.tenant) as tx:
            await self._use_up(tx, given.tenant, given, fresh)
        await self._backoff.succeeded(Attempt.of("user", user["email"], None))
        return Done()

    async def _use_up(self, tx: Transaction, tenant: TenantId, given: Presented[UserId], fresh: str) -> None:
        if not await tx.fetchval(sql.take_reset, tenant, given.row, given.sha256):
            raise LinkDead
        await tx.execute(sql.set_password, tenant, given.row, fresh)
        await end_sessions(tx, tenant, given.row)
        tokens_end(tx, given.row)
        record(tx, "user.password_reset", given.row, actor=by_user(given.row))

    async def _check_current(self, query: ChangePassword, user: Row) -> None:
        if user["password_hash"] is None and query.current is None:
            return
        attempt = Attempt.of("user", user["email"], None)
        await self._backoff.admit(attempt)
        given = query.current
        if given is None or not await self._passwords.fits(given, user["password_hash"]):
            raise WrongPassword(field="current_password")
        await self._backoff.forgive(attempt)


async def _of_link(tx: Transaction, given: Presented[UserId]) -> Row:
    row = await tx.fetchrow(sql.get_reset, given.tenant, given.row, given.sha256)
    if row is None:
        raise LinkDead
    return row
