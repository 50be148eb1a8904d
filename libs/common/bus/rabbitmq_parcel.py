"""A RabbitMQ message in hand, and how it is settled: it comes again as a copy that knows its attempt."""

from __future__ import annotations

import time
from typing import Protocol

from libs.common.bus.outcome import Dead
from libs.common.bus.packet import Packet
from libs.common.bus.rabbitmq_topology import STEPS_MS, Names, retry_ms, step_ms
from libs.common.contracts.flow import Queue


class Held(Protocol):
    """The delivery itself; both raise Unavailable."""

    async def ack(self) -> None:
        """Gone from the queue."""

    async def give_back(self) -> None:
        """To the head of the queue."""


class Broker(Protocol):
    """What a parcel needs of the session; both raise Unavailable."""

    async def store(self, queue: str, packet: Packet) -> None:
        """Put a message into one queue and wait until it is on disk."""

    async def retry_queue(self, queue: Queue, delay_ms: int) -> str:
        """The name of the queue that gives back after so long."""


class RabbitMqParcel:
    """See Parcel. `returns`: how often it came back to the queue because its consumer was lost."""

    def __init__(
        self, broker: Broker, names: Names, queue: Queue, packet: Packet, held: Held, returns: int
    ) -> None:
        self._broker = broker
        self._names = names
        self._queue = queue
        self._held = held
        self.packet = packet
        self.attempt = int(packet.number("attempt") or 1) + returns

    @property
    def early_s(self) -> float:
        due = self.packet.number("notbefore")
        return due - time.time() if due else 0.0

    async def done(self) -> None:
        await self._held.ack()

    async def retry(self, delay: float) -> None:
        """See Parcel. Without jitter, as queues have one delay; prefetch bounds what comes back at once."""
        await self._wait(retry_ms(delay), self.packet.marked(attempt=str(self.attempt + 1)))

    async def later(self, delay: float) -> None:
        copy = self.packet.marked(attempt=str(self.attempt))
        if delay * 1000 > STEPS_MS[-1]:
            copy = copy.marked(notbefore=f"{time.time() + delay:.3f}")
        await self._wait(step_ms(delay), copy)

    async def bury(self, dead: Dead) -> None:
        marks = {"deadqueue": self._queue.name, "deadreason": dead.reason, "deaddetail": dead.detail}
        copy = self.packet.marked(attempt=str(self.attempt), **marks)
        await self._move(self._names.dead(self._queue), copy)

    async def release(self) -> None:
        await self._held.give_back()

    async def extend(self) -> None:
        """Nothing to do: RabbitMQ knows from the connection that its consumer lives."""

    async def _wait(self, delay_ms: int, copy: Packet) -> None:
        await self._move(await self._broker.retry_queue(self._queue, delay_ms), copy)

    async def _move(self, queue: str, copy: Packet) -> None:
        await self._broker.store(queue, copy)
        await self._held.ack()
