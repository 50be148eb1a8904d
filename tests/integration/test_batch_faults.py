"""A route that fails under way loses nothing: its images go elsewhere, or wait until it is well again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from libs.common.contracts.batch import CancelBatch
from libs.common.contracts.credentials import HealthState
from libs.common.contracts.providers import FaultCode, Payer
from tests.integration.batch_desk import done
from tests.integration.byok_desk import (
    ONLY,
    THEN,
    ByokDesk,
    at_byok_desk,
    credential,
    gave_up,
    images_on,
    now_is,
)
from tests.servers.databases import TestDatabase


@pytest.fixture
async def desk(database: TestDatabase, tmp_path: Path) -> AsyncIterator[ByokDesk]:
    async with at_byok_desk(database.of("batch"), tmp_path) as desk:
        yield desk


async def test_a_key_revoked_half_way_leaves_the_rest_to_the_platform(desk: ByokDesk) -> None:
    """Without waiting for the vault's verdict; what was done stays done and who paid for each adds up."""
    key = credential()
    await desk.has(key)
    await desk.wants(THEN)
    batch_id = await desk.in_line(12)
    sent = await desk.dispatched()
    images = images_on(sent)
    route = sent[0][0]
    await desk.collect(batch_id, [done(image) for image in images[:5]], route)
    await desk.collect(batch_id, [gave_up(image, FaultCode.REVOKED) for image in images[5:]], route)
    counts = (await desk.batch(batch_id)).counts
    assert (counts.waiting, counts.rendering, counts.failed) == (12 - 5, 0, 0)
    assert all(went is None for went, _ in await desk.work_off())

    batch = await desk.batch(batch_id)
    assert (batch.status, batch.counts.completed) == ("completed", 12)
    charges = await desk.charges()
    payers = [charge["payer"] for charge in charges]
    assert (payers.count(Payer.TENANT), payers.count(Payer.PLATFORM)) == (5, 7)
    fallbacks = [charge for charge in charges if charge["fallback"]]
    assert len(fallbacks) == 7
    assert "not tried again yet (It does not answer)" in fallbacks[0]["reason"]


async def test_without_a_fallback_images_wait_for_the_key_and_go_on_with_it(desk: ByokDesk) -> None:
    """No hot loop: the key is not tried until the vault says that it works again."""
    key = credential()
    await desk.has(key)
    await desk.wants(ONLY)
    batch_id = await desk.in_line(4)
    await desk.unrouted(batch_id, await desk.dispatched(), FaultCode.EXPIRED)
    assert await desk.dispatched() == []
    assert await desk.dispatched() == []
    batch = await desk.batch(batch_id)
    assert (batch.status, batch.counts.parked, batch.counts.waiting) == ("processing", 4, 4)

    failed = now_is(key, HealthState.FAILED, detail="It has expired.")
    await desk.has(failed)
    await desk.hurry()
    assert await desk.dispatched() == []
    assert "has expired" in ((await desk.images(batch_id))[0].parked or "")
    await desk.has(now_is(failed, HealthState.RECOVERED))
    await desk.work_off()
    assert (await desk.batch(batch_id)).counts.completed == 4


async def test_a_fault_of_a_replaced_key_does_not_stop_the_new_one(desk: ByokDesk) -> None:
    """Chunks that were out on the old version come back late."""
    key = credential()
    await desk.has(key)
    await desk.wants(ONLY)
    batch_id = await desk.in_line(2)
    sent = await desk.dispatched()
    await desk.has(now_is(key, HealthState.HEALTHY, version=2))
    await desk.unrouted(batch_id, sent, FaultCode.REVOKED)
    [(route, images)] = await desk.dispatched()
    assert route is not None
    assert (route.credential_version, len(images)) == (2, 2)


async def test_a_providers_hiccup_is_waited_out_on_the_same_key(desk: ByokDesk) -> None:
    """Each pause longer than the last, and over at the first success."""
    key = credential()
    await desk.has(key)
    await desk.wants(THEN)
    batch_id = await desk.in_line(1)
    pauses = []
    for _ in range(2):
        await desk.unrouted(batch_id, await desk.dispatched(), FaultCode.OVERLOADED)
        assert await desk.dispatched() == []
        [row] = await desk.rows(
            "select extract(epoch from paused_until - now())::float8 as s from credentials"
        )
        pauses.append(row["s"])
        await desk.hurry()
    assert pauses[1] > 1.5 * pauses[0] > 0
    [(route, [image])] = await desk.dispatched()
    await desk.collect(batch_id, [done(image)], route)
    assert await desk.rows("select strikes, paused_until, fault from credentials") == [
        {"strikes": 0, "paused_until": None, "fault": None}
    ]


@pytest.mark.parametrize("policy", [ONLY, THEN])
async def test_three_faults_of_its_provider_are_enough_for_an_image(desk: ByokDesk, policy: str) -> None:
    """Then it is as if the key had failed: the image falls back, or waits until the key is well again."""
    key = credential()
    await desk.has(key)
    await desk.wants(policy)  # type: ignore[arg-type]
    batch_id = await desk.in_line(1)
    for _ in range(3):
        await desk.hurry()
        await desk.unrouted(batch_id, await desk.dispatched(), FaultCode.UNAVAILABLE)
        then = await desk.dispatched()
    if policy == THEN:
        assert [route for route, _ in then] == [None]
        return
    await desk.hurry()
    assert await desk.dispatched() == []
    assert "failed these images 3 times" in ((await desk.images(batch_id))[0].parked or "")
    await desk.has(now_is(key, HealthState.RECOVERED))
    await desk.work_off()
    assert (await desk.batch(batch_id)).counts.completed == 1


async def test_pauses_do_not_add_up_for_what_was_in_flight_together(desk: ByokDesk) -> None:
    """Sixteen images that fail at once are one failure of the provider."""
    await desk.has(credential())
    await desk.wants(ONLY)
    batch_id = await desk.in_line(16)
    sent = await desk.dispatched()
    for route, images in sent:
        for image in images:
            await desk.collect(batch_id, [gave_up(image, FaultCode.TIMEOUT)], route)
    assert await desk.rows("select strikes from credentials") == [{"strikes": 1}]


async def test_a_picture_that_its_provider_refuses_has_failed(desk: ByokDesk) -> None:
    """That is nobody's fault but the picture's, and the key is used on."""
    await desk.has(credential())
    await desk.wants(THEN)
    batch_id = await desk.in_line(1)
    await desk.unrouted(batch_id, await desk.dispatched(), FaultCode.BAD_PICTURE)
    [image] = await desk.images(batch_id)
    assert image.failure is not None
    assert (image.status, image.failure.code) == ("failed", "bad_picture")
    assert await desk.rows("select strikes from credentials") == [{"strikes": 0}]
    assert await desk.charges() == []


async def test_old_news_of_a_route_does_not_touch_the_image_on_its_new_one(desk: ByokDesk) -> None:
    """It was taken back as overdue and is with the platform by now: rendered once, charged once."""
    key = credential()
    await desk.has(key)
    await desk.wants(THEN)
    batch_id = await desk.in_line(1)
    [(old, [image])] = await desk.dispatched()
    desk.dispatcher._render_timeout_s = 0
    await desk.dispatcher._take_back_stale()
    await desk.has(now_is(key, HealthState.FAILED))
    assert [route for route, _ in await desk.dispatched()] == [None]
    await desk.collect(batch_id, [gave_up(image, FaultCode.REVOKED)], old)
    assert (await desk.batch(batch_id)).counts.rendering == 1
    await desk.collect(batch_id, [done(image)])
    await desk.collect(batch_id, [done(image)], old)
    [charge] = await desk.charges()
    assert (charge["payer"], charge["fallback"]) == (Payer.PLATFORM, True)
    assert [reserved for reserved, _ in (await desk.spend()).values()] == [0, 0]


async def test_who_computed_an_image_pays_though_it_was_on_another_route_by_then(desk: ByokDesk) -> None:
    """The outcome says the route; what was set aside for the other one is freed."""
    key = credential()
    await desk.has(key)
    await desk.wants(THEN)
    batch_id = await desk.in_line(1)
    [(old, [image])] = await desk.dispatched()
    desk.dispatcher._render_timeout_s = 0
    await desk.dispatcher._take_back_stale()
    await desk.has(now_is(key, HealthState.FAILED))
    await desk.dispatched()
    await desk.collect(batch_id, [done(image)], old)
    [charge] = await desk.charges()
    assert (charge["payer"], charge["credential_id"]) == (Payer.TENANT, key.id)
    assert {account: reserved for account, (reserved, _) in (await desk.spend()).items()} == {
        key.id: 0,
        "fallback": 0,
    }


async def test_an_image_that_comes_back_to_a_cancelled_batch_is_cancelled(desk: ByokDesk) -> None:
    """And the batch ends."""
    await desk.has(credential())
    await desk.wants(ONLY)
    batch_id = await desk.in_line(2)
    sent = await desk.dispatched()
    await desk.service.cancel(CancelBatch(batch_id=batch_id), desk.tenant)
    await desk.unrouted(batch_id, sent, FaultCode.REVOKED)
    batch = await desk.batch(batch_id)
    assert (batch.status, batch.counts.cancelled) == ("cancelled", 2)
    assert [reserved for reserved, _ in (await desk.spend()).values()] == [0]


async def test_being_given_back_is_no_attempt(desk: ByokDesk) -> None:
    """Attempts count renders that may have been the picture's fault."""
    await desk.has(credential())
    await desk.wants(ONLY)
    batch_id = await desk.in_line(1)
    await desk.unrouted(batch_id, await desk.dispatched(), FaultCode.REVOKED)
    assert await desk.rows("select attempts from images") == [{"attempts": 0}]
