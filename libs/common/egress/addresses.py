"""Which addresses are everyone's, by the registries of IANA
(https://www.iana.org/assignments/iana-ipv4-special-registry and iana-ipv6-special-registry).
"""

from __future__ import annotations

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_UNICAST = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_UNKNOWN_TO_OLD_PYTHONS = tuple(
    map(ipaddress.ip_network, ("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "3fff::/20"))
)
"""Not for everyone, though `ipaddress` before 3.12.4 says so of some of them."""


def is_public(text: str) -> bool:
    """Whether an address is reachable by everyone, also an IPv6 one that carries an IPv4 one inside.

    ValueError if it is no address.
    """
    address = ipaddress.ip_address(text.partition("%")[0])
    inner = _inside(address)
    return _is_global(address) if inner is None else _is_global(inner)


def is_address(text: str) -> bool:
    """Whether a URL's host is an address, not a name."""
    try:
        ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return True


def _is_global(address: Address) -> bool:
    if address.version == 6 and address not in _UNICAST:
        return False
    special = any(address in network for network in _UNKNOWN_TO_OLD_PYTHONS)
    return address.is_global and not (special or address.is_multicast or address.is_reserved)


def _inside(address: Address) -> ipaddress.IPv4Address | None:
    """Where packets to an IPv6 address end up in IPv4: mapped, translated (NAT64) or tunnelled (6to4)."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour
