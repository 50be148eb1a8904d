"""The private port of a process: /livez, /readyz and /metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from libs.common.errors import MannequinError

Ping = Callable[[], Awaitable[None]]
_LIMIT_S = 2.0
_OK = "ok"


class Health:
    """Answers for the process: alive while it runs, ready while every one of `pings` returns in time."""

    def __init__(self, host: str, port: int, pings: Mapping[str, Ping]) -> None:
        self._host, self._port = host, port
        self._pings = pings
        self._runner: web.AppRunner | None = None
        self.started = False

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/livez", self._live)
        app.router.add_get("/readyz", self._ready)
        app.router.add_get("/metrics", self._metrics)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _live(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "alive"})

    async def _ready(self, _: web.Request) -> web.Response:
        if not self.started:
            return web.json_response({"status": "starting"}, status=503)
        names = list(self._pings)
        results = await asyncio.gather(*(_answer(self._pings[name]) for name in names))
        checks = dict(zip(names, results, strict=True))
        status = 200 if all(result == _OK for result in results) else 503
        return web.json_response(
            {"status": "ready" if status == 200 else "waiting", "checks": checks}, status=status
        )

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})


async def _answer(ping: Ping) -> str:
    """ "ok", or "down" with the reason where it is one of our own, which are written to be read."""
    try:
        await asyncio.wait_for(ping(), _LIMIT_S)
    except MannequinError as error:
        return f"down: {error.detail}"
    except Exception:  # noqa: BLE001  # whatever goes wrong, the answer is that it is down
        return "down"
    return _OK
