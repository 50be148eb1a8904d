"""Guessing is slowed down, by whom is guessed at and by where from; nobody is locked out for good.

An attempt counts before it is looked at, so that many at once gain nothing; a good one is forgiven. Addresses
that nobody has are counted like others: who waits learns nothing of who is known.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from libs.common.contracts.people import Address
from libs.common.counted_addresses import counted_as
from libs.common.db import Database, Transaction
from services.tenants.people.errors import TooManyAttempts
from services.tenants.people.links import digest
from services.tenants.people.store import sql

_FORGOTTEN_AFTER = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Slowing:
    """`free` attempts cost nothing; from then on each doubles the wait, up to `longest_s`."""

    free: int
    longest_s: int

    def wait_s(self, failures: int) -> int:
        """Seconds after that many failures."""
        doublings = failures - self.free
        if doublings <= 0:
            return 0
        return int(min(self.longest_s, 2 ** min(doublings, 30)))


OF_A_PERSON = Slowing(free=5, longest_s=60)
"""A short longest wait: others must not be able to keep somebody out."""
OF_AN_ADDRESS = Slowing(free=20, longest_s=900)


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one sign-in counts towards."""

    person: str
    address: str | None

    @classmethod
    def of(cls, realm: str, email: str, ip: Address | None) -> Attempt:
        return cls(f"{realm}:{digest(email)}", f"address:{counted_as(ip)}" if ip else None)

    def keys(self) -> Iterable[tuple[str, Slowing]]:
        yield self.person, OF_A_PERSON
        if self.address:
            yield self.address, OF_AN_ADDRESS


class Backoff:
    """The counts, in the database, for all instances."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def admit(self, attempt: Attempt) -> None:
        """Count it. TooManyAttempts if it came too early, which does not count."""
        async with self._database.platform("count sign-ins") as tx:
            for key, slowing in attempt.keys():  # noqa: SIM118
                if wait_s := await _count(tx, key, slowing):
                    raise TooManyAttempts(wait_s)  # in here, as nothing of it is to be committed

    async def succeeded(self, attempt: Attempt) -> None:
        """The person starts afresh; of the address only this attempt is forgiven.

        For proof that no one else can bring who has the same e-mail address in a tenant of their own.
        """
        async with self._database.platform("count sign-ins") as tx:
            await tx.execute(sql.forget_failures, attempt.person)
            if attempt.address:
                await tx.execute(sql.forgive, attempt.address)

    async def forgive(self, attempt: Attempt) -> None:
        """It was no guess that failed: the count is what it was before."""
        async with self._database.platform("count sign-ins") as tx:
            for key, _ in attempt.keys():  # noqa: SIM118
                await tx.execute(sql.forgive, key)


async def _count(tx: Transaction, key: str, slowing: Slowing) -> int:
    """Seconds that are left to wait; 0 if the attempt was counted."""
    await tx.execute(sql.know_failures, key)
    row = await tx.fetchrow(sql.lock_failures, key)
    assert row is not None
    now = datetime.now(UTC)
    if row["until"] > now:
        left: timedelta = row["until"] - now
        return max(1, math.ceil(left.total_seconds()))
    old = 0 if row["at"] + _FORGOTTEN_AFTER < now else row["failures"]
    until = now + timedelta(seconds=slowing.wait_s(old + 1))
    await tx.execute(sql.count_failure, key, old + 1, until)
    return 0
