"""Somebody who receives webhooks on this machine."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from deploy.local.ports import HOST


@dataclass(frozen=True)
class Received:
    """A webhook as it came. at: `time.time()`."""

    headers: Mapping[str, str]
    body: bytes
    at: float


@dataclass
class Receiver:
    """Keeps what comes until it is asked for. url: where it listens."""

    url: str
    arrivals: asyncio.Queue[Received] = field(default_factory=asyncio.Queue)


@asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    """Listen on a free loopback port and answer 204 to everything."""
    here = Receiver("")

    async def receive(request: web.Request) -> web.Response:
        arrived = Received(dict(request.headers), await request.read(), time.time())
        here.arrivals.put_nowait(arrived)
        return web.Response(status=204)

    app = web.Application()
    app.router.add_post("/", receive)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, HOST, 0).start()
    here.url = f"http://{HOST}:{runner.addresses[0][1]}/"
    try:
        yield here
    finally:
        await runner.cleanup()
