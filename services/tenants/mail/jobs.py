"""Letters that wait to be sent.

A row holds ids alone. The token of a link is made at the moment of sending and its hash stored before the
letter leaves: no token is ever at rest. A letter that is sent twice, as a process died in between, makes the
first one's link dead.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from libs.common.contracts.ids import InviteId, TenantId, UserId
from libs.common.contracts.people import Language
from libs.common.db import Database, Queries, Row, Transaction
from libs.common.errors import MannequinError, Permanent
from libs.common.telemetry import logger
from services.tenants.mail.brand import BrandOf
from services.tenants.mail.letters import Kind, Letter, written
from services.tenants.mail.smtp import Post
from services.tenants.people.links import digest, new_token

RESET_LIFE = timedelta(hours=1)
_AT_ONCE = 8
_ATTEMPTS = 10
_EVERY_S = 5.0
_PAGES = {Kind.INVITE: "invite", Kind.PASSWORD_RESET: "reset-password"}
sql = Queries(__package__)
_log = logger("tenants.mail")


class Outgoing:
    """What those who write letters need to know. sends: whether there is a mail server at all.

    pause: between two letters with a way to a new password.
    """

    def __init__(self, public_url: str, *, sends: bool) -> None:
        self._public_url = public_url.rstrip("/")
        self.sends = sends
        self.pause = timedelta(minutes=1)
        self.due = asyncio.Event()

    def wake(self) -> None:
        self.due.set()

    def link(self, page: str, token: str) -> str:
        """The token stands in the fragment, which no server and no log gets to see."""
        return f"{self._public_url}/{page}#{token}"


class MailSender:
    """Sends what is due, until cancelled; any number of instances may run."""

    def __init__(
        self, database: Database, post: Post, outgoing: Outgoing, brand_of: BrandOf, sender: str
    ) -> None:
        self._database = database
        self._post = post
        self._outgoing = outgoing
        self._brand_of = brand_of
        self._sender = sender

    async def run(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(_EVERY_S):
                    await self._outgoing.due.wait()
            self._outgoing.due.clear()
            try:
                while await self.send_due():
                    pass
            except MannequinError as error:
                _log.warning("letters_wait", reason=error.detail)

    async def send_due(self) -> int:
        """Once; how many were due."""
        async with self._database.platform("send letters") as tx:
            jobs = await tx.fetch(sql.claim_mails, _AT_ONCE)
        await asyncio.gather(*(self._send(job) for job in jobs))
        return len(jobs)

    async def _send(self, job: Row) -> None:
        tenant = TenantId(job["tenant_id"])
        async with self._database.tenant(tenant) as tx:
            letter = await self._letter(tx, tenant, job)
        pause: float | None = None
        if letter is not None:
            pause = await self._sent(job, letter)
        async with self._database.tenant(tenant) as tx:
            if pause is None:
                await tx.execute(sql.delete_mail, tenant, job["id"])
            else:
                await tx.execute(sql.later, tenant, job["id"], pause)

    async def _sent(self, job: Row, letter: Letter) -> float | None:
        """None if nothing is left to do; seconds to the next attempt."""
        try:
            await self._post.send(written(letter, self._sender))
        except Permanent as error:
            _log.warning("letter_refused", kind=letter.kind, reason=error.detail)
        except MannequinError as error:
            _log.warning("letter_not_sent", kind=letter.kind, attempt=job["attempts"], reason=error.detail)
            return pause_s(job["attempts"])
        return None

    async def _letter(self, tx: Transaction, tenant: TenantId, job: Row) -> Letter | None:
        """With a link that works from the commit on; None if nobody is to get it any more."""
        kind = Kind(job["kind"])
        find, keep = _WAYS[kind]
        row_id: InviteId | UserId = (
            InviteId(job["invite_id"]) if kind is Kind.INVITE else UserId(job["user_id"])
        )
        reader = await tx.fetchrow(find, tenant, row_id)
        if reader is None:
            return None
        token = new_token(row_id, tenant)
        await tx.execute(keep, tenant, row_id, digest(token), *_until(kind))
        return Letter(
            kind=kind,
            language=Language(reader["language"]),
            to=reader["email"],
            name=reader["name"],
            tenant=reader["tenant"],
            brand=await self._brand_of(tx, tenant),
            link=self._outgoing.link(_PAGES[kind], token),
        )


def pause_s(attempts: int) -> float | None:
    """Seconds to the next attempt: from 10 s, doubled up to an hour; None after the last."""
    return None if attempts >= _ATTEMPTS else min(3600.0, 5.0 * 2**attempts)


_WAYS = {
    Kind.INVITE: (sql.invite_of, sql.set_invite_token),
    Kind.PASSWORD_RESET: (sql.user_of, sql.set_reset_token),
}


def _until(kind: Kind) -> tuple[datetime, ...]:
    """An invite has its end in its row; a reset begins now."""
    return (datetime.now(UTC) + RESET_LIFE,) if kind is Kind.PASSWORD_RESET else ()
