"""How the endpoints of all tenants stand, as the platform's own people see it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from libs.common.contracts.ids import EndpointId, TenantId
from libs.common.contracts.webhooks import DeliveryStatus, EndpointState, ListEndpointHealth
from services.webhooks.overview import Overview
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


async def test_an_endpoint_stands_as_its_last_try_went(desk: Desk) -> None:
    """Nothing tried yet is healthy; one that answers 500 is failing, with what is under way since when."""
    good, bad, idle = [await desk.endpoint(path) for path in ("/good?token=planted", "/bad", "/idle")]
    desk.receiver.status("/bad", 500)
    async with desk.database.platform("only two want it") as tx:
        await tx.execute("update endpoints set types = '{batch.failed}' where id = $1", idle.endpoint.id)
    await desk.tell()
    async with desk.worker():
        await desk.until(good.endpoint.id, lambda found: found[0].status is DeliveryStatus.DELIVERED)
        await desk.tried(bad.endpoint.id, 1)
    page = await Overview(desk.database).page(ListEndpointHealth())
    found = {one.endpoint_id: one for one in page.items}
    assert found[good.endpoint.id].state is EndpointState.HEALTHY
    assert (found[good.endpoint.id].delivered_day, found[good.endpoint.id].pending) == (1, 0)
    assert found[bad.endpoint.id].state is EndpointState.FAILING
    assert (found[bad.endpoint.id].pending, found[bad.endpoint.id].last_status_code) == (1, 500)
    assert found[bad.endpoint.id].oldest_pending_at
    assert found[idle.endpoint.id].state is EndpointState.HEALTHY
    assert found[idle.endpoint.id].last_attempt_at is None
    assert "planted" not in page.model_dump_json()
    assert {one.host for one in page.items} == {"127.0.0.1"}


async def test_endpoints_are_found_by_how_they_stand_and_whose_they_are(desk: Desk) -> None:
    """An endpoint that says 410 is disabled, and says why."""
    gone, other = await desk.endpoint("/gone"), await desk.endpoint("/other")
    desk.receiver.status("/gone", 410)
    await desk.tell()
    async with desk.worker():
        await desk.until(gone.endpoint.id, lambda found: found[0].status is DeliveryStatus.FAILED)
        await desk.tried(other.endpoint.id, 1)

    async def listed(**filters: object) -> list[EndpointId]:
        query = ListEndpointHealth.model_validate(filters)
        return [one.endpoint_id for one in (await Overview(desk.database).page(query)).items]

    assert await listed(state="disabled") == [gone.endpoint.id]
    assert await listed(state="healthy") == [other.endpoint.id]
    assert await listed(state="failing") == []
    assert await listed(tenant_id=desk.tenant) == [gone.endpoint.id, other.endpoint.id]
    assert await listed(tenant_id=TenantId.new()) == []
    [disabled] = (await Overview(desk.database).page(ListEndpointHealth(state=EndpointState.DISABLED))).items
    assert disabled.disabled_reason
    assert disabled.failed_day == 1


async def test_pages_follow_one_another_over_tenants(desk: Desk) -> None:
    """Each endpoint once, by tenant."""
    made: set[tuple[TenantId, EndpointId]] = set()
    for _ in range(3):
        desk.tenant = TenantId.new()
        made |= {(desk.tenant, (await desk.endpoint(path)).endpoint.id) for path in ("/a", "/b")}
    seen: list[tuple[TenantId, EndpointId]] = []
    cursor: str | None = None
    while True:
        page = await Overview(desk.database).page(ListEndpointHealth(cursor=cursor, limit=4))
        seen += [(one.tenant_id, one.endpoint_id) for one in page.items]
        if (cursor := page.next_cursor) is None:
            break
    assert seen == sorted(made)
