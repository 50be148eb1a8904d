"""Sockets to public addresses and to no others, for aiohttp."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from typing import Any

from aiohttp import ClientConnectorError, TCPConnector
from aiohttp.abc import AbstractResolver, ResolveResult

Permits = Callable[[str], bool]
"""Whether an address may be spoken to."""

KEEP_ALIVE_S = 4.0  # less than common servers', so that no POST meets a connection that is just closing


class ForbiddenAddress(OSError):
    """The host leads to an address that is not public."""


class GuardedResolver(AbstractResolver):
    """Resolves names, and drops every address that is not permitted; a name without any other is refused."""

    def __init__(self, inner: AbstractResolver, permits: Permits) -> None:
        self._inner = inner
        self._permits = permits

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        permitted = [result for result in found if self._permits(result["host"])]
        if not permitted:
            raise ForbiddenAddress("the host leads to no public address")
        return permitted

    async def close(self) -> None:
        await self._inner.close()


class GuardedConnector(TCPConnector):
    """Opens sockets to permitted addresses only, TLS on each, and looks again at whom it is connected to."""

    def __init__(self, resolver: AbstractResolver, permits: Permits, *, tls: ssl.SSLContext | bool) -> None:
        super().__init__(
            limit=0,
            resolver=resolver,
            use_dns_cache=False,
            ssl=tls,
            keepalive_timeout=KEEP_ALIVE_S,
            socket_factory=self._socket,
        )
        self._permits = permits

    async def connect(self, req: Any, traces: Any, timeout: Any) -> Any:
        """The peer is asked even of kept connections: it costs nothing."""
        if not req.is_ssl():
            raise ForbiddenAddress("nothing is sent without TLS")
        connection = await super().connect(req, traces, timeout)
        peer = connection.transport.get_extra_info("peername") if connection.transport else None
        if peer is None or not self._permits(peer[0]):
            connection.close()
            raise ForbiddenAddress("the connection leads to an address that is not public")
        return connection

    def _socket(self, info: Any) -> socket.socket:
        family, kind, protocol, _, address = info
        if not self._permits(address[0]):
            raise ForbiddenAddress("the address is not public")
        return socket.socket(family=family, type=kind, proto=protocol)


def is_forbidden(error: BaseException) -> bool:
    """Whether a failed connection failed at the guard."""
    inner = error.os_error if isinstance(error, ClientConnectorError) else error.__cause__
    return isinstance(error, ForbiddenAddress) or isinstance(inner, ForbiddenAddress)
