"""What can be done with webhook endpoints, and what the bus gives them to tell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from libs.common.audit.record import record
from libs.common.contracts.ids import DeliveryId, EndpointId, TenantId
from libs.common.contracts.message import Message
from libs.common.contracts.webhooks import (
    CreatedEndpoint,
    CreateEndpoint,
    DeleteEndpoint,
    Delivery,
    DeliveryPage,
    Endpoint,
    EndpointList,
    GetEndpoint,
    ListDeliveries,
    ListEndpoints,
    Redeliver,
    RotateSecret,
    TestEndpoint,
)
from libs.common.db import Database, Transaction
from libs.common.telemetry import current_traceparent
from services.webhooks import sign, store
from services.webhooks.clock import Clock, utc_now
from services.webhooks.errors import NoTypes, TooManyEndpoints
from services.webhooks.guard import Guard
from services.webhooks.payload import Notice, notices, trial_notice, type_of
from services.webhooks.seal import Seal
from services.webhooks.store import sql

MOST_ENDPOINTS = 20


class WebhooksService:
    """The use cases. `deliver` wakes the loop that sends."""

    def __init__(
        self,
        database: Database,
        guard: Guard,
        seal: Seal,
        *,
        api_url: str,
        deliver: Callable[[], None],
        clock: Clock = utc_now,
    ) -> None:
        self._database = database
        self._guard = guard
        self._seal = seal
        self._api_url = api_url.rstrip("/")
        self._deliver = deliver
        self._clock = clock

    async def create(self, query: CreateEndpoint, tenant: TenantId) -> CreatedEndpoint:
        """Register a URL. NoTypes, UrlRefused, TooManyEndpoints."""
        if not query.types:
            raise NoTypes
        await self._guard.check(query.url)
        secret, types = sign.new_secret(), list(dict.fromkeys(query.types))
        fields = (EndpointId.new(), query.url, types, query.description, self._seal.seal(secret))
        async with self._database.tenant(tenant) as tx:
            await tx.execute(sql.lock_tenant, tenant)
            if await tx.fetchval(sql.count_endpoints, tenant) >= MOST_ENDPOINTS:
                raise TooManyEndpoints
            row = await tx.fetchrow(sql.insert_endpoint, tenant, *fields)
            record(tx, "webhook_endpoint.created", fields[0], types=[*types])
        return CreatedEndpoint(endpoint=store.endpoint(row), secret=secret)

    async def list_all(self, _: ListEndpoints, tenant: TenantId) -> EndpointList:
        async with self._database.tenant(tenant) as tx:
            return EndpointList(items=tuple(map(store.endpoint, await tx.fetch(sql.list_endpoints, tenant))))

    async def get(self, query: GetEndpoint, tenant: TenantId) -> Endpoint:
        """NoSuchEndpoint."""
        async with self._database.tenant(tenant) as tx:
            return await store.get_endpoint(tx, tenant, query.endpoint_id)

    async def delete(self, query: DeleteEndpoint, tenant: TenantId) -> Endpoint:
        """Forget it with its deliveries, sent or not. NoSuchEndpoint."""
        async with self._database.tenant(tenant) as tx:
            deleted = store.endpoint(await tx.fetchrow(sql.delete_endpoint, tenant, query.endpoint_id))
            record(tx, "webhook_endpoint.deleted", deleted.id)
        return deleted

    async def rotate(self, query: RotateSecret, tenant: TenantId) -> CreatedEndpoint:
        """A new secret; for a while both sign. NoSuchEndpoint."""
        secret = sign.new_secret()
        until = self._clock() + timedelta(seconds=query.overlap_s)
        async with self._database.tenant(tenant) as tx:
            row = await tx.fetchrow(
                sql.rotate_secret, tenant, query.endpoint_id, self._seal.seal(secret), until
            )
            rotated = store.endpoint(row)
            record(tx, "webhook_endpoint.secret_rotated", rotated.id, overlap_s=query.overlap_s)
        return CreatedEndpoint(endpoint=rotated, secret=secret)

    async def test(self, query: TestEndpoint, tenant: TenantId) -> Delivery:
        """Send something, whatever it subscribed to. NoSuchEndpoint, EndpointIsDisabled."""
        delivery_id = DeliveryId.new()
        notice = trial_notice(query.endpoint_id, delivery_id, self._clock())
        async with self._database.tenant(tenant) as tx:
            await store.hold_enabled(tx, tenant, query.endpoint_id)
            await self._queue(tx, tenant, [(delivery_id, query.endpoint_id, notice)])
            return await store.get_delivery(tx, tenant, query.endpoint_id, delivery_id)

    async def list_deliveries(self, query: ListDeliveries, tenant: TenantId) -> DeliveryPage:
        """NoSuchEndpoint."""
        async with self._database.tenant(tenant) as tx:
            await store.get_endpoint(tx, tenant, query.endpoint_id)
            rows = await tx.fetch(
                sql.list_deliveries, tenant, query.endpoint_id, query.cursor, None, query.limit + 1
            )
            page = rows[: query.limit]
            cursor = page[-1]["id"] if len(rows) > query.limit else None
            return DeliveryPage(items=tuple(map(store.delivery, page)), next_cursor=cursor)

    async def redeliver(self, query: Redeliver, tenant: TenantId) -> Delivery:
        """Send it again now; its record goes on. NoSuchEndpoint, NoSuchDelivery, EndpointIsDisabled."""
        async with self._database.tenant(tenant) as tx:
            await store.hold_enabled(tx, tenant, query.endpoint_id)
            await tx.execute(sql.send_again, tenant, query.endpoint_id, query.delivery_id, self._clock())
            tx.after_commit.append(self._deliver)
            return await store.get_delivery(tx, tenant, query.endpoint_id, query.delivery_id)

    async def notify(self, message: Message, tx: Transaction) -> None:
        """Queue what a message of the bus gives to tell, for every endpoint that asked for it."""
        tenant = tx.tenant
        assert tenant is not None
        interested = await tx.fetch(sql.interested, tenant, type_of(message))
        if interested:
            told = list(notices(message, self._api_url, self._clock()))
            await self._queue(
                tx, tenant, [(DeliveryId.new(), row["id"], notice) for row in interested for notice in told]
            )

    async def _queue(
        self, tx: Transaction, tenant: TenantId, told: Sequence[tuple[DeliveryId, str, Notice]]
    ) -> None:
        rows = [
            {
                "id": delivery_id,
                "endpoint_id": endpoint_id,
                "source": notice.source,
                "type": notice.type,
                "payload": notice.body,
            }
            for delivery_id, endpoint_id, notice in told
        ]
        await tx.execute(sql.insert_deliveries, tenant, rows, current_traceparent(), self._clock())
        tx.after_commit.append(self._deliver)
