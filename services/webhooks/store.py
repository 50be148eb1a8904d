"""Rows of the webhooks schema, and what they look like to the outside."""

from __future__ import annotations

from libs.common.contracts.ids import DeliveryId, EndpointId, TenantId
from libs.common.contracts.webhooks import Delivery, Endpoint
from libs.common.db import Queries, Row, Transaction
from services.webhooks.errors import EndpointIsDisabled, NoSuchDelivery, NoSuchEndpoint

sql = Queries(__package__)


def endpoint(row: Row | None) -> Endpoint:
    """NoSuchEndpoint if there is no row."""
    if row is None:
        raise NoSuchEndpoint
    return Endpoint(**{name: row[name] for name in Endpoint.model_fields})


async def get_endpoint(tx: Transaction, tenant: TenantId, endpoint_id: EndpointId) -> Endpoint:
    """NoSuchEndpoint."""
    return endpoint(await tx.fetchrow(sql.get_endpoint, tenant, endpoint_id))


async def hold_enabled(tx: Transaction, tenant: TenantId, endpoint_id: EndpointId) -> None:
    """Keep an endpoint as it is until the transaction ends. NoSuchEndpoint, EndpointIsDisabled."""
    if endpoint(await tx.fetchrow(sql.hold_endpoint, tenant, endpoint_id)).disabled_reason is not None:
        raise EndpointIsDisabled


async def get_delivery(
    tx: Transaction, tenant: TenantId, endpoint_id: EndpointId, delivery_id: DeliveryId
) -> Delivery:
    """With every try at it. NoSuchDelivery."""
    rows = await tx.fetch(sql.list_deliveries, tenant, endpoint_id, None, delivery_id, 1)
    if not rows:
        raise NoSuchDelivery
    return delivery(rows[0])


def delivery(row: Row) -> Delivery:
    return Delivery.model_validate({name: row[name] for name in Delivery.model_fields})
