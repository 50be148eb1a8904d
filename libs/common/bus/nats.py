"""The bus on NATS JetStream. The names and settings at the server are in `nats_topology.py`."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from typing import Any

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from pydantic import SecretStr

from libs.common.bus import nats_topology as topology
from libs.common.bus.errors import Unroutable
from libs.common.bus.link import Lost
from libs.common.bus.nats_demand import Demand
from libs.common.bus.nats_parcel import NatsParcel
from libs.common.bus.nats_topology import Config, Names
from libs.common.bus.packet import Packet
from libs.common.bus.service_bus import ServiceBus, Setup
from libs.common.bus.session import Answer, Hear, Session
from libs.common.bus.work import Worker
from libs.common.contracts.envelope import Envelope
from libs.common.contracts.flow import Queue
from libs.common.errors import Unavailable
from libs.common.telemetry import logger

log = logger("bus.nats")

PREFIX = "ce-"
"""Of CloudEvents attributes in headers (NATS protocol binding 1.0.2, section 3.1.3.1)."""
ACK_S = 5.0
CONNECT_S = 5.0
FLUSH_S = 2
WINDOW = 500
"""Publishes in flight at once: what still fits the server's buffers comfortably."""
PULL_S = 30.0
SETTLE_S = 10.0
"""How long to wait for a connection to settle a message on, before it is left to come again."""
NO_RESPONDERS = "503"
LOST = (NatsError, OSError, TimeoutError)


class NatsBus(ServiceBus):
    """A `Bus` on one NATS server or cluster."""

    def __init__(self, url: SecretStr, setup: Setup) -> None:
        super().__init__(setup)
        self._url = url
        self._names = Names(setup.namespace)

    async def open_session(self, lost: Lost) -> Session:
        session = NatsSession(self._names, self._setup.queues, self._current, lost)
        try:
            with _seam():
                await session.open(self._url, self._setup.service.name)
        except BaseException:
            await session.close()
            raise
        return session

    async def _current(self) -> NatsSession:
        session = await self._link.get(SETTLE_S)
        assert isinstance(session, NatsSession)
        return session


class Inbox:
    """Replies by token on one subscription, and an end to all waiting when the connection is gone."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._prefix = f"_INBOX.{secrets.token_hex(11)}"
        self._waiting: dict[str, asyncio.Future[Msg]] = {}

    async def open(self) -> None:
        await self._client.subscribe(f"{self._prefix}.*", cb=self._received)

    async def send(
        self, subject: str, data: bytes, headers: dict[str, str] | None = None
    ) -> asyncio.Future[Msg]:
        """Publish, and promise the reply; without a subject, the message itself comes back."""
        token = secrets.token_hex(8)
        address = f"{self._prefix}.{token}"
        reply: asyncio.Future[Msg] = asyncio.get_running_loop().create_future()
        reply.add_done_callback(lambda _: self._waiting.pop(token, None))
        self._waiting[token] = reply
        try:
            await self._client.publish(subject or address, data, address, headers)
        except BaseException:
            reply.cancel()
            raise
        return reply

    async def ask(
        self, subject: str, data: bytes, headers: dict[str, str] | None = None, timeout: float = ACK_S
    ) -> Msg:
        """Publish and wait for the reply; TimeoutError, or Unavailable when the connection goes."""
        reply = await self.send(subject, data, headers)
        done, _ = await asyncio.wait((reply,), timeout=timeout)
        if not done:
            reply.cancel()
            raise TimeoutError(f"no reply within {timeout:.1f} s")
        if reply.cancelled():
            raise Unavailable("the connection to NATS was lost")
        return reply.result()

    async def echo(self) -> None:
        """Returns when the server is through with all that was sent before, which a PING may overtake."""
        await self.ask("", b"", timeout=FLUSH_S)

    def give_up(self) -> None:
        """Cancel every promise."""
        for reply in tuple(self._waiting.values()):
            reply.cancel()

    async def _received(self, message: Msg) -> None:
        reply = self._waiting.get(message.subject.rpartition(".")[2])
        if reply is not None and not reply.done():
            reply.set_result(message)


class NatsSession:
    """See Session: one connection of nats-py, whose own reconnecting is off."""

    def __init__(self, names: Names, queues: Sequence[Queue], current: Current, lost: Lost) -> None:
        self._names = names
        self._queues = queues
        self._wires = {message.wire for queue in queues for message in queue.messages}
        self._current = current
        self._lost = lost
        self._client = Client()
        self._inbox = Inbox(self._client)
        self._pulls: list[Pull] = []
        self._subscriptions: list[Subscription] = []

    async def open(self, url: SecretStr, service: str) -> None:
        async with asyncio.timeout(CONNECT_S):
            await self._client.connect(
                url.get_secret_value(),
                name=service,
                allow_reconnect=False,
                max_reconnect_attempts=1,
                reconnect_time_wait=0,
                closed_cb=self._closed,
                error_cb=self._erred,
                ping_interval=10,
            )
            await self._inbox.open()
            await topology.make(self._names, self._queues, self._api)

    async def publish(self, envelopes: Sequence[Envelope]) -> Sequence[Envelope]:
        left: list[Envelope] = []
        for start in range(0, len(envelopes), WINDOW):
            left += await self._publish_window(envelopes[start : start + WINDOW])
        return left

    async def store(self, subject: str, packet: Packet, dedupe: str) -> None:
        """Publish to a stream and wait until it is stored."""
        headers = {**packet.prefixed(PREFIX), "Nats-Msg-Id": dedupe}
        with _seam():
            reply = await self._inbox.ask(subject, packet.data, headers)
        if not _stored(reply):
            raise Unavailable("NATS did not store a message")

    async def send(self, subject: str, data: bytes = b"", packet: Packet | None = None) -> None:
        """Publish without waiting for anything."""
        with _seam():
            await self._client.publish(subject, data, headers=packet.prefixed(PREFIX) if packet else None)

    async def consume(self, worker: Worker) -> None:
        pull = Pull(self._client, worker, partial(self._parcel, worker.queue), self._lost)
        subject = self._names.pull_subject(worker.queue)
        with _seam():
            await pull.open(subject)
        self._pulls.append(pull)

    async def ask(self, wire: str, packet: Packet, timeout: float) -> Packet:
        subject = self._names.ask_subject(wire)
        try:
            reply = await self._inbox.ask(subject, packet.data, packet.prefixed(PREFIX), timeout)
        except LOST as exc:
            raise Unavailable(f"no answer to {wire} within {timeout:.1f} s") from exc
        if _status(reply) == NO_RESPONDERS:
            raise Unavailable(f"no service answers {wire} at the moment")
        return _packet(reply)

    async def answer(self, wire: str, group: str, answer: Answer) -> None:
        async def received(message: Msg) -> None:
            answer(_packet(message), lambda packet: self.send(message.reply, packet.data, packet))

        await self._subscribe(self._names.ask_subject(wire), received, group)

    async def tell(self, wire: str, packet: Packet) -> None:
        with contextlib.suppress(Unavailable):
            await self.send(self._names.tell_subject(wire), packet.data, packet)

    async def hear(self, wire: str, hear: Hear) -> None:
        async def received(message: Msg) -> None:
            hear(_packet(message))

        await self._subscribe(self._names.tell_subject(wire), received)

    async def ping(self) -> None:
        with _seam():
            await self._inbox.echo()

    async def stop(self) -> None:
        with _seam():
            async with asyncio.timeout(FLUSH_S):
                await asyncio.gather(*(pull.stop() for pull in self._pulls))
                for subscription in self._subscriptions:
                    await subscription.drain()  # type: ignore[no-untyped-call]

    async def close(self) -> None:
        for pull in self._pulls:
            pull.abandon()
        with contextlib.suppress(Unavailable, *LOST):
            # What was sent last (acks above all) is on its way before the socket goes.
            if self._client.is_connected:
                await self._inbox.echo()
        with contextlib.suppress(*LOST):
            await self._client.close()
        self._inbox.give_up()

    def _parcel(self, queue: Queue, message: Msg) -> NatsParcel:
        seen = message.metadata
        return NatsParcel(
            self._current,
            self._names,
            queue,
            _packet(message),
            message.reply,
            seen.num_delivered,
            seen.sequence.stream,
        )

    async def _publish_window(self, envelopes: Sequence[Envelope]) -> list[Envelope]:
        replies: list[asyncio.Future[Msg]] = []
        try:
            for envelope in envelopes:
                packet = Packet.of(envelope)
                headers = {**packet.prefixed(PREFIX), "Nats-Msg-Id": envelope.id}
                subject = self._names.work_subject(envelope.type)
                replies.append(await self._inbox.send(subject, packet.data, headers))
        except LOST:
            log.debug("the connection to NATS was lost while publishing")
        if replies:
            await asyncio.wait(replies, timeout=ACK_S)
        return [*self._unstored(envelopes, replies), *envelopes[len(replies) :]]

    def _unstored(self, envelopes: Sequence[Envelope], replies: list[asyncio.Future[Msg]]) -> list[Envelope]:
        left: list[Envelope] = []
        for envelope, reply in zip(envelopes, replies, strict=False):
            reply.cancel()  # does nothing to one that is done
            answer = None if reply.cancelled() else reply.result()
            # Without a stream nobody responds. If the message has a queue, its stream is only not up yet.
            if answer and _status(answer) == NO_RESPONDERS and envelope.type not in self._wires:
                raise Unroutable(f"no queue takes {envelope.type}; see contracts/flow.py")
            if answer is None or not _stored(answer):
                left.append(envelope)
        return left

    async def _subscribe(self, subject: str, received: Any, group: str = "") -> None:
        with _seam():
            self._subscriptions.append(await self._client.subscribe(subject, group, received))
            await self._inbox.echo()

    async def _api(self, call: str, body: Config) -> Config | None:
        """The answer of the JetStream API; None where there is no such thing."""
        reply = await self._inbox.ask(f"$JS.API.{call}", json.dumps(body).encode())
        answer: Config = json.loads(reply.data or b'{"error": {"description": "JetStream is not enabled"}}')
        error = answer.get("error")
        if error is None:
            return answer
        if error.get("code") == 404:
            return None
        raise Unavailable(f"NATS: {call}: {error.get('description')}")

    async def _closed(self) -> None:
        self._lost.set()
        self._inbox.give_up()

    async def _erred(self, error: Exception) -> None:
        log.debug("NATS client", error=f"{type(error).__name__} {error}")


class Pull:
    """Fetches for one worker as many messages as it has room for, and keeps their leases."""

    def __init__(
        self, client: Client, worker: Worker, parcel: Callable[[Msg], NatsParcel], lost: Lost
    ) -> None:
        self._client = client
        self._worker = worker
        self._parcel = parcel
        self._lost = lost
        self._inbox = client.new_inbox()
        self._demand = Demand(worker.queue.concurrency)
        self._news = asyncio.Event()
        self._stopping = False
        self._tasks: list[asyncio.Task[None]] = []
        self._subscription: Subscription | None = None

    async def open(self, subject: str) -> None:
        self._subscription = await self._client.subscribe(self._inbox, cb=self._received)
        self._tasks = [asyncio.create_task(self._ask(subject)), asyncio.create_task(self._extend())]

    async def stop(self) -> None:
        """Take no more in; what the server has sent already goes back."""
        self._stopping = True
        self._tasks[0].cancel()
        if self._subscription is not None:
            await self._subscription.drain()  # type: ignore[no-untyped-call]

    def abandon(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def _ask(self, subject: str) -> None:
        while True:
            await self._worker.room()
            self._news.clear()
            if wanted := self._demand.next(self._worker.free):
                await self._request(subject, wanted)
            else:
                await self._wait_for_news()

    async def _request(self, subject: str, wanted: int) -> None:
        body = {"batch": wanted, "expires": int(PULL_S * topology.NANOSECONDS)}
        with contextlib.suppress(*LOST):
            await self._client.publish(subject, json.dumps(body).encode(), self._inbox)

    async def _wait_for_news(self) -> None:
        try:
            async with asyncio.timeout(PULL_S * 1.5):
                await self._news.wait()
        except TimeoutError:
            self._demand.declined(None)

    async def _received(self, message: Msg) -> None:
        if status := _status(message):
            self._ended(status, message.headers or {})
        else:
            self._demand.came()
            await self._take(self._parcel(message))
        self._news.set()

    async def _take(self, parcel: NatsParcel) -> None:
        if not self._stopping:
            self._worker.take(parcel)
            return
        with contextlib.suppress(Unavailable):
            await parcel.release()

    def _ended(self, status: str, headers: dict[str, str]) -> None:
        """A request ran out (408) or was ended (409), or there is no such consumer (any more)."""
        unserved = headers.get("Nats-Pending-Messages")
        self._demand.declined(int(unserved) if unserved else None)
        if status == NO_RESPONDERS or "Deleted" in headers.get("Description", ""):
            self._lost.set()

    async def _extend(self) -> None:
        while True:
            await asyncio.sleep(self._worker.queue.lease_s / 3)
            for parcel in self._worker.in_hand:
                with contextlib.suppress(Unavailable):
                    await parcel.extend()


Current = Callable[[], Awaitable[NatsSession]]
"""The session of the moment, waiting for it a little."""


@contextlib.contextmanager
def _seam() -> Iterator[None]:
    try:
        yield
    except LOST as exc:
        raise Unavailable(f"NATS: {exc or type(exc).__name__}") from exc


def _packet(message: Msg) -> Packet:
    return Packet.unprefixed(message.headers or {}, message.data, PREFIX)


def _status(message: Msg) -> str | None:
    return message.headers.get("Status") if message.headers else None


def _stored(reply: Msg) -> bool:
    return _status(reply) is None and "error" not in json.loads(reply.data)
