"""The pure parts of the NATS adapter: demand, topology, and counting attempts."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from libs.common.bus import nats_topology as topology
from libs.common.bus.nats_demand import Demand
from libs.common.bus.nats_parcel import NatsParcel, Server
from libs.common.bus.nats_topology import Names
from libs.common.bus.packet import Packet
from libs.common.contracts.flow import NOTIFICATIONS, RENDERS, queues

NAMES = Names("unit")


def test_demand_asks_for_everything_that_is_free_at_first() -> None:
    """And then not again for the same."""
    demand = Demand(8)
    assert [demand.next(8), demand.next(8)] == [8, 0]


def test_demand_asks_in_batches_while_some_are_on_their_way() -> None:
    """One free handler is not worth a request; half of them are."""
    demand = Demand(8)
    demand.next(8)
    for _ in range(3):
        demand.came()
    assert demand.next(8) == 0
    demand.came()
    assert demand.next(8) == 4


def test_demand_never_leaves_a_free_handler_waiting_for_nothing() -> None:
    """With nothing on its way, a single one asks, while the others are busy."""
    demand = Demand(8)
    assert demand.next(1) == 1
    demand.came()
    assert demand.next(1) == 1
    assert Demand(1).next(1) == 1


def test_what_was_declined_is_asked_for_again() -> None:
    """A request ran out with so many unserved, or ended without saying how many."""
    demand = Demand(8)
    demand.next(8)
    demand.declined(8)
    assert demand.next(8) == 8
    demand.declined(None)
    assert demand.on_the_way == 0
    demand.declined(5)
    demand.came()
    assert demand.on_the_way == 0


def test_every_message_of_a_queue_has_a_subject_in_the_stream() -> None:
    """And no other has: those find no stream."""
    stream = topology.work_stream(NAMES, queues())
    for queue in queues():
        assert set(topology.consumer(NAMES, queue)["filter_subjects"]) <= set(stream["subjects"])
    assert "unit.work.inference.render.v1" in stream["subjects"]
    assert "unit.work.batch.cancelled.v1" not in stream["subjects"]


def test_a_lease_is_in_nanoseconds() -> None:
    """As the JetStream API wants it."""
    assert topology.consumer(NAMES, replace(RENDERS, lease_s=2.5))["ack_wait"] == 2_500_000_000


def test_subjects_are_only_ever_added() -> None:
    """A newer version's stay; where nothing would change, nothing is sent."""
    wanted = {"subjects": ["a", "b"], "max_age": 1}
    assert topology.widened({"subjects": ["b", "c"], "max_age": 1, "more": 0}, wanted, "subjects") == {
        "subjects": ["a", "b", "c"],
        "max_age": 1,
    }
    assert topology.widened({"subjects": ["c", "b", "a"], "max_age": 1}, wanted, "subjects") is not None
    assert (
        topology.widened({"subjects": ["a", "b", "c"], "max_age": 1, "more": 0}, wanted, "subjects") is None
    )
    assert topology.widened({"subjects": ["a", "b"], "max_age": 2}, wanted, "subjects") == wanted


@pytest.mark.parametrize(
    ("headers", "deliveries", "attempt"),
    [
        ({}, 1, 1),
        ({}, 3, 3),
        ({"attempt": "2", "notbefore": "1.0"}, 1, 2),
        ({"attempt": "2", "notbefore": "1.0"}, 2, 2),
        ({"attempt": "2", "notbefore": "1.0"}, 4, 4),
        ({"attempt": "nonsense", "notbefore": "nonsense"}, 2, 2),
    ],
)
def test_a_copy_that_was_put_off_counts_on_from_where_it_was(
    headers: dict[str, str], deliveries: int, attempt: int
) -> None:
    """Its first delivery only sets its timer."""
    assert parcel(headers, deliveries).attempt == attempt


def test_a_copy_is_early_until_it_is_due() -> None:
    """By the clock of this machine."""
    assert parcel({"attempt": "1", "notbefore": str(time.time() + 60)}, 1).early_s > 59
    assert parcel({"attempt": "1", "notbefore": str(time.time() - 1)}, 1).early_s < 0
    assert parcel({}, 1).early_s == 0


def parcel(headers: dict[str, str], deliveries: int) -> NatsParcel:
    async def nobody() -> Server:
        raise AssertionError("nothing is settled here")

    return NatsParcel(nobody, NAMES, NOTIFICATIONS, Packet(headers, b""), "reply", deliveries, 1)
