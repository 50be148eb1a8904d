"""Looking up whether whoever runs a host's DNS says that it is a tenant's."""

from __future__ import annotations

from typing import Protocol

import dns.asyncresolver
import dns.exception
import dns.resolver
from dns.rdtypes.ANY.TXT import TXT

from libs.common.contracts.branding import DomainFault
from services.tenants.branding.hosts import proof_name

TIMEOUT_S = 4.0


class Proof(Protocol):
    """Asks for the record."""

    async def look(self, host: str, expected: str) -> DomainFault | None:
        """None if a TXT record of `host`'s proof name is `expected`; else why not. Never raises."""


class DnsProof:
    """By the resolvers of this machine, or by the one at `server` (`address` or `address:port`)."""

    def __init__(self, server: str | None = None, *, timeout_s: float = TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        self._resolver = _resolver() if server is None else dns.asyncresolver.Resolver(configure=False)
        if server is not None:
            address, _, port = server.rpartition(":") if server.count(":") == 1 else (server, "", "53")
            self._resolver.nameservers = [address]
            self._resolver.port = int(port)

    async def look(self, host: str, expected: str) -> DomainFault | None:
        name = f"{proof_name(host)}."
        try:
            answer = await self._resolver.resolve(name, "TXT", lifetime=self._timeout_s, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return DomainFault.TXT_MISSING
        except (dns.exception.DNSException, OSError):
            return DomainFault.DNS_UNAVAILABLE
        found = {b"".join(record.strings) for record in answer if isinstance(record, TXT)}
        return None if expected.encode() in found else DomainFault.TXT_DIFFERENT


def _resolver() -> dns.asyncresolver.Resolver:
    """As this machine is set up; one that is not can still do everything but prove domains."""
    try:
        return dns.asyncresolver.Resolver()
    except dns.resolver.NoResolverConfiguration:
        return dns.asyncresolver.Resolver(configure=False)
