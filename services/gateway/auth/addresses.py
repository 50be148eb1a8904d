"""Where a request comes from: the peer, or what a trusted proxy said of it (see `server.py`)."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

from starlette.types import Scope

from libs.common.counted_addresses import counted_as

Address = IPv4Address | IPv6Address


def counted_at(address: Address | None) -> str:
    """The name under which requests from there are counted."""
    return counted_as(address) if address else ""


def address_of(scope: Scope) -> Address | None:
    """None for a socket without addresses, as in tests that call the application directly.

    An IPv4 address that came in as IPv6 (RFC 4291, 2.5.5.2) is IPv4.
    """
    peer = (scope.get("client") or ("",))[0]
    try:
        address = ip_address(peer)
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address
