"""What calls say of credentials, told to the vault: faults of a key at once, all else in sums.

Reports leave by the outbox: with the chunk that they come from, or, a fault of a key, in a transaction of
its own before the chunk is through. What could not be told stays until it can.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf

from libs.common.contracts.credentials import CredentialObserved, ObservedBy
from libs.common.contracts.ids import CredentialId, TenantId
from libs.common.contracts.providers import Fault, FaultCode, FaultKind
from libs.common.db import Database
from libs.common.errors import MannequinError

_KEY_FAULTS_S = 1.0
_SUMS_S = 15.0
_LOOK_S = 1.0


@dataclass(frozen=True, slots=True)
class Subject:
    """The secret that calls were made with."""

    tenant: TenantId
    credential_id: CredentialId
    version: int


@dataclass(frozen=True, slots=True)
class Seen:
    """Calls that went alike, the last of them when. `fault` None: well."""

    fault: Fault | None
    count: int
    last: datetime


class Tally:
    """What was seen of one subject and is not told yet. Knows the rules and no clock: times are given (s).

    A kind of key fault is due when it is first seen, and then once a second; with it goes all else, so that
    what was before is told before. Sums are due every 15 s.
    """

    def __init__(self) -> None:
        self._seen: dict[FaultCode | None, Seen] = {}
        self._told: dict[FaultCode | None, float] = {}
        self._sums_told = -inf

    @property
    def empty(self) -> bool:
        return not self._seen

    def see(self, seen: Seen) -> None:
        code = seen.fault.code if seen.fault else None
        before = self._seen.pop(code, None)
        if before is not None:
            seen = Seen(seen.fault, before.count + seen.count, max(before.last, seen.last))
        self._seen[code] = seen

    def due(self, now: float) -> bool:
        return bool(self._seen) and (self._key_fault_due(now) or now - self._sums_told >= _SUMS_S)

    def idle(self, now: float) -> bool:
        """Whether it may be forgotten."""
        return self.empty and now - max(self._sums_told, *self._told.values(), -inf) >= _SUMS_S

    def take(self, now: float) -> tuple[Seen, ...]:
        """All that is there, as told now; in the order of what was seen last."""
        taken = tuple(sorted(self._seen.values(), key=lambda seen: seen.last))
        self._told.update(dict.fromkeys(self._seen, now))
        self._sums_told = now
        self._seen.clear()
        return taken

    def put_back(self, taken: Sequence[Seen]) -> None:
        """They could not be told after all."""
        for seen in taken:
            self._told.pop(seen.fault.code if seen.fault else None, None)
            self.see(seen)
        self._sums_told = -inf if taken else self._sums_told

    def _key_fault_due(self, now: float) -> bool:
        return any(
            now - self._told.get(code, -inf) >= _KEY_FAULTS_S
            for code in self._seen
            if code is not None and code.kind is FaultKind.KEY
        )


class Observations:
    """The tallies of all credentials that this worker calls with."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._tallies: dict[Subject, Tally] = {}

    async def saw(self, subject: Subject, fault: Fault | None, at: datetime | None = None) -> None:
        """A call went well (None) or failed, now or `at` a time. A request's own fault says nothing of a
        credential.

        Returns when a fault of the key is in the outbox, if it is the first of its kind.
        """
        if fault is not None and fault.kind is FaultKind.REQUEST:
            return
        self._tally(subject).see(Seen(fault, 1, at or datetime.now(UTC)))
        if fault is not None and fault.kind is FaultKind.KEY:
            await self._tell_if_due(subject, _now())

    @asynccontextmanager
    async def leaving(self, subject: Subject) -> AsyncIterator[Sequence[CredentialObserved]]:
        """What is due now, to be published inside; if that fails, it is due again."""
        now = _now()
        tally = self._tally(subject)
        taken = tally.take(now) if tally.due(now) else ()
        try:
            yield [_observed(subject, seen) for seen in taken]
        except BaseException:
            tally.put_back(taken)
            raise

    async def run(self) -> None:
        """Tell what has become due without a chunk to go with; runs until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_S)
            for subject, tally in list(self._tallies.items()):
                await self._tell_if_due(subject, _now())
                if tally.idle(_now()):
                    del self._tallies[subject]

    async def close(self) -> None:
        """Tell all that is left."""
        for subject in list(self._tallies):
            await self._tell_if_due(subject, inf)

    async def _tell_if_due(self, subject: Subject, now: float) -> None:
        tally = self._tally(subject)
        if not tally.due(now):
            return
        with suppress(MannequinError):  # it stays due
            await self._tell(subject, tally, now)

    async def _tell(self, subject: Subject, tally: Tally, now: float) -> None:
        taken = tally.take(now)
        try:
            async with self._database.tenant(subject.tenant) as tx:
                for seen in taken:
                    tx.publish(_observed(subject, seen), subject=subject.credential_id)
        except BaseException:
            tally.put_back(taken)
            raise

    def _tally(self, subject: Subject) -> Tally:
        return self._tallies.setdefault(subject, Tally())


def _observed(subject: Subject, seen: Seen) -> CredentialObserved:
    return CredentialObserved(
        credential_id=subject.credential_id,
        version=subject.version,
        by=ObservedBy.CALL,
        fault=seen.fault,
        count=seen.count,
        observed_at=seen.last,
    )


def _now() -> float:
    return asyncio.get_running_loop().time()
