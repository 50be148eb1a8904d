"""A DNS server that answers what a test tells it to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from dnslib import QTYPE, RCODE, RR, TXT  # type: ignore[import-untyped]
from dnslib.server import BaseResolver, DNSLogger, DNSServer  # type: ignore[import-untyped]


@dataclass
class Zone(BaseResolver):  # type: ignore[misc]
    """TXT records by name. `broken`: the server says that it can't answer; `asked`: how often it was."""

    records: dict[str, list[str]] = field(default_factory=dict)
    broken: bool = False
    asked: int = 0
    address: str = ""

    def resolve(self, request: Any, handler: Any) -> Any:
        self.asked += 1
        reply = request.reply()
        name = str(request.q.qname).rstrip(".").lower()
        if self.broken:
            reply.header.rcode = RCODE.SERVFAIL
        elif name not in self.records:
            reply.header.rcode = RCODE.NXDOMAIN
        elif request.q.qtype == QTYPE.TXT:
            for value in self.records[name]:
                reply.add_answer(RR(request.q.qname, QTYPE.TXT, rdata=TXT(value), ttl=0))
        return reply


@contextmanager
def dns_server() -> Iterator[Zone]:
    """A server on a free loopback port, whose `address` is host and port."""
    zone = Zone()
    server = DNSServer(zone, address="127.0.0.1", port=0, logger=DNSLogger(log="", prefix=False))
    zone.address = f"127.0.0.1:{server.server.server_address[1]}"
    server.start_thread()
    try:
        yield zone
    finally:
        server.stop()
        server.server.server_close()
