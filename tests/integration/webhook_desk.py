"""The parts of the webhooks service on a real database, a clock to turn, and a real receiver on loopback."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from aiohttp import ClientSession, web
from cryptography.fernet import Fernet
from pydantic import SecretStr

from libs.common.contracts.audit import ActionAudited
from libs.common.contracts.batch import BatchCompleted, BatchStatus
from libs.common.contracts.ids import EndpointId, TenantId
from libs.common.contracts.message import Message
from libs.common.contracts.webhooks import CreatedEndpoint, CreateEndpoint, Delivery, ListDeliveries
from libs.common.db import Database
from services.webhooks.attempt import Sender
from services.webhooks.deliver import Deliverer
from services.webhooks.guard import Guard
from services.webhooks.seal import Seal
from services.webhooks.service import WebhooksService
from services.webhooks.share import Bounds
from tests.unit.test_webhooks_payload import batch

LIMIT_S = 20.0
Answering = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Received:
    """A webhook as it came. at: `time.perf_counter()`."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    at: float

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


@dataclass
class Receiver:
    """Answers by the path: what `answers` says of it, and 204 to anything else."""

    url: str = ""
    received: list[Received] = field(default_factory=list)
    answers: dict[str, Answering] = field(default_factory=dict)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        came = Received(request.path, dict(request.headers.items()), body, time.perf_counter())
        self.received.append(came)
        self._changed.set()
        answer = self.answers.get(request.path)
        return await answer(request) if answer else web.Response(status=204)

    def status(self, path: str, status: int, headers: Mapping[str, str] | None = None) -> None:
        async def answer(_: web.Request) -> web.StreamResponse:
            return web.Response(status=status, headers=headers)

        self.answers[path] = answer

    def at(self, path: str) -> list[Received]:
        return [came for came in self.received if came.path == path]

    async def count(self, number: int, path: str = "/") -> list[Received]:
        """What came to `path`, once it is that many."""
        async with asyncio.timeout(LIMIT_S):
            while len(self.at(path)) < number:
                self._changed.clear()
                await self._changed.wait()
        return self.at(path)


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    here = Receiver()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", here.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    here.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield here
    finally:
        await runner.cleanup()


@dataclass
class Clock:
    """Stands still until it is turned."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        return self.now

    def turn(self, **by: float) -> None:
        self.now += timedelta(**by)


class Desk:
    """One tenant's webhooks; `worker` starts a loop that delivers, as a process would."""

    def __init__(self, database: Database, receiver: Receiver, session: ClientSession, guard: Guard) -> None:
        self.database, self.receiver = database, receiver
        self.tenant = TenantId.new()
        self.clock = Clock()
        self.seal = Seal(SecretStr(Fernet.generate_key().decode()))
        self._session = session
        self._workers: list[Deliverer] = []
        self.service = WebhooksService(
            database, guard, self.seal, api_url="https://api.example", deliver=self.wake, clock=self.clock
        )

    def wake(self) -> None:
        for worker in self._workers:
            worker.wake()

    @asynccontextmanager
    async def worker(self, bounds: Bounds | None = None) -> AsyncIterator[None]:
        sender = Sender(self._session, self.seal, self.clock)
        worker = Deliverer(self.database, sender, bounds or Bounds(), clock=self.clock)
        self._workers.append(worker)
        task = asyncio.create_task(worker.run())
        try:
            yield
        finally:
            self._workers.remove(worker)
            task.cancel()
            await asyncio.wait([task])

    async def endpoint(self, path: str = "/", **fields: object) -> CreatedEndpoint:
        query = CreateEndpoint.model_validate({"url": self.receiver.url + path, **fields})
        return await self.service.create(query, self.tenant)

    async def tell(self, message: Message | None = None) -> None:
        """What the bus does with a message of the batch service."""
        async with self.database.tenant(self.tenant) as tx:
            await self.service.notify(message or BatchCompleted(batch=batch(BatchStatus.COMPLETED)), tx)

    async def deliveries(self, endpoint: EndpointId) -> tuple[Delivery, ...]:
        page = await self.service.list_deliveries(ListDeliveries(endpoint_id=endpoint), self.tenant)
        return page.items

    async def until(
        self, endpoint: EndpointId, condition: Callable[[tuple[Delivery, ...]], bool]
    ) -> tuple[Delivery, ...]:
        """The endpoint's deliveries, once they are as wished."""
        async with asyncio.timeout(LIMIT_S):
            while not condition(found := await self.deliveries(endpoint)):
                await asyncio.sleep(0.01)
        return found

    async def tried(self, endpoint: EndpointId, times: int) -> Delivery:
        """The endpoint's one delivery, once it was tried so often."""
        [delivery] = await self.until(endpoint, lambda found: len(found[0].attempts) >= times)
        return delivery

    async def outbox(self) -> list[str]:
        """What waits there to be told, but for what the audit log hears."""
        async with self.database.platform("look") as tx:
            rows = await tx.fetch("select headers from outbox where tenant_id = $1 order by id", self.tenant)
        types = [row["headers"]["type"] for row in rows]
        return [one for one in types if one != ActionAudited.wire]


@asynccontextmanager
async def at_desk(database: Database, *, timeout_s: float = 15) -> AsyncIterator[Desk]:
    """A desk that may deliver to loopback. timeout_s: of one try."""
    guard = Guard(allow_private=True, timeout_s=timeout_s)
    async with receiving() as receiver, guard.session() as session:
        yield Desk(database, receiver, session, guard)
    await guard.close()
