"""Looking at a broker from the side, and putting into it what no bus would."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

import aio_pika
import nats
from nats.js import JetStreamContext

from libs.common.bus import nats_topology, rabbitmq_topology
from libs.common.bus.packet import Packet
from libs.common.contracts.flow import Queue
from libs.common.contracts.message import Durable
from tests.contract.bus.waiting import LIMIT_S, POLL_S


class Probe(Protocol):
    """One namespace at one broker."""

    async def dead(self, queue: Queue) -> list[Packet]:
        """Every dead letter of the queue."""

    async def left(self, queue: Queue) -> int:
        """How many messages the queue still holds, in somebody's hand or not."""

    async def put(self, message: type[Durable], data: bytes) -> None:
        """A message without an envelope, where `message` would go."""


async def dead_letters(probe: Probe, queue: Queue, count: int = 1) -> list[Packet]:
    """The dead letters, once there are as many."""
    async with asyncio.timeout(LIMIT_S):
        while len(found := await probe.dead(queue)) < count:
            await asyncio.sleep(POLL_S)
    return found


async def emptied(probe: Probe, queue: Queue) -> None:
    """Returns when the queue holds nothing any more."""
    async with asyncio.timeout(LIMIT_S):
        while await probe.left(queue):
            await asyncio.sleep(POLL_S)


@dataclass(frozen=True)
class NatsProbe:
    url: str
    namespace: str

    @property
    def _names(self) -> nats_topology.Names:
        return nats_topology.Names(self.namespace)

    async def dead(self, queue: Queue) -> list[Packet]:
        found: list[Packet] = []
        async with self._stream() as js:
            state = (await js.stream_info(self._names.dead)).state
            for sequence in range(state.first_seq, state.last_seq + 1) if state.messages else ():
                message = await js.get_msg(self._names.dead, sequence)
                if message.subject == self._names.dead_subject(queue):
                    found.append(Packet.unprefixed(message.headers or {}, message.data or b"", "ce-"))
        return found

    async def left(self, queue: Queue) -> int:
        async with self._stream() as js:
            info = await js.consumer_info(self._names.work, self._names.consumer(queue))
        return (info.num_pending or 0) + (info.num_ack_pending or 0)

    async def put(self, message: type[Durable], data: bytes) -> None:
        async with self._stream() as js:
            await js.publish(self._names.work_subject(message.wire), data)

    @asynccontextmanager
    async def _stream(self) -> AsyncIterator[JetStreamContext]:
        client = await nats.connect(self.url)
        try:
            yield client.jetstream()
        finally:
            await client.close()


@dataclass(frozen=True)
class RabbitMqProbe:
    url: str
    namespace: str

    @property
    def _names(self) -> rabbitmq_topology.Names:
        return rabbitmq_topology.Names(self.namespace)

    async def dead(self, queue: Queue) -> list[Packet]:
        found: list[Packet] = []
        async with self._channel() as channel:
            letters = await channel.declare_queue(self._names.dead(queue), passive=True)
            while (message := await letters.get(fail=False)) is not None:
                found.append(Packet.unprefixed(message.headers, message.body, "cloudEvents:"))
        return found

    async def left(self, queue: Queue) -> int:
        async with self._channel() as channel:
            work = await channel.declare_queue(self._names.queue(queue), passive=True)
            return work.declaration_result.message_count or 0

    async def put(self, message: type[Durable], data: bytes) -> None:
        async with self._channel() as channel:
            exchange = await channel.get_exchange(self._names.work, ensure=False)
            await exchange.publish(aio_pika.Message(data), message.wire)

    @asynccontextmanager
    async def _channel(self) -> AsyncIterator[aio_pika.abc.AbstractChannel]:
        connection = await aio_pika.connect(self.url)
        async with connection, connection.channel() as channel:
            yield channel
