"""Requests and their answers."""

from __future__ import annotations

import asyncio
import time

import pytest
from pydantic import SecretStr

from libs.common.bus.bus import Bus, Delivery
from libs.common.contracts.ids import TenantId
from libs.common.errors import Conflict, Invalid, NotFound, Refusal, Unavailable
from tests.contract.bus.conftest import Broker
from tests.contract.bus.messages import Add, NeverAnswered, Sum
from tests.contract.bus.waiting import forever


class TooLate(Conflict):
    """A service's own refusal, which no other service knows."""


async def add(delivery: Delivery) -> Sum:
    query = delivery.message
    assert isinstance(query, Add)
    return Sum(value=query.left + query.right, secret=SecretStr("whsec_1"))


async def test_a_request_brings_its_reply(bus: Bus) -> None:
    """Secrets arrive as they are: a request is the only way for them."""
    await bus.respond(Add, add)
    reply = await bus.request(Add(left=2, right=3))
    assert (reply.value, reply.secret.get_secret_value()) == (5, "whsec_1")


async def test_requests_at_once_each_get_their_own_reply(bus: Bus) -> None:
    """A hundred at a time."""
    await bus.respond(Add, add)
    replies = await asyncio.gather(*(bus.request(Add(left=number, right=1)) for number in range(100)))
    assert [reply.value for reply in replies] == list(range(1, 101))


async def test_a_responder_knows_the_tenant(bus: Bus) -> None:
    """It travels in the envelope."""
    tenants: list[TenantId | None] = []

    async def note(delivery: Delivery) -> Sum:
        tenants.append(delivery.envelope.tenant_id)
        return await add(delivery)

    await bus.respond(Add, note)
    tenant = TenantId.new()
    await bus.request(Add(left=1, right=1), tenant=tenant)
    assert tenants == [tenant]


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (NotFound("no such batch"), NotFound),
        (Conflict("it has ended", code="batch_ended"), Conflict),
        (Invalid("too long", field="/name"), Invalid),
        (TooLate("it has ended", code="too_late"), Conflict),
        (Refusal("no", code="no"), Refusal),
    ],
)
async def test_a_refusal_reaches_the_requester_as_it_was_raised(
    bus: Bus, raised: Refusal, kind: type[Refusal]
) -> None:
    """Class (the nearest that both know), status, code, words and field."""

    async def refuse(_: Delivery) -> Sum:
        raise raised

    await bus.respond(Add, refuse)
    with pytest.raises(kind) as caught:
        await bus.request(Add(left=1, right=1))
    assert type(caught.value) is kind
    assert (caught.value.status, caught.value.code) == (raised.status, raised.code)
    assert (caught.value.detail, caught.value.field) == (raised.detail, raised.field)


async def test_a_responder_that_fails_is_reported_at_once(bus: Bus) -> None:
    """Without a word of what went wrong in there."""

    async def fail(_: Delivery) -> Sum:
        raise RuntimeError("password=hunter2")

    await bus.respond(Add, fail)
    began = time.monotonic()
    with pytest.raises(Unavailable) as caught:
        await bus.request(Add(left=1, right=1), timeout=10)
    assert time.monotonic() - began < 5
    assert "hunter2" not in caught.value.detail


async def test_a_request_that_nobody_answers_fails_at_once(bus: Bus) -> None:
    """There is no waiting for the timeout where no service responds."""
    began = time.monotonic()
    with pytest.raises(Unavailable):
        await bus.request(NeverAnswered(), timeout=10)
    assert time.monotonic() - began < 5


async def test_a_request_to_a_service_that_is_gone_fails_at_once(broker: Broker, bus: Bus) -> None:
    """The last responder leaves nothing behind that would take requests."""
    responder = await broker.join()
    await responder.respond(Add, add)
    await bus.request(Add(left=1, right=1))
    await responder.close()
    began = time.monotonic()
    with pytest.raises(Unavailable):
        await bus.request(Add(left=1, right=1), timeout=10)
    assert time.monotonic() - began < 5


async def test_a_request_that_is_answered_too_late_times_out(bus: Bus) -> None:
    """After the requester's own limit."""

    async def slow(delivery: Delivery) -> Sum:
        await forever(delivery)
        return await add(delivery)

    await bus.respond(Add, slow)
    began = time.monotonic()
    with pytest.raises(Unavailable):
        await bus.request(Add(left=1, right=1), timeout=0.3)
    assert 0.3 <= time.monotonic() - began < 3


async def test_instances_share_the_queries(broker: Broker, bus: Bus) -> None:
    """Each query is answered once, and no instance answers all."""

    answered: list[str] = []

    async def answer_as(name: str, responder: Bus) -> None:
        async def answer(delivery: Delivery) -> Sum:
            answered.append(name)
            return (await add(delivery)).model_copy(update={"worker": name})

        await responder.respond(Add, answer)

    await answer_as("first", bus)
    await answer_as("second", await broker.join())
    replies = await asyncio.gather(*(bus.request(Add(left=1, right=1)) for _ in range(60)))
    assert sorted(reply.worker for reply in replies) == sorted(answered)
    assert set(answered) == {"first", "second"}
