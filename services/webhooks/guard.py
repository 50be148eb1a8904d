"""The egress guard: deliveries go to public addresses over https and nowhere else.

A tenant chooses the URL, so it may point at our own network (server-side request forgery, OWASP SSRF
Prevention Cheat Sheet). What a name leads to is checked when the endpoint is registered and for each
connection three times: what the resolver says, the address that a socket is opened for, and the peer that
the socket has in the end. So a name that changes its mind, or a redirect (never followed), gets nowhere.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import Any

from aiohttp import ClientConnectorError, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from services.webhooks.addresses import is_address, is_public
from services.webhooks.errors import UrlRefused
from services.webhooks.names import Names

Permits = Callable[[str], bool]
"""Whether an address may be spoken to."""

_HTTPS_PORT, _FIRST_USER_PORT = 443, 1024
_CHECK_S = 3.0
_KEEP_ALIVE_S = 4.0  # less than common servers', so that no POST meets a connection that is just closing


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
            keepalive_timeout=_KEEP_ALIVE_S,
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


class Guard:
    """What the endpoints of tenants are reached through. `allow_private`: everything goes (one machine).

    resolver, permits, tls: how names are resolved, which addresses are public, whose certificates count.
    """

    def __init__(
        self,
        *,
        allow_private: bool,
        timeout_s: float,
        resolver: AbstractResolver | None = None,
        permits: Permits = is_public,
        tls: ssl.SSLContext | bool = True,
    ) -> None:
        self._allow_private = allow_private
        self._timeout = ClientTimeout(total=timeout_s)
        self._names = resolver or Names()
        self._guarded = GuardedResolver(self._names, permits)
        self._permits = permits
        self._tls = tls

    async def check(self, url: str) -> None:
        """Refuse a URL that no delivery could go to. UrlRefused says why."""
        parsed = _parse(url)
        if not self._allow_private:
            _check_form(parsed)
            await self._check_host(parsed)

    def session(self) -> ClientSession:
        """A client session whose connections all pass the guard; no cookies, no proxies, no unpacking."""
        return ClientSession(
            connector=self._connector(),
            timeout=self._timeout,
            cookie_jar=DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
        )

    async def close(self) -> None:
        await self._names.close()

    def _connector(self) -> TCPConnector:
        if self._allow_private:
            return TCPConnector(limit=0, resolver=self._names, keepalive_timeout=_KEEP_ALIVE_S)
        return GuardedConnector(self._guarded, self._permits, tls=self._tls)

    async def _check_host(self, url: URL) -> None:
        try:
            async with asyncio.timeout(_CHECK_S):
                public = await self._leads_to_public(url)
        except (OSError, UnicodeError):  # TimeoutError is an OSError
            raise UrlRefused("The host's name does not resolve; check its spelling.") from None
        if not public:
            raise UrlRefused("The host must lead to public addresses only.")

    async def _leads_to_public(self, url: URL) -> bool:
        host = url.host or ""
        if is_address(host):
            return self._permits(host)
        found = await self._names.resolve(url.raw_host or "", url.port or _HTTPS_PORT)
        return bool(found) and all(self._permits(result["host"]) for result in found)


def is_forbidden(error: BaseException) -> bool:
    """Whether a failed connection failed at the guard."""
    inner = error.os_error if isinstance(error, ClientConnectorError) else error.__cause__
    return isinstance(error, ForbiddenAddress) or isinstance(inner, ForbiddenAddress)


def _parse(url: str) -> URL:
    """By the parser that will make the request, so that the two can't read it differently."""
    if any(character <= " " or character == "\x7f" for character in url):
        raise UrlRefused("The URL holds a space or a control character.")
    try:
        parsed = URL(url)
    except ValueError:
        raise UrlRefused("The URL can't be read.") from None
    if parsed.scheme not in ("http", "https") or not parsed.host or parsed.port == 0:
        raise UrlRefused("The URL must be absolute, such as https://shop.example/hooks.")
    if parsed.raw_user is not None or parsed.raw_password is not None:
        raise UrlRefused("The URL must not hold a user or password; verify the signature instead.")
    return parsed


def _check_form(url: URL) -> None:
    if url.scheme != "https":
        raise UrlRefused("The URL must begin with https://.")
    port = url.port or _HTTPS_PORT
    if port != _HTTPS_PORT and port < _FIRST_USER_PORT:
        raise UrlRefused("The port must be 443, or 1024 and above.")
