"""The bus of one service over whatever broker: everything that the adapters would otherwise repeat."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from opentelemetry.trace import SpanKind
from pydantic import BaseModel

from libs.common.audit.acting import acting, current_actor
from libs.common.bus import replies
from libs.common.bus.bounded import Bounded
from libs.common.bus.bus import Delivery, Handler, Listener, Middleware, Responder
from libs.common.bus.errors import TooLarge
from libs.common.bus.link import Link, Lost
from libs.common.bus.middleware.logs import bound
from libs.common.bus.middleware.trace import current_traceparent, span
from libs.common.bus.outcome import Dead, backoff
from libs.common.bus.packet import Packet
from libs.common.bus.replies import LIMIT_BYTES
from libs.common.bus.rights import Rights
from libs.common.bus.session import Send, Session
from libs.common.bus.work import Worker
from libs.common.contracts.envelope import Envelope
from libs.common.contracts.flow import Queue, Service
from libs.common.contracts.ids import TenantId
from libs.common.contracts.message import Message, Query, Signal
from libs.common.errors import Refusal, Unavailable
from libs.common.telemetry import logger

log = logger("bus")
Reply = TypeVar("Reply", bound=BaseModel)

AT_ONCE = 64
"""Queries that one process answers at the same time; signals that it hears, as well. More wait in line."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds: for the first connection, for a publish through an outage, for handlers when closing."""

    start_s: float = 10.0
    publish_s: float = 10.0
    drain_s: float = 20.0


@dataclass(frozen=True, slots=True)
class Setup:
    """What an adapter is made with. `queues`: all queues of the system, this service's or not.

    namespace: begins every name at the broker, so that systems can share one.
    """

    service: Service
    queues: tuple[Queue, ...]
    middlewares: tuple[Middleware, ...] = ()
    namespace: str = "mannequin"
    limits: Limits = Limits()
    buried: Callable[[Queue, Dead], None] = lambda queue, dead: None


Attach = Callable[[Session], Awaitable[None]]


class ServiceBus:
    """A `Bus` made of one session after another; what was asked of it is asked of each new one again."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._rights = Rights(setup.service)
        self._attached: list[Attach] = []
        self._workers: list[Worker] = []
        self._answers = Bounded(AT_ONCE)
        self._heard = Bounded(AT_ONCE)
        self._attaching = asyncio.Lock()
        self._link: Link[Session] = Link(self._open)

    async def open_session(self, lost: Lost) -> Session:
        """Connect to the broker and make its topology; Unavailable if that can't be now."""
        raise NotImplementedError

    async def start(self) -> None:
        await self._link.start(self._setup.limits.start_s)

    async def close(self) -> None:
        session = self._link.session
        if session is not None:
            await self._stop(session)
        limit_s = self._setup.limits.drain_s
        draining: list[Bounded | Worker] = [self._answers, self._heard, *self._workers]
        await asyncio.gather(*(part.drain(limit_s) for part in draining))
        await self._link.close()

    async def ping(self) -> None:
        if self._link.session is None:
            raise Unavailable("the message broker is not connected")
        await self._link.session.ping()

    async def publish(self, envelopes: Sequence[Envelope]) -> None:
        left: Sequence[Envelope] = [self._outgoing(envelope) for envelope in envelopes]
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._setup.limits.publish_s
        failures = 0
        while left:
            session = await self._link.get(deadline - loop.time())
            left = await session.publish(left)
            if left:
                failures += 1
                await self._pause(failures, deadline)

    async def subscribe(self, queue: Queue, handler: Handler) -> None:
        self._rights.subscribe(queue)
        for middleware in reversed(self._setup.middlewares):
            handler = middleware(handler)
        worker = Worker(queue, handler, self._setup.buried)
        self._workers.append(worker)
        await self._attach(lambda session: session.consume(worker))

    async def request(
        self, query: Query[Reply], *, tenant: TenantId | None = None, timeout: float = 5.0
    ) -> Reply:
        self._rights.request(type(query))
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        session = await self._link.get(timeout)
        packet = Packet.of(self._envelope(query, tenant))
        answer = await session.ask(query.wire, packet, deadline - loop.time())
        return cast("Reply", replies.read(answer, query.reply))

    async def respond(self, query: type[Query[Reply]], responder: Responder) -> None:
        self._rights.respond(query)

        def answer(packet: Packet, send: Send) -> None:
            self._answers.add(lambda: self._answer(query, responder, packet, send))

        await self._attach(lambda session: session.answer(query.wire, self._setup.service.name, answer))

    async def signal(self, signal: Signal, *, tenant: TenantId | None = None) -> None:
        self._rights.signal(type(signal))
        session = self._link.session
        if session is not None:
            await session.tell(signal.wire, Packet.of(self._envelope(signal, tenant)))

    async def listen(self, signal: type[Signal], listener: Listener) -> None:
        self._rights.listen(signal)

        def hear(packet: Packet) -> None:
            self._heard.add(lambda: self._hear(signal, listener, packet))

        await self._attach(lambda session: session.hear(signal.wire, hear))

    async def _open(self, lost: Lost) -> Session:
        session = await self.open_session(lost)
        try:
            async with self._attaching:
                for attach in self._attached:
                    await attach(session)
        except BaseException:
            await session.close()
            raise
        return session

    async def _attach(self, attach: Attach) -> None:
        async with self._attaching:
            self._attached.append(attach)
            if self._link.session is not None:
                await attach(self._link.session)

    async def _stop(self, session: Session) -> None:
        try:
            await session.stop()
        except Unavailable as exc:
            log.debug("closing without the message broker", why=exc.detail)

    async def _pause(self, failures: int, deadline: float) -> None:
        pause = backoff(failures)
        if asyncio.get_running_loop().time() + pause > deadline:
            raise Unavailable("the message broker did not take the messages in time")
        await asyncio.sleep(pause)

    def _outgoing(self, envelope: Envelope) -> Envelope:
        self._rights.publish(envelope)
        if len(envelope.data) > LIMIT_BYTES:
            raise TooLarge(f"{envelope.type} of {len(envelope.data)} bytes; at most {LIMIT_BYTES} fit")
        if envelope.traceparent is None and (traceparent := current_traceparent()):
            return envelope.model_copy(update={"traceparent": traceparent})
        return envelope

    def _envelope(self, message: Message, tenant: TenantId | None) -> Envelope:
        source = self._setup.service.name
        return Envelope.of(
            message,
            source=source,
            tenant=tenant,
            traceparent=current_traceparent(),
            actor=current_actor(),
        )

    async def _answer(
        self, query: type[Query[Any]], responder: Responder, packet: Packet, send: Send
    ) -> None:
        try:
            delivery = _opened(packet, query)
            actor = acting(delivery.envelope.actor)
            with span(delivery, SpanKind.SERVER), bound(delivery), actor:
                answer = replies.replied(await responder(delivery))
        except Refusal as exc:
            answer = replies.refused(exc)
        except Exception:
            log.exception("a query could not be answered", query=query.wire)
            answer = replies.failed()
        try:
            await send(answer)
        except Unavailable as exc:
            log.warning("an answer could not be sent", query=query.wire, why=exc.detail)

    async def _hear(self, signal: type[Signal], listener: Listener, packet: Packet) -> None:
        try:
            delivery = _opened(packet, signal)
            with bound(delivery):
                await listener(delivery)
        except Exception:
            log.exception("a signal could not be heard", signal=signal.wire)


def _opened(packet: Packet, expected: type[Message]) -> Delivery:
    envelope = packet.envelope()
    if envelope.type != expected.wire:
        raise ValueError(f"expected {expected.wire}")
    return Delivery(envelope, envelope.open())
