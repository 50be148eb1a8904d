"""What lies at a broker of a tenant that is gone can be found and removed, and nothing else is."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from libs.common.bus.bus import Bus, Delivery
from libs.common.bus.remains import Remains, remains_at
from libs.common.contracts.ids import TenantId
from libs.common.errors import Permanent, Unavailable
from tests.contract.bus.conftest import Broker
from tests.contract.bus.messages import AUDIT, ONCE, QUEUES, WORK, DoWork, WorkDone
from tests.contract.bus.probes import dead_letters
from tests.contract.bus.test_delivery import envelope
from tests.contract.bus.waiting import Seen


@pytest.fixture
def remains(broker: Broker) -> Remains:
    return remains_at(SecretStr(broker.server.url), namespace=broker.namespace, of=QUEUES)


async def fail(_: Delivery) -> None:
    raise Permanent("never")


async def test_purging_removes_the_dead_letters_of_one_tenant(
    broker: Broker, bus: Bus, remains: Remains
) -> None:
    """Of every queue; another's stay as they were, however often it is done, and so do those of nobody."""
    gone, other = TenantId.new(), TenantId.new()
    await bus.subscribe(WORK, fail)
    await bus.subscribe(ONCE, fail)
    await bus.subscribe(AUDIT, Seen())
    kept = envelope(DoWork(number=1), other)
    await bus.publish([envelope(DoWork(number=number), gone) for number in (2, 3)])
    await bus.publish([kept, envelope(DoWork(number=4)), envelope(WorkDone(number=5), gone)])
    await dead_letters(broker.probe, WORK, 4)
    await dead_letters(broker.probe, ONCE)
    assert await remains.purge(gone) == 3
    assert [await remains.purge(gone) for _ in range(3)] == [0, 0, 0]
    assert await remains.find([gone]) == {}
    left = await dead_letters(broker.probe, WORK, 2)
    assert {letter.envelope().tenant_id for letter in left} == {other, None}
    [letter] = [letter for letter in left if letter.envelope().tenant_id == other]
    assert (letter.envelope(), letter.headers["deadreason"]) == (kept, "permanent")


async def test_words_are_found_wherever_a_message_lies(broker: Broker, bus: Bus, remains: Remains) -> None:
    """In its envelope or its body, waiting or dead; looking takes nothing away."""
    tenant = TenantId.new()
    await bus.publish([envelope(DoWork(padding="a shop's name"), tenant)])
    assert sum((await remains.find([tenant])).values()) == 1
    assert sum((await remains.find(["shop's name", "nowhere"])).values()) == 1
    assert await remains.find(["nowhere"]) == {}
    seen = Seen(fail)
    await bus.subscribe(WORK, seen)
    await dead_letters(broker.probe, WORK)
    assert seen.attempts == [1]
    [(place, count)] = (await remains.find([tenant])).items()
    assert (count, "dead" in place) == (1, True)


async def test_a_message_that_was_handled_is_nowhere(bus: Bus, remains: Remains) -> None:
    """Neither broker keeps what every queue is through with."""
    tenant = TenantId.new()
    seen = Seen()
    await bus.subscribe(WORK, seen)
    await bus.publish([envelope(DoWork(), tenant)])
    await seen.count(1)
    await bus.close()
    assert await remains.find([tenant]) == {}


async def test_a_broker_that_is_away_is_said_to_be(broker: Broker) -> None:
    """It is tried again later."""
    scheme = broker.server.url.partition(":")[0]
    away = remains_at(SecretStr(f"{scheme}://127.0.0.1:1"), of=QUEUES)
    with pytest.raises(Unavailable):
        await away.purge(TenantId.new())
