"""A JetStream message in hand, and how it is settled.

It speaks through the session of the moment, so that what was fetched before a reconnect can still be
acknowledged after it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

from libs.common.bus.nats_topology import NANOSECONDS, Names
from libs.common.bus.outcome import Dead, spread
from libs.common.bus.packet import Packet
from libs.common.contracts.flow import Queue

ACK, NAK, IN_PROGRESS = b"+ACK", b"-NAK", b"+WPI"


class Server(Protocol):
    """What a parcel needs of the session; both raise Unavailable."""

    async def store(self, subject: str, packet: Packet, dedupe: str) -> None:
        """Publish to a stream and wait until it is stored."""

    async def send(self, subject: str, data: bytes = b"") -> None:
        """Publish without waiting for anything."""


class NatsParcel:
    """See Parcel. The broker counts every delivery, so what is put off goes on as a copy that knows better.

    deliveries: how often the broker has handed this message out, from 1.
    sequence: its place in the stream.
    """

    def __init__(
        self,
        server: Callable[[], Awaitable[Server]],
        names: Names,
        queue: Queue,
        packet: Packet,
        reply: str,
        deliveries: int,
        sequence: int,
    ) -> None:
        self._server = server
        self._names = names
        self._queue = queue
        self._reply = reply
        self._deliveries = deliveries
        self._sequence = sequence
        self.packet = packet
        self.due = packet.number("notbefore")

    @property
    def attempt(self) -> int:
        """See Parcel. A copy's first delivery only sets its timer, so that and the next are one attempt."""
        if not self.due:
            return self._deliveries
        return int(self.packet.number("attempt")) + max(0, self._deliveries - 2)

    @property
    def early_s(self) -> float:
        return self.due - time.time() if self.due else 0.0

    async def done(self) -> None:
        await self._tell(ACK)

    async def retry(self, delay: float) -> None:
        await self._tell(_nak(spread(delay)))

    async def later(self, delay: float) -> None:
        if self.early_s > 0:
            await self._tell(_nak(delay))
            return
        copy = self.packet.marked(attempt=str(self.attempt), notbefore=f"{time.time() + delay:.3f}")
        await self._move(self._names.later_subject(self._queue), copy)

    async def bury(self, dead: Dead) -> None:
        marks = {"deadqueue": self._queue.name, "deadreason": dead.reason, "deaddetail": dead.detail}
        copy = self.packet.marked(attempt=str(self.attempt), **marks)
        await self._move(self._names.dead_subject(self._queue), copy)

    async def release(self) -> None:
        await self._tell(NAK)

    async def extend(self) -> None:
        await self._tell(IN_PROGRESS)

    async def _move(self, subject: str, copy: Packet) -> None:
        server = await self._server()
        await server.store(subject, copy, f"{subject}:{self._sequence}:{self._deliveries}")
        await server.send(self._reply, ACK)

    async def _tell(self, word: bytes) -> None:
        server = await self._server()
        await server.send(self._reply, word)


def _nak(delay: float) -> bytes:
    return NAK + b" " + json.dumps({"delay": int(delay * NANOSECONDS)}).encode() if delay > 0 else NAK
