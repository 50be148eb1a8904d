"""The bus that a URL names."""

from __future__ import annotations

from functools import cache
from urllib.parse import urlsplit

from pydantic import SecretStr

from libs.common.bus.bus import Bus, Middleware
from libs.common.bus.middleware.actor import actor
from libs.common.bus.middleware.logs import logs
from libs.common.bus.middleware.metrics import Metrics
from libs.common.bus.middleware.trace import trace
from libs.common.bus.service_bus import Limits, Setup
from libs.common.contracts.flow import SERVICES, queues


def connect(
    url: SecretStr | str,
    service: str,
    *,
    middlewares: tuple[Middleware, ...] | None = None,
    limits: Limits | None = None,
) -> Bus:
    """The bus of `service` (a name in `flow.SERVICES`), not started yet.

    url: `nats://` or `tls://` for NATS, `amqp://` or `amqps://` for RabbitMQ. ValueError for any other.
    middlewares: around every handler of durable messages, the first outermost; None for the standard ones.
    """
    secret = url if isinstance(url, SecretStr) else SecretStr(url)
    setup = Setup(
        service=SERVICES[service],
        queues=queues(),
        middlewares=standard() if middlewares is None else middlewares,
        limits=limits or Limits(),
        buried=metrics().buried,
    )
    return adapter(secret, setup)


def adapter(url: SecretStr, setup: Setup) -> Bus:
    """The adapter for the URL's scheme; only its broker's client gets imported."""
    scheme = urlsplit(url.get_secret_value()).scheme
    match scheme:
        case "nats" | "tls":
            from libs.common.bus.nats import NatsBus

            return NatsBus(url, setup)
        case "amqp" | "amqps":
            from libs.common.bus.rabbitmq import RabbitMqBus

            return RabbitMqBus(url, setup)
        case _:
            raise ValueError(f"no bus for the scheme {scheme!r}: use nats:// or amqp://")


def standard() -> tuple[Middleware, ...]:
    """Trace, then logs (which name the trace), then whoever acts, then metrics, closest to the handler."""
    return (trace, logs, actor, metrics())


@cache
def metrics() -> Metrics:
    """One for the process, as its registry is."""
    return Metrics()
