"""Closing a bus."""

from __future__ import annotations

import asyncio
import time

from libs.common.bus.bus import Bus, Delivery
from libs.common.bus.service_bus import Limits
from tests.contract.bus.conftest import Broker
from tests.contract.bus.messages import WORK, DoWork
from tests.contract.bus.test_delivery import envelope
from tests.contract.bus.waiting import Seen, forever


async def test_closing_waits_for_running_handlers(broker: Broker, bus: Bus) -> None:
    """They finish, their messages are gone, and none is started any more."""
    finish, finished = asyncio.Event(), []

    async def slow(_: Delivery) -> None:
        await finish.wait()
        finished.append(True)

    seen = Seen(slow)
    await bus.subscribe(WORK, seen)
    await bus.publish([envelope(DoWork(number=number)) for number in range(5)])
    await seen.count(WORK.concurrency)
    closing = asyncio.create_task(bus.close())
    await seen.nothing_more(0.3)
    assert not closing.done()
    finish.set()
    await closing
    assert len(finished) == len(seen.deliveries) == WORK.concurrency
    rest = Seen()
    await (await broker.join()).subscribe(WORK, rest)
    await rest.count(5 - WORK.concurrency)
    assert sorted(seen.numbers + rest.numbers) == [0, 1, 2, 3, 4]


async def test_closing_cancels_what_takes_too_long(broker: Broker) -> None:
    """Its message is delivered again, to somebody else, soon."""
    bus = await broker.join(limits=Limits(drain_s=0.2))
    seen = Seen(forever)
    await bus.subscribe(WORK, seen)
    await bus.publish([envelope(DoWork(number=9))])
    await seen.count(1)
    await bus.close()
    closed = time.monotonic()
    other = Seen()
    await (await broker.join()).subscribe(WORK, other)
    await other.count(1)
    assert other.times[0] - closed < WORK.lease_s / 2
    assert (other.numbers, other.attempts) == ([9], [2])


async def test_closing_twice_or_unstarted_is_fine(broker: Broker, bus: Bus) -> None:
    """As for everything that starts and stops."""
    await bus.close()
    await bus.close()
    await broker.bus().close()
