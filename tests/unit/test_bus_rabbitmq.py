"""The pure parts of the RabbitMQ adapter: names and arguments, and which retry queue serves a delay."""

from __future__ import annotations

import pytest

from libs.common.bus import rabbitmq_topology as topology
from libs.common.bus.rabbitmq_topology import STEPS_MS, Names
from libs.common.contracts.flow import RENDERS

NAMES = Names("unit")


@pytest.mark.parametrize(
    ("delay", "step"), [(0, 100), (0.1, 100), (0.101, 250), (1, 1_000), (45, 60_000), (90_000, STEPS_MS[-1])]
)
def test_a_snooze_takes_the_first_step_that_is_long_enough(delay: float, step: int) -> None:
    """Beyond the longest it takes several."""
    assert topology.step_ms(delay) == step


def test_a_retry_takes_exactly_its_delay() -> None:
    """No queue has a time to live of nothing."""
    assert [topology.retry_ms(delay) for delay in (0, 0.4, 600)] == [1, 400, 600_000]


def test_what_dies_in_a_work_queue_goes_to_its_dead_letters() -> None:
    """At least once, also where our own count never got a chance."""
    arguments = topology.work_queue(NAMES, RENDERS)
    assert arguments["x-dead-letter-routing-key"] == NAMES.dead(RENDERS) == "unit.inference.renders.dead"
    assert arguments["x-dead-letter-strategy"] == "at-least-once"
    assert arguments["x-overflow"] == "reject-publish"
    assert arguments["x-delivery-limit"] > RENDERS.attempts


def test_a_retry_queue_gives_back_to_its_work_queue() -> None:
    """After its time to live, at least once."""
    arguments = topology.retry_queue(NAMES, RENDERS, 5_000)
    assert arguments["x-message-ttl"] == 5_000
    assert arguments["x-dead-letter-routing-key"] == NAMES.queue(RENDERS)
    assert arguments["x-dead-letter-strategy"] == "at-least-once"
