"""The bus on RabbitMQ (AMQP 0-9-1). The names and arguments at the broker are in `rabbitmq_topology.py`."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

import aio_pika
from aio_pika.abc import (
    AbstractChannel,
    AbstractConnection,
    AbstractExchange,
    AbstractIncomingMessage,
    AbstractQueue,
)
from aio_pika.exceptions import CONNECTION_EXCEPTIONS, PublishError
from pydantic import SecretStr

from libs.common.bus import rabbitmq_topology as topology
from libs.common.bus.errors import Unroutable
from libs.common.bus.link import Lost
from libs.common.bus.packet import Packet
from libs.common.bus.rabbitmq_parcel import RabbitMqParcel
from libs.common.bus.rabbitmq_topology import Names
from libs.common.bus.service_bus import ServiceBus, Setup
from libs.common.bus.session import Answer, Hear, Session
from libs.common.bus.work import Worker
from libs.common.contracts.envelope import Envelope
from libs.common.contracts.flow import Queue
from libs.common.errors import Unavailable
from libs.common.telemetry import logger

log = logger("bus.rabbitmq")

PREFIX = "cloudEvents:"
"""Of CloudEvents attributes in headers (AMQP protocol binding 1.0.2, section 3.1.3.1)."""
REPLY_TO = "amq.rabbitmq.reply-to"
"""https://www.rabbitmq.com/docs/direct-reply-to"""
CONFIRM_S = 10.0
CONNECT_S = 10.0
HEARTBEAT_S = 20
WINDOW = 500
LOST = (*CONNECTION_EXCEPTIONS, TimeoutError)


class RabbitMqBus(ServiceBus):
    """A `Bus` on one RabbitMQ broker or cluster."""

    def __init__(self, url: SecretStr, setup: Setup) -> None:
        super().__init__(setup)
        self._url = url
        self._names = Names(setup.namespace)

    async def open_session(self, lost: Lost) -> Session:
        session: RabbitMqSession | None = None
        try:
            async with asyncio.timeout(CONNECT_S):
                session = RabbitMqSession(await self._connect(), self._names, lost)
                await session.open(self._setup.queues)
        except LOST as exc:
            await _close(session)
            raise Unavailable(f"RabbitMQ: {type(exc).__name__} {exc}") from exc
        except BaseException:
            await _close(session)
            raise
        return session

    async def _connect(self) -> AbstractConnection:
        return await aio_pika.connect(
            self._url.get_secret_value(),
            client_properties={"connection_name": self._setup.service.name},
            heartbeat=HEARTBEAT_S,
        )


class RabbitMqSession:
    """See Session: one plain connection; what closes any of its channels ends it."""

    def __init__(self, connection: AbstractConnection, names: Names, lost: Lost) -> None:
        self._connection = connection
        self._names = names
        self._lost = lost
        self._retries: dict[str, asyncio.Task[None]] = {}
        self._questions: dict[str, asyncio.Future[Packet]] = {}
        self._stops: list[Callable[[], Awaitable[Any]]] = []
        connection.close_callbacks.add(self._closed)

    async def open(self, queues: Sequence[Queue]) -> None:
        self._storing = await self._channel(on_return_raises=True)
        self._asking = await self._channel(on_return_raises=True)
        self._telling = await self._channel(publisher_confirms=False)
        self._work = await self._storing.declare_exchange(self._names.work, "topic", durable=True)
        self._tell = await self._telling.declare_exchange(self._names.tell, "topic", durable=True)
        for queue in queues:
            await self._make(queue)
        replies = await self._asking.get_queue(REPLY_TO, ensure=False)
        await replies.consume(self._replied, no_ack=True)

    async def publish(self, envelopes: Sequence[Envelope]) -> Sequence[Envelope]:
        left: list[Envelope] = []
        for start in range(0, len(envelopes), WINDOW):
            window = envelopes[start : start + WINDOW]
            stored = await asyncio.gather(*(self._publish(envelope) for envelope in window))
            left += [envelope for envelope, done in zip(window, stored, strict=True) if not done]
        return left

    async def store(self, queue: str, packet: Packet) -> None:
        """Put a message into one queue and wait until it is on disk."""
        await self._confirmed(self._storing.default_exchange, queue, _message(packet, durable=True))

    async def retry_queue(self, queue: Queue, delay_ms: int) -> str:
        """The name of the queue that gives back after so long; made on the first call."""
        name = self._names.retry(queue, delay_ms)
        if name not in self._retries:
            self._retries[name] = asyncio.ensure_future(self._make_retry(name, queue, delay_ms))
        await asyncio.shield(self._retries[name])
        return name

    async def consume(self, worker: Worker) -> None:
        with _seam():
            channel = await self._channel(publisher_confirms=False)
            await channel.set_qos(prefetch_count=worker.queue.concurrency)
            queue = await channel.get_queue(self._names.queue(worker.queue), ensure=False)

            async def received(message: AbstractIncomingMessage) -> None:
                worker.take(self._parcel(worker.queue, message))

            await self._consume(queue, received)

    async def ask(self, wire: str, packet: Packet, timeout: float) -> Packet:
        token = secrets.token_hex(8)
        question: asyncio.Future[Packet] = asyncio.get_running_loop().create_future()
        self._questions[token] = question
        try:
            async with asyncio.timeout(timeout):
                await self._question(wire, packet, token, timeout)
                await asyncio.wait((question,))
        except TimeoutError as exc:
            raise Unavailable(f"no answer to {wire} within {timeout:.1f} s") from exc
        except Unroutable as exc:
            raise Unavailable(f"no service answers {wire} at the moment") from exc
        finally:
            del self._questions[token]
        if question.cancelled():
            raise Unavailable("the connection to RabbitMQ was lost")
        return question.result()

    async def answer(self, wire: str, group: str, answer: Answer) -> None:
        async def received(message: AbstractIncomingMessage) -> None:
            answer(_packet(message), lambda packet: self._reply(message, packet))

        with _seam():
            channel = await self._channel(publisher_confirms=False)
            queue = await channel.declare_queue(
                self._names.ask(wire), durable=True, auto_delete=True, arguments=topology.ask_queue()
            )
            await self._consume(queue, received, no_ack=True)

    async def tell(self, wire: str, packet: Packet) -> None:
        with contextlib.suppress(Unavailable), _seam():
            await self._tell.publish(_message(packet), wire, mandatory=False)

    async def hear(self, wire: str, hear: Hear) -> None:
        async def received(message: AbstractIncomingMessage) -> None:
            hear(_packet(message))

        with _seam():
            channel = await self._channel(publisher_confirms=False)
            queue = await channel.declare_queue(exclusive=True, arguments=topology.tell_queue())
            await queue.bind(self._names.tell, wire)
            await self._consume(queue, received, no_ack=True)

    async def ping(self) -> None:
        with _seam():
            async with asyncio.timeout(2):
                await self._telling.set_qos(prefetch_count=0)

    async def stop(self) -> None:
        with _seam():
            await asyncio.gather(*(stop() for stop in self._stops))

    async def close(self) -> None:
        self._closed()
        for task in self._retries.values():
            task.cancel()
        with contextlib.suppress(*LOST):
            await self._connection.close()

    def _parcel(self, queue: Queue, message: AbstractIncomingMessage) -> RabbitMqParcel:
        held = Delivered(message)
        return RabbitMqParcel(self, self._names, queue, _packet(message), held, _returns(message))

    async def _channel(
        self, *, publisher_confirms: bool = True, on_return_raises: bool = False
    ) -> AbstractChannel:
        channel = self._connection.channel(
            publisher_confirms=publisher_confirms, on_return_raises=on_return_raises
        )
        await channel.initialize()
        channel.close_callbacks.add(self._closed)
        underlay = await channel.get_underlay_channel()
        underlay.on_consumer_cancel_callbacks.add(self._closed)
        return channel

    async def _consume(
        self,
        queue: AbstractQueue,
        received: Callable[[AbstractIncomingMessage], Awaitable[None]],
        no_ack: bool = False,
    ) -> None:
        tag = await queue.consume(received, no_ack=no_ack)
        self._stops.append(lambda: queue.cancel(tag))

    async def _make(self, queue: Queue) -> None:
        await self._storing.declare_queue(
            self._names.dead(queue), durable=True, arguments=topology.dead_queue()
        )
        work = await self._storing.declare_queue(
            self._names.queue(queue), durable=True, arguments=topology.work_queue(self._names, queue)
        )
        for message in queue.messages:
            await work.bind(self._work, message.wire)
        for delay in queue.delays[: queue.attempts - 1]:
            await self.retry_queue(queue, topology.retry_ms(delay))

    async def _make_retry(self, name: str, queue: Queue, delay_ms: int) -> None:
        with _seam():
            arguments = topology.retry_queue(self._names, queue, delay_ms)
            await self._storing.declare_queue(name, durable=True, arguments=arguments)

    async def _publish(self, envelope: Envelope) -> bool:
        message = _message(Packet.of(envelope), durable=True)
        try:
            await self._confirmed(self._work, envelope.type, message)
        except Unavailable:
            return False
        return True

    async def _confirmed(self, exchange: AbstractExchange, key: str, message: aio_pika.Message) -> None:
        try:
            with _seam():
                await exchange.publish(message, key, timeout=CONFIRM_S)
        except Unavailable as exc:
            if isinstance(exc.__cause__, PublishError):
                raise Unroutable(f"no queue takes {key}; see contracts/flow.py") from exc
            raise

    async def _question(self, wire: str, packet: Packet, token: str, timeout: float) -> None:
        message = _message(packet)
        message.correlation_id = token
        message.reply_to = REPLY_TO
        message.expiration = max(timeout, 0.001)
        await self._confirmed(self._asking.default_exchange, self._names.ask(wire), message)

    async def _reply(self, question: AbstractIncomingMessage, packet: Packet) -> None:
        message = _message(packet)
        message.correlation_id = question.correlation_id
        with _seam():
            await self._telling.default_exchange.publish(message, question.reply_to or "", mandatory=False)

    async def _replied(self, message: AbstractIncomingMessage) -> None:
        question = self._questions.get(message.correlation_id or "")
        if question is not None and not question.done():
            question.set_result(_packet(message))

    def _closed(self, *_: object) -> None:
        self._lost.set()
        for question in self._questions.values():
            question.cancel()


class Delivered:
    """See Held: one delivery on its channel, where alone it can be settled."""

    def __init__(self, message: AbstractIncomingMessage) -> None:
        self._message = message

    async def ack(self) -> None:
        with _seam():
            await self._message.channel.basic_ack(self._message.delivery_tag or 0, wait=False)

    async def give_back(self) -> None:
        with _seam():
            await self._message.channel.basic_reject(
                self._message.delivery_tag or 0, requeue=True, wait=False
            )


@contextlib.contextmanager
def _seam() -> Iterator[None]:
    try:
        yield
    except LOST as exc:
        raise Unavailable(f"RabbitMQ: {type(exc).__name__}") from exc


async def _close(session: RabbitMqSession | None) -> None:
    if session is not None:
        await session.close()


def _message(packet: Packet, durable: bool = False) -> aio_pika.Message:
    return aio_pika.Message(
        packet.data,
        headers=dict(packet.prefixed(PREFIX)),
        content_type="application/json",
        message_id=packet.headers.get("id"),
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT if durable else None,
    )


def _packet(message: AbstractIncomingMessage) -> Packet:
    return Packet.unprefixed(message.headers, message.body, PREFIX)


def _returns(message: AbstractIncomingMessage) -> int:
    """Quorum queues count what came back (https://www.rabbitmq.com/docs/quorum-queues#poison-message-handling)."""
    count = message.headers.get("x-delivery-count", 0)
    return count if isinstance(count, int) else 0
