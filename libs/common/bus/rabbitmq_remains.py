"""Remains at a RabbitMQ broker: a queue can only be looked into by taking messages out of it.

So what stays is put back as a copy: giving it back would count as a delivery, and what was delivered too
often is given up. Copies go to the end of their queue: that of a dead letter expires when the letter would,
and what was put off waits anew. What a consumer has in its hand is not seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage
from aio_pika.exceptions import CONNECTION_EXCEPTIONS, ChannelNotFoundEntity
from pydantic import SecretStr

from libs.common.bus.packet import Packet
from libs.common.bus.rabbitmq import PREFIX
from libs.common.bus.rabbitmq_topology import DEAD_MS, STEPS_MS, Names, retry_ms
from libs.common.bus.remains import holds
from libs.common.contracts.flow import Queue
from libs.common.contracts.ids import TenantId
from libs.common.errors import Unavailable


class RabbitMqRemains:
    """See Remains."""

    def __init__(self, url: SecretStr, namespace: str, queues: tuple[Queue, ...]) -> None:
        self._url = url
        self._names = Names(namespace)
        self._queues = queues

    async def purge(self, tenant: TenantId) -> int:
        """See Remains."""
        removed = 0
        async with self._connection() as connection:
            for queue in self._queues:
                name = self._names.dead(queue)
                async with _channel(connection) as channel:
                    async for letter in _taken(channel, name):
                        if _packet(letter).headers.get("tenantid") == tenant:
                            removed += 1
                            await letter.ack()
                        else:
                            await _put_back(channel, name, letter, expiration=_left_s(_packet(letter)))
        return removed

    async def find(self, words: Sequence[str]) -> Mapping[str, int]:
        """See Remains."""
        found: Counter[str] = Counter()
        wanted = [word.encode() for word in words]
        async with self._connection() as connection:
            for name, dead in (place for queue in self._queues for place in self._places(queue)):
                async with _channel(connection) as channel:
                    async for message in _taken(channel, name):
                        packet = _packet(message)
                        found[name] += holds(packet, wanted)
                        left_s = _left_s(packet) if dead else None
                        await _put_back(channel, name, message, expiration=left_s)
        return +found

    def _places(self, queue: Queue) -> Iterator[tuple[str, bool]]:
        """Names of a queue's own queues, and whether it is the one of dead letters."""
        yield self._names.queue(queue), False
        yield self._names.dead(queue), True
        for delay in sorted({*map(retry_ms, queue.delays), *STEPS_MS}):
            yield self._names.retry(queue, delay), False

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[AbstractConnection]:
        try:
            async with await aio_pika.connect(self._url.get_secret_value()) as connection:
                yield connection
        except (*CONNECTION_EXCEPTIONS, TimeoutError) as error:
            raise Unavailable(f"RabbitMQ: {type(error).__name__}") from error


@asynccontextmanager
async def _channel(connection: AbstractConnection) -> AsyncIterator[AbstractChannel]:
    channel = connection.channel()
    await channel.initialize()
    try:
        yield channel
    finally:
        if not channel.is_closed:
            await channel.close()


async def _taken(channel: AbstractChannel, name: str) -> AsyncIterator[AbstractIncomingMessage]:
    """As many messages as the queue holds now, taken out and not settled; none where there is no queue."""
    try:
        queue = await channel.declare_queue(name, passive=True)
    except ChannelNotFoundEntity:
        return
    for _ in range(queue.declaration_result.message_count or 0):
        message = await queue.get(fail=False)
        if message is None:
            return
        yield message


def _packet(message: AbstractIncomingMessage) -> Packet:
    return Packet.unprefixed(message.headers, message.body, PREFIX)


async def _put_back(
    channel: AbstractChannel, name: str, message: AbstractIncomingMessage, *, expiration: float | None
) -> None:
    """Once the copy is on disk the original goes; what the broker counted on it is kept as its attempt."""
    packet, returns = _packet(message), message.headers.get("x-delivery-count", 0)
    if returns:
        packet = packet.marked(attempt=str(int(packet.number("attempt") or 1) + int(str(returns))))
    copy = aio_pika.Message(
        packet.data,
        headers=dict(packet.prefixed(PREFIX)),
        content_type=message.content_type,
        message_id=message.message_id,
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        expiration=expiration,
    )
    await channel.default_exchange.publish(copy, name)
    await message.ack()


def _left_s(packet: Packet) -> float:
    """Seconds of the month since the message was sent; of a month where nothing says when that was."""
    try:
        sent = datetime.fromisoformat(packet.headers["time"])
    except (KeyError, ValueError):
        return DEAD_MS / 1000
    return max(1.0, DEAD_MS / 1000 - (datetime.now(UTC) - sent).total_seconds())
