"""What counts as one place that requests come from, where attempts are counted by it."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network

_HOST_BITS = 64


def counted_as(address: IPv4Address | IPv6Address) -> str:
    """An IPv4 address by itself; of IPv6 its network, all of which one user has (RFC 4291, 2.5.1)."""
    if isinstance(address, IPv4Address):
        return str(address)
    network = int(address) >> _HOST_BITS << _HOST_BITS
    return str(IPv6Network((network, 128 - _HOST_BITS)))
