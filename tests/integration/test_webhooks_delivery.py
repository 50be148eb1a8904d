"""From a message of the batch service to a signed request at a receiver, through whatever goes wrong."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

from libs.common.contracts.batch import BatchCompleted, ImagesCompleted, ImageStatus
from libs.common.contracts.ids import BatchId
from libs.common.contracts.webhooks import DeliveryStatus, GetEndpoint, Redeliver, RotateSecret, TestEndpoint
from services.webhooks.errors import EndpointIsDisabled
from services.webhooks.schedule import DELAYS_S
from services.webhooks.share import Bounds
from services.webhooks.sweep import forget
from tests.integration.webhook_desk import Desk, at_desk
from tests.servers.databases import TestDatabase
from tests.unit.test_webhooks_payload import batch, image


@pytest.fixture
async def desk(database: TestDatabase) -> AsyncIterator[Desk]:
    own = database.of("webhooks")
    await own.start()
    async with own.platform("clean up") as tx:
        await tx.execute("delete from endpoints")
    async with at_desk(own) as desk:
        yield desk
    await own.close()


async def test_what_arrives_is_signed_as_the_standard_says(desk: Desk) -> None:
    """Verified by the standard's own library, and written down as one attempt."""
    made = await desk.endpoint()
    async with desk.worker():
        await desk.tell()
        [came] = await desk.receiver.count(1)
        delivery = await desk.tried(made.endpoint.id, 1)
    told = Webhook(made.secret.get_secret_value()).verify(came.body, dict(came.headers))
    assert told["type"] == "batch.completed"
    assert came.headers["Content-Type"] == "application/json"
    assert came.id == delivery.id
    assert (delivery.status, delivery.next_attempt_at) == (DeliveryStatus.DELIVERED, None)
    assert [attempt.status_code for attempt in delivery.attempts] == [204]


async def test_it_arrives_at_once(desk: Desk) -> None:
    """The loop is woken by the commit, not by its next look at the table a second later."""
    endpoint = (await desk.endpoint()).endpoint.id
    times = []
    async with desk.worker():
        for number in range(1, 6):
            began = time.perf_counter()
            await desk.tell()
            times.append((await desk.receiver.count(number))[-1].at - began)
            await desk.until(endpoint, lambda found: all(one.attempts for one in found))
    assert min(times) < 0.2


async def test_a_message_that_comes_twice_is_told_once(desk: Desk) -> None:
    """Once for each endpoint that asked for it."""
    endpoints = [await desk.endpoint("/a"), await desk.endpoint("/b"), await desk.endpoint("/c")]
    unasked = await desk.endpoint("/d", types=["image.completed"])
    message = BatchCompleted(batch=batch())
    for _ in range(3):
        await desk.tell(message)
    async with desk.worker():
        for made in endpoints:
            await desk.tried(made.endpoint.id, 1)
    assert sorted(came.path for came in desk.receiver.received) == ["/a", "/b", "/c"]
    assert await desk.deliveries(unasked.endpoint.id) == ()


async def test_images_go_to_those_who_opted_in(desk: Desk) -> None:
    """One webhook for each image, completed or failed."""
    await desk.endpoint("/batches")
    wants = await desk.endpoint("/images", types=["image.completed"])
    images = (image(), image(ImageStatus.FAILED, sequence=2))
    await desk.tell(ImagesCompleted(batch_id=BatchId.new(), images=images))
    async with desk.worker():
        came = await desk.receiver.count(2, "/images")
        await desk.until(wants.endpoint.id, lambda found: all(d.attempts for d in found))
    told = [Webhook(wants.secret.get_secret_value()).verify(one.body, dict(one.headers)) for one in came]
    assert {one["data"]["image"]["id"] for one in told} == {one.id for one in images}
    assert desk.receiver.at("/batches") == []


async def test_retries_follow_the_schedule_from_the_database(desk: Desk) -> None:
    """Each by another worker, under the same id, and never before its time; ten in all."""
    desk.receiver.status("/", 500)
    endpoint = (await desk.endpoint()).endpoint.id
    await desk.tell()
    for number, seconds in enumerate(DELAYS_S, start=1):
        async with desk.worker():
            delivery = await desk.tried(endpoint, number)
        assert delivery.next_attempt_at is not None
        wait = (delivery.next_attempt_at - desk.clock.now).total_seconds()
        assert 0.9 * seconds <= wait <= 1.1 * seconds
        desk.clock.turn(seconds=wait - 0.1)
        async with desk.worker():
            await _idle(desk)
        assert len(desk.receiver.received) == number
        desk.clock.turn(seconds=0.2)
    async with desk.worker():
        delivery = await desk.tried(endpoint, 10)
    assert (delivery.status, delivery.next_attempt_at) == (DeliveryStatus.FAILED, None)
    assert {came.id for came in desk.receiver.received} == {delivery.id}
    stamps = [int(came.headers["webhook-timestamp"]) for came in desk.receiver.received]
    assert stamps == sorted(set(stamps))


async def test_what_is_new_does_not_bring_forward_what_waits(desk: Desk) -> None:
    """Each delivery has its own time, though they go to the same endpoint."""
    desk.receiver.status("/", 500)
    endpoint = (await desk.endpoint()).endpoint.id
    await desk.tell()
    async with desk.worker():
        waiting = await desk.tried(endpoint, 1)
        await desk.tell()
        await desk.until(endpoint, lambda found: len(found) == 2 and all(one.attempts for one in found))
    assert [came.id for came in desk.receiver.received].count(waiting.id) == 1


async def test_an_endpoint_that_asks_for_time_gets_it(desk: Desk) -> None:
    """`Retry-After` moves the next attempt back."""
    desk.receiver.status("/", 503, {"Retry-After": "900"})
    endpoint = (await desk.endpoint()).endpoint.id
    await desk.tell()
    async with desk.worker():
        delivery = await desk.tried(endpoint, 1)
    assert delivery.next_attempt_at is not None
    assert (delivery.next_attempt_at - desk.clock.now).total_seconds() == 900


async def test_a_redirect_is_not_followed(desk: Desk) -> None:
    """It counts as a failure, and says what to do."""
    desk.receiver.status("/old", 307, {"Location": f"{desk.receiver.url}/new"})
    endpoint = (await desk.endpoint("/old")).endpoint.id
    await desk.tell()
    async with desk.worker():
        delivery = await desk.tried(endpoint, 1)
    assert delivery.status == DeliveryStatus.PENDING
    assert delivery.attempts[0].status_code == 307
    assert "redirects are not followed" in (delivery.attempts[0].error or "")
    assert desk.receiver.at("/new") == []


async def test_gone_disables_the_endpoint(desk: Desk) -> None:
    """What waits for it fails, nothing new is queued, the event is told, and other endpoints go on."""
    desk.receiver.status("/gone", 410)
    gone, other = (await desk.endpoint("/gone")).endpoint.id, (await desk.endpoint("/")).endpoint.id
    for _ in range(3):
        await desk.tell()
    async with desk.worker(Bounds(endpoint=1)):
        await desk.until(gone, lambda found: {d.status for d in found} == {DeliveryStatus.FAILED})
        await desk.tell()
        await desk.receiver.count(4)
        await desk.until(other, lambda found: {d.status for d in found} == {DeliveryStatus.DELIVERED})
    assert len(desk.receiver.at("/gone")) == 1
    assert len(await desk.deliveries(gone)) == 3
    assert await desk.outbox() == ["webhooks.endpoint_disabled.v1"]
    disabled = await desk.service.get(GetEndpoint(endpoint_id=gone), desk.tenant)
    assert "410" in (disabled.disabled_reason or "")
    with pytest.raises(EndpointIsDisabled):
        await desk.service.test(TestEndpoint(endpoint_id=gone), desk.tenant)


async def test_during_a_rotation_both_secrets_sign(desk: Desk) -> None:
    """Until the overlap ends; then only the new one does."""
    made = await desk.endpoint()
    query = RotateSecret(endpoint_id=made.endpoint.id, overlap_s=60)
    new = await desk.service.rotate(query, desk.tenant)
    old_hook, new_hook = (Webhook(one.secret.get_secret_value()) for one in (made, new))
    async with desk.worker():
        await desk.tell()
        [during] = await desk.receiver.count(1)
        desk.clock.turn(seconds=61)
        await desk.tell()
        [_, later] = await desk.receiver.count(2)
        await desk.until(made.endpoint.id, lambda found: all(d.attempts for d in found))
    old_hook.verify(during.body, dict(during.headers))
    new_hook.verify(during.body, dict(during.headers))
    new_hook.verify(later.body, dict(later.headers))
    with pytest.raises(WebhookVerificationError):
        old_hook.verify(later.body, dict(later.headers))


async def test_secrets_are_stored_sealed(desk: Desk) -> None:
    """Nothing in the row is of any use without the key."""
    made = await desk.endpoint()
    async with desk.database.tenant(desk.tenant) as tx:
        sealed = await tx.fetchval("select secret from endpoints where id = $1", made.endpoint.id)
    assert made.secret.get_secret_value().encode() not in sealed
    assert desk.seal.open(sealed) == made.secret


async def test_a_slow_endpoint_holds_up_nobody_else(desk: Desk) -> None:
    """Thirty for one that never answers; the one for another arrives, with two of them under way."""
    let_go = asyncio.Event()

    async def hang(_: web.Request) -> web.StreamResponse:
        await let_go.wait()
        return web.Response()

    desk.receiver.answers["/slow"] = hang
    slow = await desk.endpoint("/slow", types=["image.completed"])
    quick = await desk.endpoint("/quick")
    images = tuple(image(sequence=number) for number in range(30))
    await desk.tell(ImagesCompleted(batch_id=BatchId.new(), images=images))
    async with desk.worker(Bounds(total=4, tenant=3, endpoint=2)):
        await desk.receiver.count(2, "/slow")
        await desk.tell()
        await desk.tried(quick.endpoint.id, 1)
        assert len(desk.receiver.at("/slow")) == 2
        let_go.set()
        await desk.until(
            slow.endpoint.id, lambda found: {d.status for d in found} == {DeliveryStatus.DELIVERED}
        )
    assert len({came.id for came in desk.receiver.at("/slow")}) == 30


async def test_a_body_without_an_end_is_not_read(desk: Desk) -> None:
    """The status counts; what follows is dropped after 4 KiB or a second."""

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        with suppress(ConnectionError):
            while True:
                await response.write(b"x" * 65536)
        return response

    desk.receiver.answers["/"] = endless
    endpoint = (await desk.endpoint()).endpoint.id
    await desk.tell()
    async with desk.worker():
        delivery = await desk.tried(endpoint, 1)
    assert delivery.status == DeliveryStatus.DELIVERED
    assert delivery.attempts[0].duration_ms < 1000


async def test_no_answer_in_time_is_a_failure(database: TestDatabase) -> None:
    """As is nobody there."""

    async def hang(_: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    own = database.of("webhooks")
    await own.start()
    async with at_desk(own, timeout_s=0.2) as desk:
        desk.receiver.answers["/"] = hang
        endpoint = (await desk.endpoint()).endpoint.id
        await desk.tell()
        async with desk.worker():
            delivery = await desk.tried(endpoint, 1)
    await own.close()
    assert (delivery.status, delivery.attempts[0].status_code) == (DeliveryStatus.PENDING, None)
    assert delivery.attempts[0].error == "no answer in time"


async def test_what_is_redelivered_has_the_schedule_before_it_again(desk: Desk) -> None:
    """Under the same id, and the record of earlier attempts stays."""
    desk.receiver.status("/", 500)
    endpoint = (await desk.endpoint()).endpoint.id
    await desk.tell()
    async with desk.database.tenant(desk.tenant) as tx:
        await tx.execute("update deliveries set failures = 9")
    async with desk.worker():
        [failed] = await desk.until(endpoint, lambda found: found[0].status == DeliveryStatus.FAILED)
        await desk.service.redeliver(Redeliver(endpoint_id=endpoint, delivery_id=failed.id), desk.tenant)
        again = await desk.tried(endpoint, 2)
        assert again.status == DeliveryStatus.PENDING
        desk.receiver.status("/", 200)
        desk.clock.turn(seconds=6)
        desk.wake()
        assert (await desk.tried(endpoint, 3)).status == DeliveryStatus.DELIVERED
        await desk.service.redeliver(Redeliver(endpoint_id=endpoint, delivery_id=failed.id), desk.tenant)
        await desk.tried(endpoint, 4)
    assert {came.id for came in desk.receiver.received} == {failed.id}


async def test_a_late_failure_does_not_undo_a_success(desk: Desk) -> None:
    """Redelivered while the first try was still under way: both are recorded, and it stays delivered."""
    let_go = asyncio.Event()

    async def hang_then_fail(_: web.Request) -> web.StreamResponse:
        await let_go.wait()
        return web.Response(status=500)

    desk.receiver.answers["/"] = hang_then_fail
    endpoint = (await desk.endpoint()).endpoint.id
    await desk.tell()
    async with desk.worker():
        await desk.receiver.count(1)
        desk.receiver.status("/", 204)
        [under_way] = await desk.deliveries(endpoint)
        await desk.service.redeliver(Redeliver(endpoint_id=endpoint, delivery_id=under_way.id), desk.tenant)
        assert (await desk.tried(endpoint, 1)).status == DeliveryStatus.DELIVERED
        let_go.set()
        delivery = await desk.tried(endpoint, 2)
    assert [attempt.status_code for attempt in delivery.attempts] == [204, 500]
    assert delivery.status == DeliveryStatus.DELIVERED


async def test_a_worker_that_stops_leaves_its_work_to_others(desk: Desk) -> None:
    """At once, not when its claim runs out."""
    cut_off = asyncio.Event()

    async def hang(_: web.Request) -> web.StreamResponse:
        await cut_off.wait()
        return web.Response()

    desk.receiver.answers["/"] = hang
    endpoint = (await desk.endpoint()).endpoint.id
    await desk.tell()
    async with desk.worker():
        await desk.receiver.count(1)
    async with desk.worker():
        await desk.receiver.count(2)
        cut_off.set()
        assert (await desk.tried(endpoint, 1)).status == DeliveryStatus.DELIVERED


async def test_two_workers_send_nothing_twice(desk: Desk) -> None:
    """Each claims what the other has not."""
    wants = await desk.endpoint(types=["image.completed"])
    images = tuple(image(sequence=number) for number in range(100))
    await desk.tell(ImagesCompleted(batch_id=BatchId.new(), images=images))
    async with desk.worker(), desk.worker():
        await desk.receiver.count(100)
        await desk.until(wants.endpoint.id, lambda found: all(d.attempts for d in found))
    assert len({came.id for came in desk.receiver.received}) == len(desk.receiver.received) == 100


async def test_what_ended_long_ago_is_forgotten(desk: Desk) -> None:
    """What still waits is not."""
    desk.receiver.status("/bad", 500)
    good, bad = (await desk.endpoint("/good")).endpoint.id, (await desk.endpoint("/bad")).endpoint.id
    await desk.tell()
    async with desk.worker():
        await desk.tried(good, 1)
        await desk.tried(bad, 1)
    assert await forget(desk.database, keep_days=30, clock=desk.clock) == 0
    desk.clock.turn(days=31)
    assert await forget(desk.database, keep_days=30, clock=desk.clock) == 1
    assert await desk.deliveries(good) == ()
    assert len(await desk.deliveries(bad)) == 1


async def _idle(desk: Desk) -> None:
    """Let a worker look for what is due and find nothing: something due for another endpoint has gone out."""
    path = f"/probe/{len(desk.receiver.received)}/{desk.clock.now.timestamp()}"
    probe = await desk.endpoint(path, types=["image.completed"])
    before = len(desk.receiver.received)
    await desk.service.test(TestEndpoint(endpoint_id=probe.endpoint.id), desk.tenant)
    await desk.tried(probe.endpoint.id, 1)
    assert len(desk.receiver.received) == before + 1
    desk.receiver.received.pop()
