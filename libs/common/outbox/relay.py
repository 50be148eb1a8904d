"""The publishing half: moves committed messages from the outbox table to the bus."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from libs.common.bus.bus import Bus
from libs.common.contracts.envelope import Envelope
from libs.common.contracts.flow import consumers
from libs.common.contracts.message import MESSAGES, Event
from libs.common.db import Database, Row
from libs.common.errors import MannequinError
from libs.common.telemetry import logger

_log = logger("outbox")
_INBOX_DAYS = 7


class Relay:
    """Publishes what the outbox holds, on every local commit and at least every `interval` seconds.

    A message is deleted after the broker has it; dying in between publishes it twice, which inboxes absorb.
    Any number of instances may run: rows in hand are skipped by the others.
    """

    def __init__(self, database: Database, bus: Bus, *, interval: float = 1.0, limit: int = 500) -> None:
        self._database = database
        self._bus = bus
        self._interval = interval
        self._limit = limit
        self._wake = asyncio.Event()
        database.on_outbox = self._wake.set

    async def run(self) -> None:
        """Relay until cancelled; a broker or database that is away is waited for."""
        backoff = self._interval
        while True:
            with suppress(TimeoutError):
                # Not `wait_for`: before 3.12 it swallows a cancellation that comes with the wake.
                async with asyncio.timeout(self._interval):
                    await self._wake.wait()
            self._wake.clear()
            try:
                while await self.flush() == self._limit:
                    pass
                backoff = self._interval
            except MannequinError as error:
                _log.warning("outbox_waits", reason=error.detail)
                await asyncio.sleep(backoff)
                backoff = min(backoff * 2, 10.0)

    async def flush(self) -> int:
        """Publish up to `limit` messages; how many there were."""
        async with self._database.platform("outbox relay") as tx:
            rows = await tx.fetch(
                "select id, headers, data from outbox order by id limit $1 for update skip locked",
                self._limit,
            )
            if rows:
                await self._bus.publish([e for e in map(_envelope, rows) if _awaited(e)])
                # Losing this commit in a power cut only publishes again: no need to wait for the disk.
                await tx.execute("set local synchronous_commit = off")
                await tx.execute("delete from outbox where id = any($1)", [row["id"] for row in rows])
        return len(rows)

    async def sweep_inbox(self) -> None:
        """Forget messages taken so long ago that no broker still redelivers them; runs until cancelled."""
        while True:
            with suppress(MannequinError):
                async with self._database.platform("inbox sweep") as tx:
                    await tx.execute(
                        "delete from inbox where received_at < now() - make_interval(days => $1)", _INBOX_DAYS
                    )
            await asyncio.sleep(3600)


def _envelope(row: Row) -> Envelope:
    return Envelope.parse(row["headers"], row["data"])


def _awaited(envelope: Envelope) -> bool:
    """False for a fact that no service consumes yet: the bus would refuse it, and it would block the rest."""
    message = MESSAGES[envelope.type]
    return not issubclass(message, Event) or bool(consumers(message))
