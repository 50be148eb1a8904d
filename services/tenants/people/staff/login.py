"""How the staff gets in: always by two factors.

The first sign-in is in two steps: the given password brings a secret for an authenticator app, and nothing
else; the second time it comes with a code of that and with a password of one's own.
"""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic import SecretStr

from libs.common.audit.record import record
from libs.common.bus.bus import Bus
from libs.common.contracts.people import TotpEnrolment
from libs.common.contracts.staff import LogInStaff, StaffLogin
from libs.common.contracts.tokens import ProtectSecret, RevealSecret, SecretPurpose
from libs.common.db import Database, Row, Transaction
from services.tenants.people import codes
from services.tenants.people.acting import by_staff
from services.tenants.people.backoff import Attempt, Backoff
from services.tenants.people.emails import normalised
from services.tenants.people.errors import (
    EmailInvalid,
    LoginFailed,
    NewPasswordRequired,
    TotpRequired,
    WrongCode,
)
from services.tenants.people.passwords import Passwords, refuse_weak
from services.tenants.people.staff.sessions import StaffSessions
from services.tenants.people.staff.store import sql

ISSUER = "Invisible Mannequin platform"
_REASON = "sign in staff"


class StaffLogins:
    """The use case."""

    def __init__(self, database: Database, bus: Bus, passwords: Passwords, sessions: StaffSessions) -> None:
        self._database = database
        self._bus = bus
        self._passwords = passwords
        self._sessions = sessions
        self._backoff = Backoff(database)

    async def log_in(self, query: LogInStaff) -> StaffLogin:
        """LoginFailed, TotpRequired, TooManyAttempts; the first time WrongCode, PasswordWeak,
        NewPasswordRequired.
        """
        email = _known_form(query.email)
        attempt = Attempt.of("staff", email, query.client.ip)
        await self._backoff.admit(attempt)
        async with self._database.platform(_REASON) as tx:
            row = await tx.fetchrow(sql.by_email, email)
        kept = None if row is None else row["password_hash"]
        if not await self._passwords.fits(query.password, kept) or row is None:
            raise LoginFailed
        if query.code is None:
            await self._backoff.forgive(attempt)
        answer = await (self._known(row, query) if row["totp_active"] else self._first(row, query))
        if answer.session:
            await self._backoff.succeeded(attempt)
        return answer

    async def _known(self, row: Row, query: LogInStaff) -> StaffLogin:
        if query.code is None:
            raise TotpRequired
        if not await self._takes(row, query.code):
            raise LoginFailed
        before = row["password_hash"]
        renewed = await self._passwords.hash(query.password) if self._passwords.is_dated(before) else None
        async with self._database.platform(_REASON) as tx:
            now = await tx.fetchrow(sql.signed_in, row["id"], before, renewed)
            if now is None:
                raise LoginFailed
            return StaffLogin(session=await self._sessions.open(tx, now, query.client))

    async def _first(self, row: Row, query: LogInStaff) -> StaffLogin:
        if query.code is None:
            return StaffLogin(enrolment=await self._enrolment(row))
        if query.new_password is None:
            raise NewPasswordRequired
        refuse_weak(query.new_password, row["email"], row["name"], query.password.get_secret_value())
        step = await self._step(row, query.code)
        if step is None:
            raise WrongCode
        fresh = await self._passwords.hash(query.new_password)
        async with self._database.platform(_REASON) as tx:
            return await self._enrolled(tx, row, (fresh, step), query)

    async def _enrolled(
        self, tx: Transaction, row: Row, kept: tuple[str, int], query: LogInStaff
    ) -> StaffLogin:
        now = await tx.fetchrow(sql.enrol, row["id"], row["totp_ciphertext"], *kept)
        if now is None:
            raise WrongCode
        fresh = codes.new_recovery_codes()
        await tx.execute(sql.insert_recovery_codes, row["id"], [codes.recovery_digest(c) for c in fresh])
        record(tx, "staff.enrolled", row["id"], actor=by_staff(row["id"], query.client))
        session = await self._sessions.open(tx, now, query.client)
        return StaffLogin(session=session, recovery_codes=tuple(map(SecretStr, fresh)))

    async def _enrolment(self, row: Row) -> TotpEnrolment:
        secret = codes.new_secret()
        protect = ProtectSecret(purpose=SecretPurpose.TOTP, owner=row["id"], secret=SecretStr(secret))
        kept = await self._bus.request(protect)
        async with self._database.platform(_REASON) as tx:
            if await tx.fetchval(sql.begin_totp, row["id"], kept.ciphertext) is None:
                raise LoginFailed
        uri = codes.uri(secret, row["email"], ISSUER)
        return TotpEnrolment(secret=SecretStr(secret), uri=SecretStr(uri))

    async def _takes(self, row: Row, code: SecretStr) -> bool:
        """Whether it is a code of now, or a recovery code; it is used up."""
        async with self._database.platform(_REASON) as tx:
            digest = codes.recovery_digest(code.get_secret_value())
            if await tx.fetchval(sql.take_recovery_code, row["id"], digest):
                record(tx, "staff.recovery_code_used", row["id"], actor=by_staff(row["id"]))
                return True
        step = await self._step(row, code)
        if step is None:
            return False
        async with self._database.platform(_REASON) as tx:
            return bool(await tx.fetchval(sql.take_totp, row["id"], row["totp_ciphertext"], step))

    async def _step(self, row: Row, code: SecretStr) -> int | None:
        if row["totp_ciphertext"] is None:
            return None
        reveal = RevealSecret(purpose=SecretPurpose.TOTP, owner=row["id"], ciphertext=row["totp_ciphertext"])
        secret = (await self._bus.request(reveal)).secret.get_secret_value()
        return codes.step_of(secret, code.get_secret_value(), datetime.now(UTC), row["totp_step"])


def _known_form(email: str) -> str:
    try:
        return normalised(email)
    except EmailInvalid:
        return email.lower()
