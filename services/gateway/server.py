"""The HTTP server as a part of the process: starts when all is ready, drains when the process stops."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from libs.common.errors import Unavailable
from services.gateway.branding.hosts import ForwardedHost
from services.gateway.settings import GatewaySettings

_BACKLOG = 1024


class _Quiet(uvicorn.Server):
    """uvicorn without signal handlers of its own: the process has its own way to stop."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class HttpServer:
    """Serves `app` at the host and port of the settings; port 0 takes a free one.

    draining: called before the requests under way are waited for, to end those that would last for ever.
    """

    def __init__(self, app: ASGIApp, settings: GatewaySettings, draining: Callable[[], None]) -> None:
        self._socket = _bind(settings.host, settings.port)
        self._draining = draining
        self._server = _Quiet(
            uvicorn.Config(
                _behind_proxies(app, settings.forwarded_allow_ips),
                loop="none",
                http="httptools",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                backlog=_BACKLOG,
                timeout_keep_alive=75,
                timeout_graceful_shutdown=int(settings.drain_s),
            )
        )

    @property
    def port(self) -> int:
        number: int = self._socket.getsockname()[1]
        return number

    async def run(self) -> None:
        """Serve until `drain` is called."""
        await self._server.serve(sockets=[self._socket])

    async def started(self) -> None:
        """Return once connections are taken."""
        while not self._server.started:
            await asyncio.sleep(0.01)

    async def drain(self, serving: asyncio.Task[None]) -> None:
        """Take no more requests, let those under way end within the limit, cancel the rest."""
        self._draining()
        self._server.should_exit = True
        await asyncio.wait([serving])

    async def ping(self) -> None:
        """Return while requests are taken; Unavailable if not."""
        if not self._server.started or self._server.should_exit:
            raise Unavailable("no requests are taken")


def _behind_proxies(app: Any, trusted: str) -> Any:
    """The host is noted first, as it must see the peer's own address, which the other replaces."""
    behind: Any = ProxyHeadersMiddleware(app, trusted)
    return ForwardedHost(behind, trusted)


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    bound.setblocking(False)
    return bound
