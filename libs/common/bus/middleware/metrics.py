"""How many messages were handled, how they ended and how long they took (Prometheus)."""

from __future__ import annotations

import time

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram

from libs.common.bus.bus import Delivery, Handler
from libs.common.bus.outcome import Dead
from libs.common.contracts.flow import Queue
from libs.common.errors import Permanent, Refusal, Snooze

BUCKETS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300)


class Metrics:
    """A middleware that counts into `registry`, where it may be made once."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._handled = Counter(
            "mannequin_bus_handled",
            "Messages that a handler was done with, by how it ended.",
            ("queue", "outcome"),
            registry=registry,
        )
        self._seconds = Histogram(
            "mannequin_bus_handler_seconds",
            "Seconds in the handler.",
            ("queue",),
            registry=registry,
            buckets=BUCKETS,
        )

        self._dead = Counter(
            "mannequin_bus_dead_letters",
            "Messages that were dead-lettered; each wants somebody to look at it.",
            ("queue", "reason"),
            registry=registry,
        )

    def buried(self, queue: Queue, dead: Dead) -> None:
        """Count a dead letter."""
        self._dead.labels(queue.name, dead.reason).inc()

    def __call__(self, handler: Handler) -> Handler:
        async def measured(delivery: Delivery) -> None:
            began = time.perf_counter()
            ended = "cancelled"
            try:
                await handler(delivery)
                ended = "done"
            except Exception as exc:
                ended = outcome_of(exc)
                raise
            finally:
                self._seconds.labels(delivery.queue).observe(time.perf_counter() - began)
                self._handled.labels(delivery.queue, ended).inc()

        return measured


def outcome_of(error: Exception) -> str:
    """The label of a handler that raised."""
    if isinstance(error, Snooze):
        return "snoozed"
    return "refused" if isinstance(error, Permanent | Refusal) else "failed"
