"""Monthly caps hold however many workers and dispatchers there are, and what was set aside is settled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from libs.common.contracts.credentials import HealthState
from libs.common.contracts.inference import RenderOutcome, RenderRemotely, Verdict
from libs.common.contracts.providers import ProviderName
from libs.common.contracts.routing import SpendCapReached, WhenUnavailable
from libs.common.contracts.tenants import Plan
from libs.common.providers.cards import cost, price_of
from services.batch.accounts import platform
from services.batch.routing import FALLBACK, month_of
from tests.integration.batch_desk import broken, done
from tests.integration.byok_desk import (
    ONLY,
    PROVIDER,
    THEN,
    ByokDesk,
    at_byok_desk,
    credential,
    images_on,
    now_is,
)
from tests.servers.databases import TestDatabase

PRICE = cost(price_of(PROVIDER), Decimal(1))
NOTHING = Decimal(0)


@pytest.fixture
async def desk(database: TestDatabase, tmp_path: Path) -> AsyncIterator[ByokDesk]:
    async with at_byok_desk(database.of("batch"), tmp_path) as desk:
        yield desk


async def test_two_dispatchers_at_once_do_not_overshoot_a_cap(desk: ByokDesk) -> None:
    """Each sees what the other has set aside, though nothing is charged yet."""
    key = credential(monthly_cap=PRICE * 7)
    await desk.has(key)
    await desk.wants(ONLY)
    for _ in range(6):
        await desk.in_line(5)
    dispatchers = [desk.new_dispatcher() for _ in range(2)]
    counts = await asyncio.gather(*(one.dispatch() for one in dispatchers * 4))
    assert sum(counts) == 7
    sent = [len(message.items) for message in await desk.outbox(RenderRemotely)]  # type: ignore[attr-defined]
    assert sum(sent) == 7
    assert await desk.spend() == {key.id: (PRICE * 7, NOTHING)}


async def test_dispatching_while_outcomes_come_in_holds_the_cap_and_loses_nothing(desk: ByokDesk) -> None:
    """Dispatchers and collectors take rows in one order, so that none waits for another in a circle."""
    key = credential(monthly_cap=PRICE * 40)
    await desk.has(key)
    await desk.wants(ONLY)
    batches = [await desk.in_line(20) for _ in range(4)]
    seen: set[str] = set()

    async def dispatch_on() -> None:
        dispatcher = desk.new_dispatcher()
        for _ in range(12):
            await dispatcher.dispatch()
            await desk.hurry()

    async def render_on() -> None:
        for _ in range(12):
            for message in await desk.outbox(RenderRemotely):
                assert isinstance(message, RenderRemotely)
                if message.chunk_id not in seen:
                    seen.add(message.chunk_id)
                    outcomes = [done(item.image_id) for item in message.items]
                    await desk.collect(message.batch_id, outcomes, message.route)

    await asyncio.gather(dispatch_on(), dispatch_on(), render_on(), render_on())
    await desk.work_off()
    await desk.hurry()
    await desk.dispatched()
    assert await desk.spend() == {key.id: (NOTHING, PRICE * 40)}
    assert len(await desk.charges()) == 40
    counts = [(await desk.batch(batch_id)).counts for batch_id in batches]
    assert sum(count.completed for count in counts) == 40
    assert sum(count.parked for count in counts) == 40
    assert len(await desk.outbox(SpendCapReached)) == 1


async def test_a_cap_is_told_of_once_a_month_and_raising_it_goes_on(desk: ByokDesk) -> None:
    """The event names cap and credential; what was parked for it is released once there is more."""
    key = credential(monthly_cap=PRICE * 2)
    await desk.has(key)
    await desk.wants(ONLY)
    batch_id = await desk.in_line(5)
    await desk.work_off()
    await desk.hurry()
    await desk.dispatched()
    [event] = await desk.outbox(SpendCapReached)
    assert event == SpendCapReached(
        month=month_of(datetime.now(UTC)), cap=PRICE * 2, spent=PRICE * 2, credential_id=key.id
    )
    assert "monthly cap" in ((await desk.images(batch_id))[-1].parked or "")

    await desk.has(now_is(key, HealthState.HEALTHY, monthly_cap=PRICE * 4))
    await desk.work_off()
    await desk.hurry()
    await desk.dispatched()
    assert (await desk.batch(batch_id)).counts.completed == 4
    assert len(await desk.outbox(SpendCapReached)) == 1


async def test_what_is_in_flight_is_waited_for_before_anything_falls_back(desk: ByokDesk) -> None:
    """A render that fails frees its share of the cap for the next."""
    key = credential(monthly_cap=PRICE)
    await desk.has(key)
    await desk.wants(THEN, when_unavailable=WhenUnavailable.FAIL)
    batch_id = await desk.in_line(3)
    [(route, [first])] = await desk.dispatched()
    await desk.hurry()
    assert await desk.dispatched() == []
    assert await desk.outbox(SpendCapReached) == []
    await desk.collect(batch_id, [broken(first)], route)
    await desk.hurry()
    [(again, [second])] = await desk.dispatched()
    assert again is not None
    await desk.collect(batch_id, [done(second)], again)
    await desk.hurry()
    [(fallback, [_])] = await desk.dispatched()
    assert fallback is None
    assert await desk.spend() == {key.id: (NOTHING, PRICE), FALLBACK: (platform().price, NOTHING)}


@pytest.mark.parametrize("capped_by", ["plan", "tenant"])
async def test_falling_back_has_a_cap_of_its_own(desk: ByokDesk, capped_by: str) -> None:
    """That of the plan or of the tenant; beyond it images wait."""
    cap = platform().price * 2
    await desk.buys(Plan(byok=True, fallback=True, fallback_monthly_cap=cap if capped_by == "plan" else None))
    await desk.wants(THEN, fallback_monthly_cap=cap if capped_by == "tenant" else None)
    batch_id = await desk.in_line(5)
    assert sum(count for _, count in await desk.work_off()) == 2
    await desk.hurry()
    await desk.dispatched()
    assert (await desk.batch(batch_id)).counts.parked == 3
    [event] = await desk.outbox(SpendCapReached)
    assert isinstance(event, SpendCapReached)
    assert (event.credential_id, event.spent) == (None, cap)


async def test_a_reservation_is_settled_whatever_becomes_of_the_image(desk: ByokDesk) -> None:
    """Rendered, rejected or failed, once or several times: only the good one is charged."""
    key = credential()
    await desk.has(key)
    await desk.wants(ONLY)
    batch_id = await desk.in_line(3)
    [(route, images)] = await desk.dispatched()
    assert await desk.spend() == {key.id: (PRICE * 3, NOTHING)}
    rejected = done(images[1], verdict=Verdict.REJECTED)
    outcomes: list[RenderOutcome] = [done(images[0]), rejected, broken(images[2])]
    for _ in range(2):
        await desk.collect(batch_id, outcomes, route)
    assert await desk.spend() == {key.id: (NOTHING, PRICE)}
    assert [charge["image_id"] for charge in await desk.charges()] == [images[0]]
    assert [image.route and image.route.cost for image in await desk.images(batch_id)] == [PRICE, 0, 0]


async def test_what_costs_by_the_second_sets_the_longest_call_aside(desk: ByokDesk) -> None:
    """And is charged by what the call took."""
    key = credential(provider=ProviderName.OPEN_INFERENCE)
    await desk.has(key)
    await desk.wants(ONLY)
    batch_id = await desk.in_line(1)
    [(route, [image])] = await desk.dispatched()
    [(reserved, _)] = (await desk.spend()).values()
    second = price_of(ProviderName.OPEN_INFERENCE).amount
    assert reserved > second * 10
    await desk.collect(batch_id, [done(image, compute_ms=1500, render_ms=9000)], route)
    charged = (second * Decimal("1.5")).quantize(Decimal("0.000001"))
    assert await desk.spend() == {key.id: (NOTHING, charged)}
    [charge] = await desk.charges()
    assert (charge["cost"], charge["compute_ms"]) == (charged, 1500)


async def test_an_image_whose_outcome_never_came_gives_back_what_was_set_aside(desk: ByokDesk) -> None:
    """It goes out again, and a late outcome of the first time settles it once."""
    key = credential()
    await desk.has(key)
    await desk.wants(ONLY)
    batch_id = await desk.in_line(2)
    [(route, images)] = await desk.dispatched()
    desk.dispatcher._render_timeout_s = 0
    await desk.dispatcher._take_back_stale()
    assert await desk.spend() == {key.id: (NOTHING, NOTHING)}
    await desk.collect(batch_id, [done(images[0])], route)
    [(_, again)] = await desk.dispatched()
    assert again == [images[1]]
    await desk.collect(batch_id, [done(images[1]), done(images[0])], route)
    assert await desk.spend() == {key.id: (NOTHING, PRICE * 2)}
    assert (await desk.batch(batch_id)).counts.completed == 2


async def test_a_batch_that_is_cancelled_ends_though_an_image_never_came_back(desk: ByokDesk) -> None:
    """It does not go in line again for nothing."""
    batch_id = await desk.in_line(2)
    images = images_on(await desk.dispatched())
    async with desk.database.tenant(desk.tenant) as tx:
        await tx.execute("update batches set cancelling = true")
    await desk.collect(batch_id, [done(images[0])])
    desk.dispatcher._render_timeout_s = 0
    await desk.dispatcher._take_back_stale()
    batch = await desk.batch(batch_id)
    assert (batch.status, batch.counts.completed, batch.counts.cancelled) == ("cancelled", 1, 1)
