"""Webhook endpoints: where a tenant wants to be told, and what became of each message."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from libs.common.contracts import webhooks as contract
from libs.common.contracts.access import Permission
from libs.common.contracts.ids import DeliveryId, EndpointId
from libs.common.contracts.message import Query as BusQuery
from libs.common.contracts.webhooks import DEFAULT_TYPES, WebhookType
from services.gateway import examples, responses
from services.gateway.auth.guard import guarded_router, needs
from services.gateway.gateway import Act, Acting, Asking
from services.gateway.idempotency import Answer
from services.gateway.pages import opened, sealed
from services.gateway.views import Delivery, DeliveryPage, Endpoint, EndpointPage, EndpointWithSecret

router = guarded_router(prefix="/api/v1", tags=["Webhooks"])

EndpointPath = Annotated[
    EndpointId, Path(description="Id of the webhook endpoint.", examples=[examples.ENDPOINT_ID])
]
DeliveryPath = Annotated[DeliveryId, Path(description="Id of the delivery.", examples=[examples.DELIVERY_ID])]
_TEXT = r"^[^\u0000-\u001f\u007f]*$"


class NewEndpoint(BaseModel):
    """Where to send which events."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [examples.NEW_ENDPOINT]})

    url: str = Field(
        max_length=2048, pattern=r"^https?://[\x21-\x7e]+$", description="An https URL at a public address."
    )
    types: tuple[WebhookType, ...] = Field(
        DEFAULT_TYPES, min_length=1, description="Event types; `image.completed` comes only if asked for."
    )
    description: str = Field("", max_length=500, pattern=_TEXT)


class Rotation(BaseModel):
    """How long the old secret signs along."""

    model_config = ConfigDict(extra="forbid")

    overlap_s: int = Field(86_400, ge=0, le=7 * 86_400, description="Seconds.")


@router.post(
    "/webhook-endpoints",
    status_code=201,
    summary="Register a webhook endpoint",
    response_model=EndpointWithSecret,
    responses=responses.errors(409, 413),
    openapi_extra=needs(Permission.WEBHOOKS_WRITE),
)
async def create_endpoint(
    body: NewEndpoint,
    act: Acting,
) -> Response:
    """Answers with the endpoint's signing secret, this once. Messages are signed by Standard Webhooks
    (https://www.standardwebhooks.com), so that its libraries verify them.

    Secrets are not kept: a repeat under the same Idempotency-Key has null in its place. A lost one is
    rotated.
    """
    query = contract.CreateEndpoint(url=body.url, types=body.types, description=body.description)
    location = act.links.base + "/webhook-endpoints/{id}"
    return await _with_secret(query, act, 201, location)


@router.get(
    "/webhook-endpoints",
    summary="List webhook endpoints",
    responses=responses.errors(),
    openapi_extra=needs(Permission.WEBHOOKS_READ),
)
async def list_endpoints(ask: Asking) -> EndpointPage:
    """All of them: there are 20 at most."""
    found = await ask.service(contract.ListEndpoints())
    return EndpointPage(items=tuple(map(_endpoint, found.items)))


@router.get(
    "/webhook-endpoints/{endpoint_id}",
    summary="Get a webhook endpoint",
    responses=responses.errors(404),
    openapi_extra=needs(Permission.WEBHOOKS_READ),
)
async def get_endpoint(endpoint_id: EndpointPath, ask: Asking) -> Endpoint:
    """Never with its secret."""
    return _endpoint(await ask.service(contract.GetEndpoint(endpoint_id=endpoint_id)))


@router.delete(
    "/webhook-endpoints/{endpoint_id}",
    status_code=204,
    summary="Delete a webhook endpoint",
    responses=responses.errors(404),
    openapi_extra=needs(Permission.WEBHOOKS_WRITE),
)
async def delete_endpoint(endpoint_id: EndpointPath, ask: Asking) -> None:
    """Nothing more is sent to it, and its deliveries are forgotten."""
    await ask.service(contract.DeleteEndpoint(endpoint_id=endpoint_id))


@router.post(
    "/webhook-endpoints/{endpoint_id}/rotate-secret",
    summary="Rotate a signing secret",
    response_model=EndpointWithSecret,
    responses=responses.errors(404, 409, 413),
    openapi_extra=needs(Permission.WEBHOOKS_WRITE),
)
async def rotate_secret(endpoint_id: EndpointPath, act: Acting, body: Rotation | None = None) -> Response:
    """Answers with a new secret, this once; until `overlap_s` is over, messages carry both signatures."""
    overlap_s = (body or Rotation()).overlap_s
    query = contract.RotateSecret(endpoint_id=endpoint_id, overlap_s=overlap_s)
    return await _with_secret(query, act, 200)


@router.post(
    "/webhook-endpoints/{endpoint_id}/test",
    status_code=202,
    summary="Send a test message",
    response_model=Delivery,
    responses=responses.errors(404, 409, 413),
    openapi_extra=needs(Permission.WEBHOOKS_WRITE),
)
async def test_endpoint(
    endpoint_id: EndpointPath,
    act: Acting,
) -> Response:
    """A `webhook.test` message goes to the endpoint, whatever types it asked for."""
    query = contract.TestEndpoint(endpoint_id=endpoint_id)
    return await _delivery_answer(query, act)


@router.get(
    "/webhook-endpoints/{endpoint_id}/deliveries",
    summary="List deliveries",
    responses=responses.errors(404),
    openapi_extra=needs(Permission.WEBHOOKS_READ),
)
async def list_deliveries(
    endpoint_id: EndpointPath,
    ask: Asking,
    cursor: Annotated[
        str | None, Query(max_length=200, description="`next_cursor` of the page before.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> DeliveryPage:
    """Newest first, each with all of its attempts."""
    place = opened("deliveries", cursor)
    query = contract.ListDeliveries(endpoint_id=endpoint_id, cursor=place, limit=limit)
    page = await ask.service(query)
    items = tuple(map(_delivery, page.items))
    return DeliveryPage(items=items, next_cursor=sealed("deliveries", page.next_cursor))


@router.post(
    "/webhook-endpoints/{endpoint_id}/deliveries/{delivery_id}/redeliver",
    status_code=202,
    summary="Send a delivery again",
    response_model=Delivery,
    responses=responses.errors(404, 409, 413),
    openapi_extra=needs(Permission.WEBHOOKS_WRITE),
)
async def redeliver(
    endpoint_id: EndpointPath,
    delivery_id: DeliveryPath,
    act: Acting,
) -> Response:
    """Now, with the same `webhook-id`, so that a receiver that has it already can tell."""
    query = contract.Redeliver(endpoint_id=endpoint_id, delivery_id=delivery_id)
    return await _delivery_answer(query, act)


async def _with_secret(
    query: BusQuery[contract.CreatedEndpoint],
    act: Act,
    status: int,
    location: str | None = None,
) -> Response:
    async def work() -> Answer:
        created = await act.service(query)
        headers = {"Location": location.format(id=created.endpoint.id)} if location else {}
        secret = {"secret": created.secret.get_secret_value()}
        return Answer(status, _endpoint(created.endpoint).model_dump(mode="json"), headers, once=secret)

    return await act.once(work)


async def _delivery_answer(query: BusQuery[contract.Delivery], act: Act) -> Response:
    async def work() -> Answer:
        delivery = await act.service(query)
        return Answer(202, _delivery(delivery).model_dump(mode="json"))

    return await act.once(work)


def _endpoint(endpoint: contract.Endpoint) -> Endpoint:
    return Endpoint.model_validate(endpoint.model_dump())


def _delivery(delivery: contract.Delivery) -> Delivery:
    return Delivery.model_validate(delivery.model_dump())
