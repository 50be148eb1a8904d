"""What a tenant can do with its webhook endpoints, and another tenant can't."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from libs.common.contracts.ids import DeliveryId, EndpointId, TenantId
from libs.common.contracts.webhooks import (
    CreateEndpoint,
    DeleteEndpoint,
    DeliveryStatus,
    GetEndpoint,
    ListDeliveries,
    ListEndpoints,
    Redeliver,
    RotateSecret,
    TestEndpoint,
)
from libs.common.errors import NotFound
from services.webhooks.errors import NoSuchDelivery, NoSuchEndpoint, NoTypes, TooManyEndpoints
from services.webhooks.service import MOST_ENDPOINTS
from tests.integration.webhook_desk import Desk, at_desk
from tests.servers.databases import TestDatabase


@pytest.fixture
async def desk(database: TestDatabase) -> AsyncIterator[Desk]:
    own = database.of("webhooks")
    await own.start()
    async with own.platform("clean up") as tx:
        await tx.execute("delete from endpoints")
    async with at_desk(own) as desk:
        yield desk
    await own.close()


async def test_an_endpoint_is_listed_until_it_is_deleted(desk: Desk) -> None:
    """Without its secret, which was shown once."""
    made = await desk.endpoint("/hooks", description="the shop")
    listed = await desk.service.list_all(ListEndpoints(), desk.tenant)
    assert listed.items == (made.endpoint,)
    assert made.secret.get_secret_value() not in repr(made) + listed.model_dump_json()
    await desk.service.delete(DeleteEndpoint(endpoint_id=made.endpoint.id), desk.tenant)
    assert (await desk.service.list_all(ListEndpoints(), desk.tenant)).items == ()
    with pytest.raises(NoSuchEndpoint):
        await desk.service.get(GetEndpoint(endpoint_id=made.endpoint.id), desk.tenant)


async def test_deleting_stops_what_was_to_be_sent(desk: Desk) -> None:
    """Also a delivery that is under way leaves nothing behind."""
    kept, gone = await desk.endpoint("/kept"), await desk.endpoint("/gone")
    await desk.tell()
    await desk.service.delete(DeleteEndpoint(endpoint_id=gone.endpoint.id), desk.tenant)
    async with desk.worker():
        await desk.tried(kept.endpoint.id, 1)
    assert desk.receiver.at("/gone") == []


async def test_a_tenant_has_twenty_endpoints_at_most(desk: Desk) -> None:
    """Also if it registers them all at once."""
    made = await asyncio.gather(
        *(desk.endpoint(f"/{number}") for number in range(MOST_ENDPOINTS + 5)), return_exceptions=True
    )
    refused = [one for one in made if isinstance(one, BaseException)]
    assert [type(one) for one in refused] == [TooManyEndpoints] * 5


async def test_an_endpoint_without_types_is_refused(desk: Desk) -> None:
    """It would never be told anything."""
    with pytest.raises(NoTypes):
        await desk.service.create(CreateEndpoint(url=desk.receiver.url, types=()), desk.tenant)


async def test_a_trial_goes_to_an_endpoint_whatever_it_asked_for(desk: Desk) -> None:
    """And again each time."""
    made = await desk.endpoint(types=["batch.failed"])
    for _ in range(2):
        await desk.service.test(TestEndpoint(endpoint_id=made.endpoint.id), desk.tenant)
    async with desk.worker():
        await desk.receiver.count(2)
        found = await desk.until(made.endpoint.id, lambda found: all(d.attempts for d in found))
    assert {one.type for one in found} == {"webhook.test"}
    assert {one.status for one in found} == {DeliveryStatus.DELIVERED}


async def test_deliveries_come_in_pages_newest_first(desk: Desk) -> None:
    """Every one of them once."""
    endpoint = (await desk.endpoint()).endpoint.id
    made = [(await desk.service.test(TestEndpoint(endpoint_id=endpoint), desk.tenant)).id for _ in range(5)]
    seen: list[DeliveryId] = []
    cursor: str | None = None
    while True:
        query = ListDeliveries(endpoint_id=endpoint, cursor=cursor, limit=2)
        page = await desk.service.list_deliveries(query, desk.tenant)
        seen += [one.id for one in page.items]
        if (cursor := page.next_cursor) is None:
            break
    assert seen == sorted(made, reverse=True)


async def test_what_is_not_there_is_not_found(desk: Desk) -> None:
    """By the name of what is missing."""
    made = await desk.endpoint()
    with pytest.raises(NoSuchDelivery):
        await desk.service.redeliver(
            Redeliver(endpoint_id=made.endpoint.id, delivery_id=DeliveryId.new()), desk.tenant
        )
    with pytest.raises(NoSuchEndpoint):
        await desk.service.rotate(RotateSecret(endpoint_id=EndpointId.new()), desk.tenant)


async def test_another_tenant_finds_nothing(desk: Desk) -> None:
    """Not even that the endpoint exists."""
    made = await desk.endpoint()
    delivery = await desk.service.test(TestEndpoint(endpoint_id=made.endpoint.id), desk.tenant)
    id_, other, service = made.endpoint.id, TenantId.new(), desk.service
    calls = (
        service.get(GetEndpoint(endpoint_id=id_), other),
        service.delete(DeleteEndpoint(endpoint_id=id_), other),
        service.rotate(RotateSecret(endpoint_id=id_), other),
        service.test(TestEndpoint(endpoint_id=id_), other),
        service.list_deliveries(ListDeliveries(endpoint_id=id_), other),
        service.redeliver(Redeliver(endpoint_id=id_, delivery_id=delivery.id), other),
    )
    for call in calls:
        with pytest.raises(NotFound):
            await call
    assert (await service.list_all(ListEndpoints(), other)).items == ()
    assert await service.get(GetEndpoint(endpoint_id=id_), desk.tenant) == made.endpoint
