"""At which host a request was made.

Only the `Host` header says so (RFC 9110, 7.2), or `X-Forwarded-Host` where a trusted proxy passed the request
on: whoever else sends that header could have one tenant's page served, and cached, as another's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from starlette.types import ASGIApp, Receive, Scope, Send

FORWARDED = "mannequin.forwarded_host"
_HOST = re.compile(r"([a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?)\.?(?::\d{0,5})?")


class ForwardedHost:
    """Notes a trusted proxy's X-Forwarded-Host in the scope. It must see the peer's own address, so it goes
    around what replaces that.

    trusted: as uvicorn's `forwarded_allow_ips`: addresses and networks with commas between, or `*`.
    """

    def __init__(self, app: ASGIApp, trusted: str) -> None:
        self._app = app
        names = [name.strip() for name in trusted.split(",") if name.strip()]
        self._anyone = "*" in names
        self._networks = _networks(names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self._trusts(scope.get("client")):
            told = ",".join(_values(scope, b"x-forwarded-host"))
            scope[FORWARDED] = told.rpartition(",")[2]  # what the nearest proxy says stands last
        await self._app(scope, receive, send)

    def _trusts(self, client: Sequence[object] | None) -> bool:
        if self._anyone or not client:
            return self._anyone
        try:
            peer = ip_address(str(client[0]))
        except ValueError:
            return False
        return any(peer in network for network in self._networks)


def host_of(scope: Scope) -> str | None:
    """In lower case, without port and final dot; None if it is not one name."""
    told = [scope[FORWARDED]] if scope.get(FORWARDED) else _values(scope, b"host")
    if len(told) != 1:
        return None
    found = _HOST.fullmatch(told[0].strip().lower())
    return found[1] if found else None


def _values(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]


def _networks(names: Sequence[str]) -> list[IPv4Network | IPv6Network]:
    found = []
    for name in names:
        try:
            found.append(ip_network(name, strict=False))
        except ValueError:
            continue  # uvicorn takes names of sockets, too; they have no address to trust
    return found
