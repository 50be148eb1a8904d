"""The egress guard: what tenants name is reached at public addresses over TLS, or not at all.

A tenant chooses the URL, so it may point at our own network (server-side request forgery, OWASP SSRF
Prevention Cheat Sheet). What a name leads to is checked when the URL is given and for each connection three
times: what the resolver says, the address that a socket is opened for, and the peer that the socket has in
the end. So a name that changes its mind, or a redirect (never followed), gets nowhere.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Collection

from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
from aiohttp.abc import AbstractResolver
from yarl import URL

from libs.common.egress.addresses import is_address, is_public
from libs.common.egress.connector import (
    KEEP_ALIVE_S,
    ForbiddenAddress,
    GuardedConnector,
    GuardedResolver,
    Permits,
)
from libs.common.egress.names import Names
from libs.common.errors import MannequinError

_HTTPS_PORT, _FIRST_USER_PORT = 443, 1024
_CHECK_S = 3.0
_SCHEMES = {"http": False, "https": True, "grpc": False, "grpcs": True}
"""Whether each is encrypted."""


class UrlForbidden(MannequinError):
    """The URL must be encrypted and lead to a public address."""


class Guard:
    """What the URLs of tenants are reached through. `allow_private`: everything goes (one machine).

    schemes: what a URL may begin with. resolver, permits, tls: how names are resolved, which addresses are
    public, whose certificates count.
    """

    def __init__(
        self,
        *,
        allow_private: bool,
        timeout_s: float,
        schemes: Collection[str] = ("http", "https"),
        resolver: AbstractResolver | None = None,
        permits: Permits = is_public,
        tls: ssl.SSLContext | bool = True,
    ) -> None:
        self._allow_private = allow_private
        self._timeout = ClientTimeout(total=timeout_s)
        self._schemes = schemes
        self._names = resolver or Names()
        self._guarded = GuardedResolver(self._names, permits)
        self._permits = permits
        self._tls = tls

    def read(self, url: str) -> URL:
        """The URL, if its form is one that something may be sent to. UrlForbidden says why not."""
        parsed = self._parse(url)
        if not self._allow_private:
            self._check_form(parsed)
        return parsed

    async def check(self, url: str) -> URL:
        """The URL, read, if it also leads to public addresses only. UrlForbidden says why not."""
        parsed = self.read(url)
        if not self._allow_private:
            await self._check_host(parsed)
        return parsed

    async def addresses(self, url: URL) -> list[str]:
        """The permitted addresses of the URL's host, for clients that open their own sockets.

        OSError where it has none (ForbiddenAddress) or does not resolve. Connect to one of them, by number:
        what the name leads to later is not what was looked at.
        """
        host = url.host or ""
        if is_address(host):
            if not self._allow_private and not self._permits(host):
                raise ForbiddenAddress("the address is not public")
            return [host]
        resolver = self._names if self._allow_private else self._guarded
        found = await resolver.resolve(url.raw_host or "", url.port or _HTTPS_PORT)
        return [result["host"] for result in found]

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
            return TCPConnector(limit=0, resolver=self._names, keepalive_timeout=KEEP_ALIVE_S)
        return GuardedConnector(self._guarded, self._permits, tls=self._tls)

    def _parse(self, url: str) -> URL:
        """By the parser that will make the request, so that the two can't read it differently."""
        if any(character <= " " or character == "\x7f" for character in url):
            raise UrlForbidden("The URL holds a space or a control character.")
        try:
            parsed = URL(url)
        except ValueError:
            raise UrlForbidden("The URL can't be read.") from None
        if parsed.scheme not in self._schemes or not parsed.host or parsed.port == 0:
            raise UrlForbidden("The URL must be absolute, such as https://shop.example/hooks.")
        if parsed.raw_user is not None or parsed.raw_password is not None:
            raise UrlForbidden("The URL must not hold a user or password.")
        return parsed

    def _check_form(self, url: URL) -> None:
        if not _SCHEMES[url.scheme]:
            encrypted = " or ".join(f"{scheme}://" for scheme in self._schemes if _SCHEMES[scheme])
            raise UrlForbidden(f"The URL must begin with {encrypted}.")
        port = url.port or _HTTPS_PORT
        if port != _HTTPS_PORT and port < _FIRST_USER_PORT:
            raise UrlForbidden("The port must be 443, or 1024 and above.")

    async def _check_host(self, url: URL) -> None:
        try:
            async with asyncio.timeout(_CHECK_S):
                public = await self._leads_to_public(url)
        except (OSError, UnicodeError):  # TimeoutError is an OSError
            raise UrlForbidden("The host's name does not resolve; check its spelling.") from None
        if not public:
            raise UrlForbidden("The host must lead to public addresses only.")

    async def _leads_to_public(self, url: URL) -> bool:
        host = url.host or ""
        if is_address(host):
            return self._permits(host)
        found = await self._names.resolve(url.raw_host or "", url.port or _HTTPS_PORT)
        return bool(found) and all(self._permits(result["host"]) for result in found)
