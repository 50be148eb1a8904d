"""What fails, is put off, or loses its consumer comes again."""

from __future__ import annotations

import asyncio

from libs.common.bus.bus import Bus, Delivery
from libs.common.errors import Snooze, Transient
from tests.contract.bus.conftest import Broker
from tests.contract.bus.messages import WORK, DoWork
from tests.contract.bus.probes import emptied
from tests.contract.bus.test_delivery import envelope
from tests.contract.bus.waiting import Seen


async def test_a_failed_message_comes_again_not_before_its_delay(broker: Broker, bus: Bus) -> None:
    """As the second attempt."""

    async def fail_once(delivery: Delivery) -> None:
        if delivery.attempt == 1:
            raise Transient("not now")

    seen = Seen(fail_once)
    await bus.subscribe(WORK, seen)
    await bus.publish([envelope(DoWork())])
    await seen.count(2)
    assert seen.attempts == [1, 2]
    assert seen.times[1] - seen.times[0] >= WORK.delays[0]
    await emptied(broker.probe, WORK)


async def test_an_error_of_any_class_is_tried_again(bus: Bus) -> None:
    """What nobody foresaw may pass."""

    async def fail_once(delivery: Delivery) -> None:
        if delivery.attempt == 1:
            raise RuntimeError("a bug")

    seen = Seen(fail_once)
    await bus.subscribe(WORK, seen)
    await bus.publish([envelope(DoWork())])
    await seen.count(2)


async def test_a_waiting_retry_holds_nobody_up(bus: Bus) -> None:
    """While one message waits for its delay, others are handled."""

    async def fail_once(delivery: Delivery) -> None:
        if delivery.attempt == 1 and delivery.message == DoWork(number=0):
            raise Transient("not now")

    seen = Seen(fail_once)
    await bus.subscribe(WORK, seen)
    await bus.publish([envelope(DoWork(number=0))])
    await seen.count(1)
    await bus.publish([envelope(DoWork(number=number)) for number in range(1, 6)])
    await seen.count(7)
    assert seen.numbers[-1] == 0


async def test_a_snooze_is_not_counted_as_an_attempt(broker: Broker, bus: Bus) -> None:
    """Put off more often than there are attempts, it still is at the first, and never early."""

    async def snooze(_: Delivery) -> None:
        if len(seen.times) <= WORK.attempts + 1:
            raise Snooze(0.2)

    seen = Seen(snooze)
    await bus.subscribe(WORK, seen)
    await bus.publish([envelope(DoWork())])
    await seen.count(WORK.attempts + 2)
    assert set(seen.attempts) == {1}
    waits = [later - earlier for earlier, later in zip(seen.times, seen.times[1:], strict=False)]
    assert min(waits) >= 0.195, "clocks of sender and receiver are compared in milliseconds"
    await emptied(broker.probe, WORK)


async def test_a_snoozed_message_keeps_the_attempts_that_it_used(bus: Bus) -> None:
    """Fail, snooze, succeed: the third time is the second attempt."""

    async def fail_then_snooze(_: Delivery) -> None:
        match len(seen.times):
            case 1:
                raise Transient("not now")
            case 2:
                raise Snooze(0.1)

    seen = Seen(fail_then_snooze)
    await bus.subscribe(WORK, seen)
    await bus.publish([envelope(DoWork())])
    await seen.count(3)
    assert seen.attempts == [1, 2, 2]


async def test_a_message_comes_again_after_its_consumer_died(broker: Broker, bus: Bus) -> None:
    """A process is killed with the message in hand; another gets it as the second attempt."""
    await bus.publish([envelope(DoWork(number=5))])
    await broker.kill_a_consumer(WORK)
    seen = Seen()
    await bus.subscribe(WORK, seen)
    await seen.count(1)
    assert (seen.numbers, seen.attempts) == ([5], [2])


async def test_one_failing_message_does_not_delay_its_neighbours_outcome(bus: Bus) -> None:
    """Concurrent handlers settle each for itself."""
    finish = asyncio.Event()

    async def mixed(delivery: Delivery) -> None:
        if delivery.message == DoWork(number=0):
            await finish.wait()

    seen = Seen(mixed)
    await bus.subscribe(WORK, seen)
    await bus.publish([envelope(DoWork(number=number)) for number in range(10)])
    await seen.count(10)
    finish.set()
    assert sorted(seen.numbers) == list(range(10))
