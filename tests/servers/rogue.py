"""An HTTP server that answers whatever a test wants, however wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from deploy.local.ports import HOST

_PIECE = b"x" * (256 * 1024)


@dataclass(frozen=True)
class Answer:
    """What a request gets. endless: the body never ends. echo: the headers of the request are the body."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    endless: bool = False
    echo: bool = False


class Rogue:
    """`answer`: for every request; None: none is ever answered. `seen`: the requests so far."""

    def __init__(self) -> None:
        self.answer: Answer | None = Answer()
        self.seen: list[web.Request] = []
        self.sent = 0
        self.asked = asyncio.Event()
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    async def handle(self, request: web.Request) -> web.StreamResponse:
        await request.read()
        self.seen.append(request)
        self.asked.set()
        if self.answer is None:
            await asyncio.Event().wait()
            raise AssertionError
        if self.answer.endless:
            return await self._endless(request)
        said = str(dict(request.headers)).encode() if self.answer.echo else self.answer.body
        return web.Response(status=self.answer.status, body=said, headers=dict(self.answer.headers))

    async def _endless(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        while True:
            await response.write(_PIECE)
            self.sent += len(_PIECE)


@asynccontextmanager
async def rogue_server() -> AsyncIterator[Rogue]:
    """It while it runs, on a free loopback port."""
    rogue = Rogue()
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", rogue.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, HOST, 0).start()
    rogue.port = runner.addresses[0][1]
    try:
        yield rogue
    finally:
        await runner.cleanup()
