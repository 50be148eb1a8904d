"""Which hosts may be a tenant's own, by their names alone."""

from __future__ import annotations

import re
from ipaddress import ip_address

import idna

from services.tenants.branding.errors import HostRefused

PROOF_LABEL = "_mannequin"
PROOF_PREFIX = "mannequin-verification="
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_NOT_PUBLIC = frozenset({"localhost", "local", "internal", "onion", "arpa", "invalid", "alt", "home", "lan"})
_SECOND_LEVEL = frozenset(
    {"ac", "co", "com", "edu", "gob", "gov", "gouv", "ltd", "mil", "ne", "net", "or", "org"}
)
"""What registries of countries sell names below, as in co.uk: not the whole public suffix list
(https://publicsuffix.org), and it need not be, as nobody can prove to own such a name.
"""


def proper_host(given: str, base_domain: str | None) -> str:
    """The host as DNS has it: lower case, A-labels (RFC 5891), no dot at its end. HostRefused."""
    host = _ascii(given.strip().rstrip("."))
    labels = host.split(".")
    if len(host) > 253 - len(PROOF_LABEL) - 1 or not all(map(_LABEL.fullmatch, labels)):
        raise HostRefused("That is not a host name. Give one such as photos.example.com, without https://.")
    if _is_address(host) or labels[-1].isdigit():
        raise HostRefused("An IP address can't be a domain of yours. Give a host name.")
    if len(labels) < 2 or labels[-1] in _NOT_PUBLIC or _is_suffix(labels):
        raise HostRefused("That name belongs to a registry or to nobody. Give one below it.")
    if base_domain and (host == base_domain or host.endswith(f".{base_domain}")):
        raise HostRefused("Hosts of the platform need no proof, and can't be taken.")
    return host


def proof_name(host: str) -> str:
    """Where the TXT record must be."""
    return f"{PROOF_LABEL}.{host}"


def proof_value(token: str) -> str:
    """What the TXT record must be."""
    return f"{PROOF_PREFIX}{token}"


def _ascii(given: str) -> str:
    try:
        return idna.encode(given, uts46=True, std3_rules=True).decode().lower()
    except (idna.IDNAError, UnicodeError):
        raise HostRefused("That is not a host name. Give one such as photos.example.com.") from None


def _is_address(host: str) -> bool:
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def _is_suffix(labels: list[str]) -> bool:
    return len(labels) == 2 and len(labels[1]) == 2 and labels[0] in _SECOND_LEVEL
