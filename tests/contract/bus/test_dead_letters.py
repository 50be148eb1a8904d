"""What can't be handled is set aside with the reason, and never lost."""

from __future__ import annotations

import pytest

from libs.common.bus.bus import Bus, Delivery
from libs.common.contracts.envelope import Envelope
from libs.common.contracts.ids import TenantId
from libs.common.errors import Conflict, Permanent, Transient
from tests.contract.bus.conftest import Broker
from tests.contract.bus.messages import ONCE, WORK, DoWork, WorkDone
from tests.contract.bus.probes import dead_letters, emptied
from tests.contract.bus.test_delivery import envelope
from tests.contract.bus.waiting import Seen


async def test_a_message_is_dead_lettered_after_its_last_attempt(broker: Broker, bus: Bus) -> None:
    """With its body, its envelope, and what went wrong in the end."""

    async def fail(delivery: Delivery) -> None:
        raise Transient(f"attempt {delivery.attempt} failed")

    seen = Seen(fail)
    await bus.subscribe(WORK, seen)
    sent = envelope(DoWork(number=3), TenantId.new())
    await bus.publish([sent])
    [letter] = await dead_letters(broker.probe, WORK)
    assert seen.attempts == [1, 2, 3]
    assert letter.envelope() == sent
    assert letter.headers["deadreason"] == "exhausted"
    assert letter.headers["deaddetail"] == "attempt 3 failed"
    assert letter.headers["deadqueue"] == WORK.name
    await emptied(broker.probe, WORK)


@pytest.mark.parametrize("error", [Permanent("never"), Conflict("never")])
async def test_a_permanent_error_dead_letters_at_once(broker: Broker, bus: Bus, error: Exception) -> None:
    """So does a refusal; the handler sees it once."""

    async def fail(_: Delivery) -> None:
        raise error

    seen = Seen(fail)
    await bus.subscribe(WORK, seen)
    await bus.publish([envelope(DoWork())])
    [letter] = await dead_letters(broker.probe, WORK)
    assert (letter.headers["deadreason"], letter.headers["deaddetail"]) == ("permanent", "never")
    await seen.nothing_more(WORK.delays[0] * 2)
    assert seen.attempts == [1]


@pytest.mark.parametrize("data", [b"", b"{", b'{"number": "x"}', b'{"surprise": 1}', b"\xff\x00"])
async def test_a_body_that_does_not_parse_never_reaches_the_handler(
    broker: Broker, bus: Bus, data: bytes
) -> None:
    """It is set aside, does not come again, and what comes after it is handled."""
    seen = Seen()
    await bus.subscribe(WORK, seen)
    await bus.publish([Envelope(source="contract", type=DoWork.wire, data=data)])
    await bus.publish([envelope(DoWork(number=1))])
    [letter] = await dead_letters(broker.probe, WORK)
    assert (letter.data, letter.headers["deadreason"]) == (data, "unreadable")
    await seen.count(1)
    await emptied(broker.probe, WORK)
    assert seen.numbers == [1]


async def test_a_message_without_an_envelope_never_reaches_the_handler(broker: Broker, bus: Bus) -> None:
    """Whatever a stranger put into the queue."""
    seen = Seen()
    await bus.subscribe(WORK, seen)
    await broker.probe.put(DoWork, b"hello")
    [letter] = await dead_letters(broker.probe, WORK)
    assert (letter.data, letter.headers["deadreason"]) == (b"hello", "unreadable")
    assert not seen.deliveries


async def test_a_message_that_kills_its_consumers_is_dead_lettered(broker: Broker, bus: Bus) -> None:
    """Deliveries without an outcome are attempts; when they are used up, no handler sees it any more."""
    await bus.publish([envelope(WorkDone(number=1))])
    await broker.kill_a_consumer(ONCE)
    seen = Seen()
    await bus.subscribe(ONCE, seen)
    [letter] = await dead_letters(broker.probe, ONCE)
    assert letter.headers["deadreason"] == "exhausted"
    assert not seen.deliveries
