"""A broker that goes away and comes back."""

from __future__ import annotations

import asyncio
import time

import pytest
from pydantic import SecretStr

from deploy.local.ports import Ports
from libs.common.bus.bus import Bus, Delivery
from libs.common.bus.connect import adapter
from libs.common.bus.service_bus import Limits, Setup
from libs.common.errors import Unavailable
from tests.contract.bus.conftest import Broker
from tests.contract.bus.messages import AUDIT, QUEUES, SERVICE, WORK, Add, Blink, DoWork, Sum, WorkDone
from tests.contract.bus.probes import emptied
from tests.contract.bus.proxy import Proxy
from tests.contract.bus.test_delivery import envelope
from tests.contract.bus.test_requests import add
from tests.contract.bus.waiting import LIMIT_S, POLL_S, Seen


async def answers(bus: Bus) -> None:
    """Returns when the broker is there (again)."""
    async with asyncio.timeout(LIMIT_S):
        while True:
            try:
                return await bus.ping()
            except Unavailable:
                await asyncio.sleep(POLL_S)


async def is_away(bus: Bus) -> None:
    """Returns when the bus has noticed that the broker is gone."""
    async with asyncio.timeout(LIMIT_S):
        while True:
            try:
                await bus.ping()
            except Unavailable:
                return
            await asyncio.sleep(POLL_S)


async def test_publishing_and_consuming_go_on_after_the_broker_restarted(broker: Broker) -> None:
    """What it had accepted is delivered; what is published meanwhile waits; nobody subscribes again."""
    bus = await broker.join(limits=Limits(publish_s=60))
    work, audit = Seen(), Seen()
    await bus.subscribe(WORK, work)
    await bus.publish([envelope(WorkDone(number=number)) for number in range(20)])
    await broker.server.stop()
    publishing = asyncio.create_task(bus.publish([envelope(DoWork(number=number)) for number in range(20)]))
    await broker.server.start()
    await publishing
    await work.until(lambda: set(work.numbers) == set(range(20)))
    await bus.subscribe(AUDIT, audit)
    await audit.until(lambda: set(audit.numbers) == set(range(20)))
    await bus.publish([envelope(DoWork(number=20))])
    await work.until(lambda: 20 in work.numbers)


async def test_a_message_in_hand_survives_the_connection(broker: Broker, line: Proxy) -> None:
    """Its handler goes on; whether it can still be settled or comes again, it is gone in the end."""
    finish = asyncio.Event()

    async def wait(_: Delivery) -> None:
        await finish.wait()

    bus = await broker.join(over=line)
    seen = Seen(wait)
    await bus.subscribe(WORK, seen)
    await bus.publish([envelope(DoWork(number=1))])
    await seen.count(1)
    await line.cut()
    await is_away(bus)
    await line.mend()
    await answers(bus)
    finish.set()
    await emptied(broker.probe, WORK)
    await bus.close()
    assert await broker.probe.left(WORK) == 0


async def test_the_limit_of_handlers_holds_over_a_lost_connection(broker: Broker, line: Proxy) -> None:
    """Handlers of before still count when the new connection brings more."""
    finish = asyncio.Event()
    running = 0
    most = 0

    async def wait(_: Delivery) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await finish.wait()
        running -= 1

    bus = await broker.join(over=line)
    seen = Seen(wait)
    await bus.subscribe(WORK, seen)
    await bus.publish([envelope(DoWork(number=number)) for number in range(10)])
    await seen.count(WORK.concurrency)
    await line.cut()
    await is_away(bus)
    await line.mend()
    await answers(bus)
    await seen.nothing_more(0.5)
    finish.set()
    await seen.until(lambda: set(seen.numbers) == set(range(10)))
    assert most == WORK.concurrency


async def test_publishing_waits_for_a_broker_that_is_away_for_a_moment(broker: Broker, line: Proxy) -> None:
    """It returns when the broker is back and has the message."""
    bus = await broker.join(over=line)
    seen = Seen()
    await bus.subscribe(WORK, seen)
    await line.cut()
    await is_away(bus)
    publishing = asyncio.create_task(bus.publish([envelope(DoWork(number=1))]))
    await line.mend()
    await publishing
    await seen.count(1)


async def test_publishing_goes_on_when_the_connection_is_lost_under_way(broker: Broker, line: Proxy) -> None:
    """What the broker had not confirmed is published again, so nothing is missing."""
    bus = await broker.join(over=line)
    seen = Seen()
    await (await broker.join()).subscribe(WORK, seen)
    publishing = asyncio.create_task(bus.publish([envelope(DoWork(number=number)) for number in range(1500)]))
    await seen.count(1)
    await line.cut()
    assert not publishing.done()
    await line.mend()
    await publishing
    await seen.until(lambda: set(seen.numbers) == set(range(1500)))


async def test_nobody_waits_for_ever_for_a_broker_that_stays_away(broker: Broker, line: Proxy) -> None:
    """Publish, request and ping say Unavailable within their limits; a signal is lost without a trace."""
    bus = await broker.join(limits=Limits(publish_s=0.5), over=line)
    await line.cut()
    began = time.monotonic()
    with pytest.raises(Unavailable):
        await bus.publish([envelope(DoWork())])
    with pytest.raises(Unavailable):
        await bus.request(Add(left=1, right=1), timeout=0.5)
    with pytest.raises(Unavailable):
        await bus.ping()
    await bus.signal(Blink())
    assert time.monotonic() - began < 5


async def test_a_request_under_way_fails_when_the_connection_is_lost(broker: Broker, line: Proxy) -> None:
    """At once, not at its timeout."""
    asked = asyncio.Event()

    async def never(delivery: Delivery) -> Sum:
        asked.set()
        await asyncio.Event().wait()
        return await add(delivery)

    bus = await broker.join(over=line)
    await (await broker.join()).respond(Add, never)
    request = asyncio.create_task(bus.request(Add(left=1, right=1), timeout=60))
    await asyncio.wait_for(asked.wait(), LIMIT_S)
    await line.cut()
    async with asyncio.timeout(5):
        with pytest.raises(Unavailable):
            await request


async def test_answering_and_listening_go_on_after_an_outage(broker: Broker, line: Proxy) -> None:
    """Without being asked again."""
    bus = await broker.join(over=line)
    seen = Seen()
    await bus.respond(Add, add)
    await bus.listen(Blink, seen)
    await line.cut()
    await is_away(bus)
    await line.mend()
    await answers(bus)
    assert (await bus.request(Add(left=1, right=2))).value == 3
    await bus.signal(Blink(number=8))
    await seen.count(1)


async def test_closing_while_the_broker_is_away_is_fine(broker: Broker, line: Proxy) -> None:
    """It does not wait for it."""
    bus = await broker.join(over=line)
    await bus.subscribe(WORK, Seen())
    await line.cut()
    async with asyncio.timeout(5):
        await bus.close()


@pytest.mark.parametrize("scheme", ["nats", "amqp"])
async def test_starting_without_a_broker_fails_in_time(scheme: str) -> None:
    """And the password is in no message."""
    url = SecretStr(f"{scheme}://someone:hunter2@127.0.0.1:{Ports().get('nobody')}")
    bus = adapter(url, Setup(SERVICE, QUEUES, limits=Limits(start_s=0.5)))
    began = time.monotonic()
    with pytest.raises(Unavailable) as caught:
        await bus.start()
    assert time.monotonic() - began < 5
    assert "hunter2" not in caught.value.detail
    await bus.close()
