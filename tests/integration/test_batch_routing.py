"""Images go on their tenant's keys, wait for a route, or fall back, on a real database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from libs.common.contracts.batch import BatchOptions, CancelBatch, ImagesCompleted, SubmitImage
from libs.common.contracts.credentials import HealthState
from libs.common.contracts.ids import ApiKeyId, BatchId, CredentialId, ImageId, TenantId
from libs.common.contracts.inference import RenderRemotelyNow, WorkerRole
from libs.common.contracts.options import RenderOptions
from libs.common.contracts.providers import Ability, Payer, ProviderName
from libs.common.contracts.routing import PolicyName, RouteClaim, WhenUnavailable
from libs.common.contracts.tenants import Plan, TenantRegistered
from libs.common.errors import Conflict
from libs.common.providers.cards import card
from services.batch.errors import ByokNotInPlan, FallbackNotInPlan
from tests.integration.batch_desk import done
from tests.integration.byok_desk import (
    EVERYTHING,
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
from tests.unit.archive_samples import Part, build


@pytest.fixture
async def desk(database: TestDatabase, tmp_path: Path) -> AsyncIterator[ByokDesk]:
    async with at_byok_desk(database.of("batch"), tmp_path) as desk:
        yield desk


async def test_images_are_computed_on_the_tenants_own_key(desk: ByokDesk) -> None:
    """The route travels with the chunk, without a secret, and is named with the result."""
    key = credential(settings={"url": "https://example.com"}, priority=3)
    await desk.has(key)
    await desk.wants(ONLY)
    batch_id = await desk.in_line(5)
    [(route, images)] = await desk.dispatched()
    assert route is not None
    assert (route.payer, route.credential_id, route.credential_version) == (Payer.TENANT, key.id, 1)
    assert (route.settings, route.ability) == ({"url": "https://example.com"}, Ability.GHOST)
    await desk.collect(batch_id, [done(image) for image in images], route)

    batch, shown = await desk.batch(batch_id), await desk.images(batch_id)
    assert (batch.status, batch.counts.completed) == ("completed", 5)
    taken = shown[0].route
    assert taken is not None
    assert (taken.provider, taken.payer, taken.credential_id) == (PROVIDER, Payer.TENANT, key.id)
    assert (taken.fallback, taken.cost) == (False, route.price)
    [event] = await desk.outbox(ImagesCompleted)
    assert event.images[0].route == taken  # type: ignore[attr-defined]


async def test_a_tenant_that_set_nothing_stays_on_the_platform(desk: ByokDesk) -> None:
    """Though it stored a key."""
    await desk.has(credential())
    batch_id = await desk.in_line(3)
    assert [route for route, _ in await desk.dispatched()] == [None]
    assert (await desk.policy()).policy is PolicyName.PLATFORM
    assert (await desk.batch(batch_id)).counts.rendering == 3


async def test_without_a_route_images_are_parked_with_the_reason(desk: ByokDesk) -> None:
    """The batch goes on waiting; the dispatcher has nothing to look at."""
    await desk.has(credential(state=HealthState.FAILED, detail="The key was revoked."))
    await desk.wants(ONLY)
    batch_id = await desk.in_line(40)
    assert await desk.dispatched() == []

    batch = await desk.batch(batch_id)
    assert (batch.status, batch.counts.waiting, batch.counts.parked) == ("processing", 40, 40)
    assert {image.parked for image in await desk.images(batch_id)} == {
        "Your photoroom key 'studio' is failed (The key was revoked)."
    }
    assert await desk.rows("select ready from batches") == [{"ready": 0}]


@pytest.mark.parametrize("opens", ["recovered", "replaced", "policy", "fallback", "plan"])
async def test_what_opens_a_route_puts_parked_images_back_in_line(desk: ByokDesk, opens: str) -> None:
    """A key that recovers or is replaced, another policy, another plan: all of the batch is rendered."""
    key = credential(state=HealthState.FAILED)
    await desk.has(key)
    await desk.wants(ONLY)
    batch_id = await desk.in_line(30)
    await desk.dispatched()
    if opens == "recovered":
        await desk.has(now_is(key, HealthState.RECOVERED))
    elif opens == "replaced":
        await desk.has(now_is(key, HealthState.HEALTHY, version=2))
    elif opens == "policy":
        await desk.wants(PolicyName.PLATFORM)
    elif opens == "fallback":
        await desk.wants(THEN)
    else:
        await desk.buys(EVERYTHING.model_copy(update={"byok": False}))
        await desk.wants(PolicyName.PLATFORM)
    went = await desk.work_off()

    batch = await desk.batch(batch_id)
    assert (batch.status, batch.counts.completed, batch.counts.parked) == ("completed", 30, 0)
    own = opens in ("recovered", "replaced")
    assert {route is not None for route, _ in went} == {own}
    assert {charge["fallback"] for charge in await desk.charges()} == {opens == "fallback"}
    assert not any(image.parked for image in await desk.images(batch_id))


async def test_an_older_word_of_a_credential_changes_nothing(desk: ByokDesk) -> None:
    """Events may overtake each other."""
    key = credential()
    await desk.has(now_is(key, HealthState.FAILED))
    await desk.has(key)
    await desk.wants(ONLY)
    batch_id = await desk.in_line(1)
    await desk.dispatched()
    assert (await desk.batch(batch_id)).counts.parked == 1


async def test_where_the_tenant_chose_so_images_without_a_route_fail(desk: ByokDesk) -> None:
    """Also those that are parked already when it chooses; their copies with them, and a retry is open."""
    await desk.wants(ONLY)
    parts = [Part(f"{n}.jpg".encode(), b"\xff\xd8\xff" + bytes([n % 3])) for n in range(4)]
    batch_id = await desk.submit(build(parts))
    await desk.split(batch_id)
    await desk.dispatched()
    assert (await desk.batch(batch_id)).counts.parked == 3
    await desk.wants(ONLY, when_unavailable=WhenUnavailable.FAIL)
    await desk.dispatched()

    batch, images = await desk.batch(batch_id), await desk.images(batch_id)
    assert (batch.status, batch.counts.failed, batch.counts.parked) == ("failed", 4, 0)
    assert {image.failure and image.failure.code for image in images} == {"no_route"}
    assert images[0].failure is not None
    assert "no key of yours" in images[0].failure.detail
    assert images[0].route is None
    await desk.has(credential())
    await desk.retry(batch_id)
    await desk.work_off()
    assert (await desk.batch(batch_id)).counts.completed == 4


async def test_images_fail_at_once_under_that_policy(desk: ByokDesk) -> None:
    """They are never parked."""
    await desk.wants(ONLY, when_unavailable=WhenUnavailable.FAIL)
    batch_id = await desk.in_line(3)
    await desk.dispatched()
    assert (await desk.batch(batch_id)).counts.failed == 3
    assert await desk.charges() == []


async def test_a_single_photo_goes_on_the_tenants_key_at_once(desk: ByokDesk) -> None:
    """By a command of its own, ahead of every batch."""
    await desk.has(credential())
    await desk.wants(ONLY)
    command = SubmitImage(
        batch_id=BatchId.new(),
        image_id=ImageId.new(),
        submitted_by=ApiKeyId.new(),
        name="coat.jpg",
        photo_key="k",
        photo_size=3,
        options=RenderOptions(),
        submitted_at=datetime.now(UTC),
    )
    async with desk.database.tenant(desk.tenant) as tx:
        await desk.service.submit_image(command, tx)
    await desk.dispatcher.dispatch()
    [now] = await desk.outbox(RenderRemotelyNow)
    assert isinstance(now, RenderRemotelyNow)
    assert now.items[0].image_id == command.image_id


async def test_cancelling_ends_parked_images(desk: ByokDesk) -> None:
    """And the batch with them."""
    await desk.wants(ONLY)
    batch_id = await desk.in_line(6)
    await desk.dispatched()
    await desk.service.cancel(CancelBatch(batch_id=batch_id), desk.tenant)
    batch = await desk.batch(batch_id)
    assert (batch.status, batch.counts.cancelled, batch.counts.parked) == ("cancelled", 6, 0)
    await desk.wants(PolicyName.PLATFORM)
    assert await desk.dispatched() == []


async def test_images_of_one_batch_take_the_routes_that_suit_them(desk: ByokDesk) -> None:
    """An inside shot needs a key that segments; the others go where the priority says."""
    ghost, segment = credential(priority=9), credential(provider=ProviderName.OPEN_INFERENCE)
    await desk.has(ghost)
    await desk.has(segment)
    await desk.wants(ONLY)
    names = [b"a_front.jpg", b"a_inside.jpg", b"b.jpg", b"c.jpg"]
    photos = [Part(name, b"\xff\xd8\xff" + name) for name in names]
    batch_id = await desk.submit(build(photos))
    await desk.split(batch_id)
    went = {route.credential_id: count for route, count in await desk.work_off() if route}
    assert went == {ghost.id: 2, segment.id: 1}


async def test_artefacts_need_the_platforms_own_rendering(desk: ByokDesk) -> None:
    """A key that only makes ghost mannequins can't give them: they fall back, with the reason."""
    await desk.has(credential())
    await desk.wants(THEN)
    await desk.in_line(2, BatchOptions(artefacts=True))
    assert await desk.work_off() == [(None, 2)]
    [charge, _] = await desk.charges()
    assert (
        charge["reason"] == "fallback to the platform: your photoroom key 'studio' can't segment these images"
    )


async def test_no_more_is_in_flight_on_a_key_than_its_provider_takes(desk: ByokDesk) -> None:
    """Twice the calls at a time; the platform's own flight has room all the while."""
    await desk.has(credential())
    await desk.wants(ONLY)
    batch_id = await desk.in_line(200)
    most = 2 * card(PROVIDER).limits.concurrency
    first = images_on(await desk.dispatched())
    assert len(first) == most
    assert await desk.dispatched() == []
    assert (await desk.batch(batch_id)).counts.waiting == 200 - most

    other = ByokDesk(desk.database, desk.objects)
    theirs = await other.in_line(10)
    assert all(route is None for route, _ in await other.dispatched())
    assert (await other.batch(theirs)).counts.rendering == 10


async def test_a_lease_is_open_only_while_the_batch_renders_on_the_key(desk: ByokDesk) -> None:
    """Not before its release, not afterwards, not for another key, batch or tenant."""
    key = credential()
    await desk.has(key)
    await desk.wants(ONLY)
    batch_id = await desk.in_line(1)
    claims = (
        RouteClaim(tenant_id=TenantId.new(), batch_id=batch_id, credential_id=key.id),
        RouteClaim(tenant_id=desk.tenant, batch_id=batch_id, credential_id=key.id),
        RouteClaim(tenant_id=desk.tenant, batch_id=batch_id, credential_id=CredentialId.new()),
        RouteClaim(tenant_id=desk.tenant, batch_id=BatchId.new(), credential_id=key.id),
    )
    assert await desk.open(claims) == (False, False, False, False)
    [(route, images)] = await desk.dispatched()
    assert await desk.open(claims) == (False, True, False, False)
    await desk.collect(batch_id, [done(image) for image in images], route)
    assert await desk.open(claims) == (False, False, False, False)


async def test_a_policy_needs_a_plan_that_holds_it(desk: ByokDesk) -> None:
    """The refusal says which entitlement is missing."""
    await desk.buys(Plan())
    with pytest.raises(ByokNotInPlan) as byok:
        await desk.wants(ONLY)
    await desk.buys(Plan(byok=True))
    with pytest.raises(FallbackNotInPlan) as fallback:
        await desk.wants(THEN)
    assert [error.value.code for error in (byok, fallback)] == ["byok_not_in_plan", "fallback_not_in_plan"]
    assert isinstance(byok.value, Conflict)
    wanted = await desk.wants(ONLY, fallback_monthly_cap=Decimal("12.5"))
    assert wanted == await desk.policy()
    assert wanted.updated_at is not None


async def test_a_plan_may_be_known_before_its_tenant(desk: ByokDesk) -> None:
    """And a registration does not take it away."""
    await desk.hears(TenantRegistered(name="Shop", weight=3))
    assert (await desk.wants(THEN)).policy is THEN
    assert await desk.rows("select weight from tenants") == [{"weight": 3}]


async def test_both_flights_learn_from_their_own_outcomes(desk: ByokDesk) -> None:
    """What a provider takes long for does not shrink the platform's flight."""
    took: list[tuple[float, WorkerRole]] = []
    desk.collector._took = lambda seconds, role: took.append((seconds, role))
    await desk.has(credential())
    await desk.wants(ONLY)
    batch_id = await desk.in_line(1)
    [(route, [image])] = await desk.dispatched()
    await desk.collect(batch_id, [done(image, render_ms=900)], route)
    assert took == [(0.9, WorkerRole.REMOTE)]


async def test_thousands_of_images_are_parked_and_put_back_in_one_go(desk: ByokDesk) -> None:
    """Of every batch of the tenant."""
    await desk.wants(ONLY)
    batches = [await desk.in_line(1200), await desk.in_line(3)]
    assert await desk.dispatched() == []
    assert [(await desk.batch(one)).counts.parked for one in batches] == [1200, 3]
    await desk.wants(PolicyName.PLATFORM)
    await desk.dispatched()
    assert [(await desk.batch(one)).counts.parked for one in batches] == [0, 0]


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"location": "us-east1", "model": "gemini-3-pro-image"}, "is not in a region that it is limited to"),
        ({"location": "europe-west4", "model": "gemini-0"}, "is not one that the platform knows"),
        ({"location": "europe-west4", "model": "endpoint"}, None),
    ],
)
async def test_a_key_is_used_where_its_owner_lets_it_and_for_what_its_model_can(
    desk: ByokDesk, settings: dict[str, str], reason: str | None
) -> None:
    """By the provider's card: an unknown model is used for nothing, and only some of them segment."""
    await desk.has(
        credential(provider=ProviderName.GOOGLE_VERTEX, settings=settings, regions=("europe-west4",))
    )
    await desk.wants(ONLY)
    batch_id = await desk.in_line(1, BatchOptions(artefacts=True))
    sent = await desk.dispatched()
    [image] = await desk.images(batch_id)
    if reason is None:
        assert [route and route.ability for route, _ in sent] == [Ability.SEGMENT]
    else:
        assert image.parked is not None
        assert reason in image.parked
