"""What `contracts/flow.py` lets a service do; everything else is refused by name."""

from __future__ import annotations

from typing import Any

from libs.common.bus.errors import NotInFlow
from libs.common.contracts.envelope import Envelope
from libs.common.contracts.flow import Queue, Service
from libs.common.contracts.message import Query, Signal


class Rights:
    """Every method returns, or raises NotInFlow."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._published = frozenset(message.wire for message in service.publishes)

    def publish(self, envelope: Envelope) -> None:
        self._need(envelope.type in self._published, "publish", envelope.type)

    def subscribe(self, queue: Queue) -> None:
        self._need(queue in self._service.queues, "subscribe to", queue.name)

    def request(self, query: type[Query[Any]]) -> None:
        self._need(query in self._service.requests, "request", query.wire)

    def respond(self, query: type[Query[Any]]) -> None:
        self._need(query in self._service.responds, "respond to", query.wire)

    def signal(self, signal: type[Signal]) -> None:
        self._need(signal in self._service.signals, "signal", signal.wire)

    def listen(self, signal: type[Signal]) -> None:
        self._need(signal in self._service.listens, "listen to", signal.wire)

    def _need(self, given: bool, verb: str, what: str) -> None:
        if not given:
            raise NotInFlow(f"{self._service.name} may not {verb} {what} by contracts/flow.py")
