"""Signing in with a password, in whichever tenant it is."""

from __future__ import annotations

from libs.common.contracts.access import Role
from libs.common.contracts.ids import TenantId, UserId
from libs.common.contracts.people import LogIn, LoginOutcome, OpenedSession, TenantChoice
from libs.common.db import Database, Row
from services.tenants.people.backoff import Attempt, Backoff
from services.tenants.people.emails import normalised
from services.tenants.people.errors import EmailInvalid, LoginFailed, SsoRequired, TotpRequired
from services.tenants.people.passwords import Passwords
from services.tenants.people.second_factor import SecondFactor
from services.tenants.people.sessions import Sessions
from services.tenants.people.store import sql

_MOST_TENANTS = 5
"""Hashes that one request may cost; whoever is in more tenants names one."""


class Logins:
    """The use case. Every way to fail answers alike and takes one hash at least."""

    def __init__(
        self,
        database: Database,
        passwords: Passwords,
        factor: SecondFactor,
        sessions: Sessions,
    ) -> None:
        self._database = database
        self._passwords = passwords
        self._factor = factor
        self._sessions = sessions
        self._backoff = Backoff(database)

    async def log_in(self, query: LogIn) -> LoginOutcome:
        """LoginFailed, TotpRequired, SsoRequired, TooManyAttempts."""
        email = _known_form(query.email)
        attempt = Attempt.of("user", email, query.client.ip)
        await self._backoff.admit(attempt)
        right = await self._where_right(email, query)
        if not right:
            raise LoginFailed
        if len(right) > 1:
            await self._backoff.forgive(attempt)
            return LoginOutcome(choices=tuple(map(_choice, right)))
        if right[0]["sso_enforced"] and right[0]["role"] != Role.OWNER:
            await self._backoff.forgive(attempt)
            raise SsoRequired
        try:
            opened = await self._admitted(right[0], query)
        except TotpRequired:
            await self._backoff.forgive(attempt)
            raise
        await self._backoff.forgive(attempt)  # and no more: guesses in other tenants count on
        return LoginOutcome(session=opened)

    async def _where_right(self, email: str, query: LogIn) -> list[Row]:
        """Users with that address whose password it is."""
        async with self._database.platform("find who signs in") as tx:
            found = await tx.fetch(sql.users_by_email, email, query.tenant, _MOST_TENANTS)
        right = [row for row in found if await self._passwords.fits(query.password, row["password_hash"])]
        if not found:
            await self._passwords.fits(query.password, None)
        return right

    async def _admitted(self, user: Row, query: LogIn) -> OpenedSession:
        tenant, before = TenantId(user["tenant_id"]), user["password_hash"]
        if user["totp_active"]:
            await self._check_code(user, query)
        renewed = None
        if self._passwords.is_dated(before):
            renewed = await self._passwords.hash(query.password)
        async with self._database.tenant(tenant) as tx:
            row = await tx.fetchrow(sql.signed_in, tenant, user["id"], before, renewed)
            if row is None or row["totp_active"] != user["totp_active"]:
                raise LoginFailed
            return await self._sessions.open(tx, row, "password", query.client)

    async def _check_code(self, user: Row, query: LogIn) -> None:
        if query.code is None:
            raise TotpRequired
        tenant, user_id = TenantId(user["tenant_id"]), UserId(user["id"])
        if not await self._factor.takes(tenant, user_id, query.code):
            raise LoginFailed


def _known_form(email: str) -> str:
    """What can't be an address is nobody's: no other answer than for an unknown one."""
    try:
        return normalised(email)
    except EmailInvalid:
        return email.lower()


def _choice(row: Row) -> TenantChoice:
    return TenantChoice(id=row["tenant_id"], name=row["tenant_name"])
