"""Publishing and subscribing."""

from __future__ import annotations

import asyncio

import pytest
from opentelemetry.sdk.trace import TracerProvider

from libs.common.bus.bus import Bus, Delivery
from libs.common.bus.errors import TooLarge, Unroutable
from libs.common.bus.middleware.trace import current_traceparent
from libs.common.contracts.envelope import Envelope
from libs.common.contracts.ids import TenantId
from libs.common.contracts.message import Durable
from tests.contract.bus.conftest import Broker
from tests.contract.bus.messages import AUDIT, ONCE, WORK, DoWork, NobodyCares, WorkDone
from tests.contract.bus.probes import emptied
from tests.contract.bus.waiting import Seen


def envelope(message: Durable, tenant: TenantId | None = None) -> Envelope:
    return Envelope.of(message, source="contract", tenant=tenant)


async def test_a_message_arrives_as_it_was_published(bus: Bus) -> None:
    """Body, id, source, tenant and time are the sender's; it is the first attempt."""
    seen = Seen()
    await bus.subscribe(WORK, seen)
    sent = Envelope.of(DoWork(number=7), source="contract", tenant=TenantId.new(), subject="bat/ä")
    await bus.publish([sent])
    await seen.count(1)
    assert seen.deliveries[0] == Delivery(sent, DoWork(number=7), attempt=1, queue=WORK.name)


async def test_trace_and_tenant_survive_the_trip(bus: Bus) -> None:
    """A handler's span belongs to the trace of whoever published."""
    inside: list[str | None] = []

    async def note(_: Delivery) -> None:
        inside.append(current_traceparent())

    seen = Seen(note)
    await bus.subscribe(WORK, seen)
    tenant = TenantId.new()
    with TracerProvider().get_tracer("test").start_as_current_span("sender") as span:
        await bus.publish([envelope(DoWork(), tenant)])
    await seen.count(1)
    trace_id = f"{span.get_span_context().trace_id:032x}"
    assert seen.deliveries[0].envelope.tenant_id == tenant
    assert trace_id in (seen.deliveries[0].envelope.traceparent or "")
    assert trace_id in (inside[0] or "")


async def test_every_queue_of_an_event_gets_it(bus: Bus) -> None:
    """Two queues subscribe to it; both see it, once."""
    audit, once = Seen(), Seen()
    await bus.subscribe(AUDIT, audit)
    await bus.subscribe(ONCE, once)
    await bus.publish([envelope(WorkDone(number=1))])
    await asyncio.gather(audit.count(1), once.count(1))
    assert audit.numbers == once.numbers == [1]


async def test_a_message_waits_for_a_consumer_that_comes_later(broker: Broker, bus: Bus) -> None:
    """Queues are there from the first start on, whoever started."""
    await bus.publish([envelope(DoWork(number=1))])
    await bus.close()
    seen = Seen()
    await (await broker.join()).subscribe(WORK, seen)
    await seen.count(1)


async def test_instances_share_the_messages_of_a_queue(broker: Broker, bus: Bus) -> None:
    """Each message goes to one of them, and none gets all."""
    here, there = Seen(), Seen()
    await bus.subscribe(WORK, here)
    await (await broker.join()).subscribe(WORK, there)
    await bus.publish([envelope(DoWork(number=number)) for number in range(100)])
    await emptied(broker.probe, WORK)
    await bus.close()
    assert sorted(here.numbers + there.numbers) == list(range(100))
    assert here.numbers
    assert there.numbers


async def test_many_messages_published_at_once_all_arrive(bus: Bus) -> None:
    """More than are in flight at a time."""
    seen = Seen()
    await bus.subscribe(WORK, seen)
    await bus.publish([envelope(DoWork(number=number)) for number in range(1200)])
    await seen.count(1200)
    assert sorted(seen.numbers) == list(range(1200))


async def test_never_more_handlers_run_than_the_limit(bus: Bus) -> None:
    """A queue of concurrency 2 keeps two busy, and no third."""
    running = 0
    most = 0

    async def busy(_: Delivery) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1

    seen = Seen(busy)
    await bus.subscribe(WORK, seen)
    await bus.publish([envelope(DoWork(number=number)) for number in range(40)])
    await seen.count(40)
    assert most == WORK.concurrency


async def test_a_handler_keeps_its_message_beyond_the_lease(broker: Broker, bus: Bus) -> None:
    """As long as it runs, nobody else gets it."""
    finish = asyncio.Event()

    async def wait(_: Delivery) -> None:
        await finish.wait()

    seen, other = Seen(wait), Seen()
    await bus.subscribe(WORK, seen)
    await bus.publish([envelope(DoWork())])
    await seen.count(1)
    await (await broker.join()).subscribe(WORK, other)
    await other.nothing_more(WORK.lease_s * 2)
    finish.set()
    await emptied(broker.probe, WORK)
    assert seen.attempts == [1]


async def test_a_handled_message_is_gone(broker: Broker, bus: Bus) -> None:
    """The queue holds nothing afterwards."""
    seen = Seen()
    await bus.subscribe(WORK, seen)
    await bus.publish([envelope(DoWork(number=number)) for number in range(20)])
    await seen.count(20)
    await emptied(broker.probe, WORK)
    await bus.close()
    assert await broker.probe.left(WORK) == 0


async def test_a_message_without_a_queue_is_refused(bus: Bus) -> None:
    """Publishing it raises; nothing gets lost in silence."""
    with pytest.raises(Unroutable):
        await bus.publish([envelope(NobodyCares())])


async def test_a_message_that_no_broker_would_take_is_refused(bus: Bus) -> None:
    """The same limit on every broker."""
    with pytest.raises(TooLarge):
        await bus.publish([envelope(DoWork(padding="x" * 2_000_000))])
