"""Choosing a bus, and what stands around its handlers."""

from __future__ import annotations

import contextlib

import pytest
import structlog
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from libs.common.bus.bus import Delivery
from libs.common.bus.connect import connect, standard
from libs.common.bus.middleware.logs import logs
from libs.common.bus.middleware.metrics import Metrics
from libs.common.bus.nats import NatsBus
from libs.common.bus.outcome import Dead
from libs.common.bus.rabbitmq import RabbitMqBus
from libs.common.contracts.envelope import Envelope
from libs.common.contracts.flow import RENDERS
from libs.common.contracts.ids import TenantId
from libs.common.contracts.tenants import TenantRegistered
from libs.common.errors import NotFound, Snooze, Transient

MESSAGE = TenantRegistered(name="Acme", weight=1)
DELIVERY = Delivery(Envelope.of(MESSAGE, source="unit", tenant=TenantId.new()), MESSAGE, queue="unit.queue")


async def test_the_scheme_chooses_the_adapter() -> None:
    """Plain or over TLS."""
    assert isinstance(connect("nats://localhost", "batch"), NatsBus)
    assert isinstance(connect(SecretStr("tls://localhost"), "batch"), NatsBus)
    assert isinstance(connect("amqp://localhost", "batch"), RabbitMqBus)
    assert isinstance(connect("amqps://localhost", "batch"), RabbitMqBus)


def test_an_unknown_scheme_is_refused_without_the_password() -> None:
    """The message names the scheme only."""
    with pytest.raises(ValueError, match="'redis'") as caught:
        connect("redis://user:hunter2@localhost", "batch")
    assert "hunter2" not in str(caught.value)


def test_the_standard_middlewares_can_be_asked_for_twice() -> None:
    """A process may hold several buses, but a registry takes each metric once."""
    assert standard() == standard()


async def test_metrics_tell_how_handlers_ended() -> None:
    """One label for each way."""
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    for error in (None, Snooze(1), NotFound(), Transient(), RuntimeError()):

        async def handle(_: Delivery, error: Exception | None = error) -> None:
            if error is not None:
                raise error

        with contextlib.suppress(Snooze, NotFound, Transient, RuntimeError):
            await metrics(handle)(DELIVERY)
    counted = {
        sample.labels["outcome"]: sample.value
        for metric in registry.collect()
        for sample in metric.samples
        if sample.name == "mannequin_bus_handled_total"
    }
    assert counted == {"done": 1, "snoozed": 1, "refused": 1, "failed": 2}
    assert registry.get_sample_value("mannequin_bus_handler_seconds_count", {"queue": "unit.queue"}) == 5


def test_dead_letters_are_counted_by_queue_and_reason() -> None:
    """What somebody should be woken for."""
    registry = CollectorRegistry()
    Metrics(registry).buried(RENDERS, Dead("exhausted", "x"))
    labels = {"queue": RENDERS.name, "reason": "exhausted"}
    assert registry.get_sample_value("mannequin_bus_dead_letters_total", labels) == 1


async def test_log_lines_of_a_handler_name_tenant_and_message() -> None:
    """And those after it do not."""
    inside: dict[str, object] = {}

    async def handle(_: Delivery) -> None:
        inside.update(structlog.contextvars.get_contextvars())

    await logs(handle)(DELIVERY)
    envelope = DELIVERY.envelope
    assert inside == {"tenant": envelope.tenant_id, "message": envelope.type, "message_id": envelope.id}
    assert structlog.contextvars.get_contextvars() == {}
