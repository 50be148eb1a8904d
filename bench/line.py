"""The whole system for a benchmark, with a tenant, its key and somebody who receives its webhooks."""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import psutil
from aiohttp import web

from bench.photos import FOLDER
from deploy.local.demo.account import Account, make_account
from deploy.local.ports import HOST
from deploy.local.state import State
from deploy.local.supervisor import Bus, Supervisor

LIMIT_S = 1800.0


class Submitted(NamedTuple):
    """A batch: when its upload began and when it was accepted (`time.time()`)."""

    id: str
    began: float
    accepted: float


@dataclass
class Tenant:
    """A tenant as it calls the API."""

    client: httpx.AsyncClient
    received: Mapping[str, asyncio.Future[float]]

    async def submit(self, archive: Path) -> Submitted:
        """Upload an archive and have it accepted."""
        began = time.time()
        response = await self.client.post(
            "/api/v1/batch/process", content=_read(archive), headers={"content-type": "application/zip"}
        )
        response.raise_for_status()
        return Submitted(response.json()["id"], began, time.time())

    async def done(self, batch: Submitted) -> float:
        """When the batch's webhook came (`time.time()`)."""
        return await asyncio.wait_for(self.received[batch.id], LIMIT_S)


async def _read(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while piece := await asyncio.to_thread(file.read, 1024 * 1024):
            yield piece


class _Futures(dict[str, "asyncio.Future[float]"]):
    def __missing__(self, key: str) -> asyncio.Future[float]:
        self[key] = asyncio.get_running_loop().create_future()
        return self[key]


@dataclass
class Line:
    """A running system. `state`: its folder, for a look at what it stored."""

    system: Supervisor
    state: State
    receiver: str
    received: _Futures = field(default_factory=_Futures)

    def processes(self, *names: str) -> list[psutil.Process]:
        """The processes of servers and services (all of them without a name), children included."""
        chosen = [server for name, server in self.system.servers.items() if not names or name in names]
        roots = [psutil.Process(pid) for server in chosen for pid in server.pids]
        return [*roots, *(child for root in roots for child in root.children(recursive=True))]

    def memory_mib(self, *names: str) -> float:
        """Memory that is theirs (PSS, so that shared pages count once)."""
        return sum(p.memory_full_info().pss for p in self.processes(*names)) / 2**20

    def cpu_s(self) -> float:
        """CPU seconds that all processes have used."""
        times = [process.cpu_times() for process in self.processes()]
        return sum(t.user + t.system for t in times)

    def last_result_at(self, batch_id: str) -> float:
        """When the batch's last result was written."""
        return max(
            path.stat().st_mtime
            for path in self.state.objects.glob(f"tenants/*/batches/{batch_id}/results/*")
        )

    @asynccontextmanager
    async def tenant(self, name: str) -> AsyncIterator[Tenant]:
        """A new tenant with a key and a webhook endpoint."""
        async with self.tenant_of(await make_account(self.system.addresses, name)) as tenant:
            yield tenant

    @asynccontextmanager
    async def tenant_of(self, account: Account) -> AsyncIterator[Tenant]:
        """The tenant of an account, with a webhook endpoint."""
        url = self.system.addresses.api_url
        async with httpx.AsyncClient(base_url=url, headers=account.headers, timeout=LIMIT_S) as client:
            await client.post("/api/v1/webhook-endpoints", json={"url": self.receiver})
            yield Tenant(client, self.received)


@asynccontextmanager
async def line(bus: Bus = Bus.NATS, modules: Mapping[str, str] | None = None) -> AsyncIterator[Line]:
    """Start the system in a folder of its own; `modules` replaces services by other Python modules."""
    root = FOLDER / "state"
    shutil.rmtree(root, ignore_errors=True)
    async with AsyncExitStack() as stack:
        state = State(root)
        running: dict[str, Any] = {}
        receiver = await stack.enter_async_context(_receiver(running))
        system = await stack.enter_async_context(Supervisor(state, bus, modules=modules or {}))
        running["line"] = Line(system, state, receiver)
        yield running["line"]


@asynccontextmanager
async def _receiver(running: Mapping[str, Line]) -> AsyncIterator[str]:
    async def receive(request: web.Request) -> web.Response:
        now = time.time()
        body = json.loads(await request.read())
        future = running["line"].received[body["data"]["batch"]["id"]]
        if not future.done():
            future.set_result(now)
        return web.Response(status=204)

    app = web.Application()
    app.router.add_post("/", receive)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, HOST, 0)
    await site.start()
    try:
        yield f"http://{HOST}:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()
