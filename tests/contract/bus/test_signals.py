"""Signals: everyone who listens now, and nobody else."""

from __future__ import annotations

import asyncio

from libs.common.bus.bus import Bus, Delivery
from libs.common.contracts.ids import TenantId
from tests.contract.bus.conftest import Broker
from tests.contract.bus.messages import Blink
from tests.contract.bus.waiting import Seen


async def test_a_signal_reaches_every_instance(broker: Broker, bus: Bus) -> None:
    """The sender's own too; each hears it once, with the tenant."""
    here, there = Seen(), Seen()
    await bus.listen(Blink, here)
    await (await broker.join()).listen(Blink, there)
    tenant = TenantId.new()
    await bus.signal(Blink(number=4), tenant=tenant)
    await asyncio.gather(here.count(1), there.count(1))
    await here.nothing_more(0.2)
    assert here.numbers == there.numbers == [4]
    assert here.deliveries[0].envelope.tenant_id == tenant


async def test_a_signal_that_nobody_hears_is_lost_without_a_trace(broker: Broker, bus: Bus) -> None:
    """Whoever comes later does not hear it."""
    await bus.signal(Blink(number=1))
    seen = Seen()
    await bus.listen(Blink, seen)
    await bus.signal(Blink(number=2))
    await seen.count(1)
    assert seen.numbers == [2]


async def test_a_listener_that_fails_hears_the_next(bus: Bus) -> None:
    """Its errors are its own."""

    async def fail(_: Delivery) -> None:
        raise RuntimeError("a bug")

    seen = Seen(fail)
    await bus.listen(Blink, seen)
    await bus.signal(Blink(number=1))
    await bus.signal(Blink(number=2))
    await seen.count(2)
