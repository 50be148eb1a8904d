"""A tenant's API keys: issuing, narrowing, rotating and ending them. For people: no key can issue another."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query
from fastapi.responses import Response

from libs.common.contracts import tenants as contract
from libs.common.contracts.access import Permission
from libs.common.contracts.ids import ApiKeyId
from libs.common.contracts.message import Query as BusQuery
from services.gateway import responses
from services.gateway.auth.guard import guarded_router, needs
from services.gateway.errors import InvalidCursor
from services.gateway.gateway import Act, Acting, Asking
from services.gateway.idempotency import Answer
from services.gateway.pages import opened, sealed
from services.gateway.routes.batches import Cursor
from services.gateway.tenant_views import (
    KEY_ID,
    ApiKey,
    ApiKeyPage,
    ApiKeyWithSecret,
    ChangedApiKey,
    KeyRotation,
    NewApiKey,
)

router = guarded_router(prefix="/api/v1", tags=["API keys"])
KeyPath = Annotated[ApiKeyId, Path(description="Id of the API key.", examples=[KEY_ID])]
_LISTING = "api-keys"


@router.get(
    "/api-keys",
    summary="List API keys",
    responses=responses.errors(),
    openapi_extra=needs(Permission.API_KEYS_READ),
)
async def list_api_keys(
    ask: Asking,
    active: Annotated[bool, Query(description="Only those that still work.")] = False,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> ApiKeyPage:
    """The oldest first, also those that were revoked or have run out; never with their secret."""
    query = contract.ListApiKeys(active=active, cursor=_place(cursor), limit=limit)
    page = await ask.service(query)
    items = tuple(map(ApiKey.of, page.items))
    return ApiKeyPage(items=items, next_cursor=sealed(_LISTING, page.next_cursor))


@router.post(
    "/api-keys",
    status_code=201,
    summary="Issue an API key",
    response_model=ApiKeyWithSecret,
    responses=responses.errors(409, 413),
    openapi_extra=needs(Permission.API_KEYS_WRITE),
)
async def issue_api_key(body: NewApiKey, act: Acting) -> Response:
    """Answers with the whole key, this once: nothing but its SHA-256 is kept. It works within a second.

    A repeat under the same Idempotency-Key makes no second key, and has null in place of the secret; a lost
    one is rotated.
    """
    query = contract.IssueApiKey(**dict(body), at_most=act.caller.permissions)
    return await _with_secret(query, act)


@router.get(
    "/api-keys/{key_id}",
    summary="Get an API key",
    responses=responses.errors(404),
    openapi_extra=needs(Permission.API_KEYS_READ),
)
async def get_api_key(key_id: KeyPath, ask: Asking) -> ApiKey:
    """Never with its secret."""
    return ApiKey.of(await ask.service(contract.GetApiKey(key_id=key_id)))


@router.patch(
    "/api-keys/{key_id}",
    summary="Change an API key",
    responses=responses.errors(404, 409, 413),
    openapi_extra=needs(Permission.API_KEYS_WRITE),
)
async def change_api_key(key_id: KeyPath, body: ChangedApiKey, ask: Asking) -> ApiKey:
    """Label, networks, and fewer scopes. Access tokens that the key was exchanged for end as scopes go."""
    query = contract.UpdateApiKey(key_id=key_id, **dict(body))
    return ApiKey.of(await ask.service(query))


@router.delete(
    "/api-keys/{key_id}",
    status_code=204,
    summary="Revoke an API key",
    responses=responses.errors(404),
    openapi_extra=needs(Permission.API_KEYS_WRITE),
)
async def revoke_api_key(key_id: KeyPath, ask: Asking) -> None:
    """For good, within a second, and with every access token that it was exchanged for. It stays listed."""
    await ask.service(contract.RevokeApiKey(key_id=key_id))


@router.post(
    "/api-keys/{key_id}/rotate",
    status_code=201,
    summary="Rotate an API key",
    response_model=ApiKeyWithSecret,
    responses=responses.errors(404, 409, 413),
    openapi_extra=needs(Permission.API_KEYS_WRITE),
)
async def rotate_api_key(key_id: KeyPath, act: Acting, body: KeyRotation | None = None) -> Response:
    """Answers with a new key that may do the same from the same places, this once. The old one works for
    `overlap_s` more: a day, unless you say otherwise, and not at all with 0.
    """
    query = contract.RotateApiKey(
        key_id=key_id, **dict(body or KeyRotation()), at_most=act.caller.permissions
    )
    return await _with_secret(query, act)


async def _with_secret(query: BusQuery[contract.IssuedApiKey], act: Act) -> Response:
    async def work() -> Answer:
        issued = await act.service(query)
        shown = ApiKey.of(issued.key).model_dump(mode="json")
        headers = {"Location": f"{act.links.base}/api-keys/{issued.key.id}"}
        return Answer(201, shown, headers, once={"secret": issued.secret.get_secret_value()})

    return await act.once(work)


def _place(cursor: str | None) -> ApiKeyId | None:
    place = opened(_LISTING, cursor)
    try:
        return None if place is None else ApiKeyId(place)
    except ValueError as error:
        raise InvalidCursor from error
