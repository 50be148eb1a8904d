"""What an API key may be given: scopes, networks and an end. No I/O."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_network

from libs.common.contracts.access import API_KEY_PERMISSIONS, DEFAULT_KEY_PERMISSIONS, Permission
from libs.common.contracts.tenants import KeyMode
from services.tenants.errors import ExpiryPassed, NetworkInvalid, ScopeBeyondCaller, ScopeRefused

LONGEST = timedelta(days=3653)


@dataclass(frozen=True, slots=True)
class KeyTerms:
    """What a key is issued with, checked by the functions below."""

    mode: KeyMode
    label: str
    scopes: tuple[Permission, ...]
    networks: tuple[str, ...]
    expires_at: datetime | None


def scopes(
    wanted: Iterable[Permission] | None, at_most: frozenset[Permission] | None
) -> tuple[Permission, ...]:
    """The scopes of a new key, sorted. wanted None: the usual ones that `at_most` holds.

    ScopeRefused, ScopeBeyondCaller.
    """
    if wanted is None:
        given = DEFAULT_KEY_PERMISSIONS if at_most is None else DEFAULT_KEY_PERMISSIONS & at_most
    else:
        given = frozenset(wanted)
    if not given:
        raise ScopeRefused("A key needs one scope at least.", field="scopes")
    _check(given, at_most)
    return tuple(sorted(given))


def fewer_scopes(wanted: Iterable[Permission], before: Iterable[Permission]) -> tuple[Permission, ...]:
    """Scopes that a key keeps, sorted. ScopeRefused if it did not have them all, or would have none."""
    kept = frozenset(wanted)
    if more := kept - frozenset(before):
        raise ScopeRefused(
            f"Scopes can't be added to a key ({_named(more)}). Issue another one.", field="scopes"
        )
    if not kept:
        raise ScopeRefused("A key needs one scope at least. Revoke it instead.", field="scopes")
    return tuple(sorted(kept))


def networks(given: Iterable[str]) -> tuple[str, ...]:
    """In CIDR notation, each once, an address as a network of one. NetworkInvalid."""
    return tuple(dict.fromkeys(map(_network, given)))


def check_end(expires_at: datetime | None, now: datetime) -> None:
    """ExpiryPassed, also of an end that is beyond all planning."""
    if expires_at is None:
        return
    if expires_at <= now:
        raise ExpiryPassed(field="expires_at")
    if expires_at > now + LONGEST:
        raise ExpiryPassed("A key ends within ten years, or has no end.", field="expires_at")


def lifetime(created_at: datetime, expires_at: datetime | None, now: datetime) -> datetime | None:
    """When a key ends that takes another's place: it lives as long as that one was meant to."""
    return None if expires_at is None else now + max(expires_at - created_at, timedelta(seconds=1))


def _network(text: str) -> str:
    try:
        network = ip_network(text.strip(), strict=True)
    except ValueError:
        raise NetworkInvalid(_advice(text), field="allowed_ips") from None
    if "%" in text:
        raise NetworkInvalid("A zone of one machine's links says nothing here.", field="allowed_ips")
    return str(network)


def _advice(text: str) -> str:
    try:
        meant = ip_network(text.strip(), strict=False)
    except ValueError:
        return f"{text[:60]!r} is neither an IP address nor a network such as 203.0.113.0/24."
    return f"{text[:60]!r} names an address within a network. The network is {meant}."


def _check(given: frozenset[Permission], at_most: frozenset[Permission] | None) -> None:
    if never := given - API_KEY_PERMISSIONS:
        raise ScopeRefused(f"No API key may have {_named(never)}: that is for people.", field="scopes")
    if at_most is not None and (beyond := given - at_most):
        raise ScopeBeyondCaller(f"You can't hand on {_named(beyond)}.", field="scopes")


def _named(some: frozenset[Permission]) -> str:
    return ", ".join(sorted(some))
