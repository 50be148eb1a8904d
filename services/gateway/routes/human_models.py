"""Human models: people of the tenant on whose photos its garments are shown."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Query
from fastapi.responses import Response, StreamingResponse

from libs.common.contracts import human_models as contract
from libs.common.contracts.access import Permission
from libs.common.contracts.human_models import photo_parts
from libs.common.contracts.ids import HumanModelId
from libs.common.errors import NotFound
from libs.common.objects import tenant_key
from services.gateway import responses
from services.gateway.auth.guard import guarded_router, needs
from services.gateway.errors import HumanModelNotReady, NoSuchHumanModel
from services.gateway.gateway import Acting, Asking
from services.gateway.human_model_views import (
    HUMAN_MODEL_ID,
    HumanModel,
    HumanModelChange,
    HumanModelPage,
    NewHumanModel,
)
from services.gateway.human_models import PART, seen, take_in
from services.gateway.pages import opened, sealed

router = guarded_router(prefix="/api/v1", tags=["Human models"])

PHOTO_TYPES = ("image/png", "image/jpeg")
HumanModelPath = Annotated[
    HumanModelId, Path(description="Id of the human model.", examples=[HUMAN_MODEL_ID])
]


def _form() -> dict[str, Any]:
    """The request's body, for the document."""
    schema = {
        "type": "object",
        "required": ["file", PART],
        "additionalProperties": False,
        "properties": {
            "file": {"type": "string", "format": "binary", "minLength": 1},
            PART: {"$ref": f"#/components/schemas/{NewHumanModel.__name__}"},
        },
    }
    form = {"schema": schema, "encoding": {PART: {"contentType": "application/json"}}}
    return {"requestBody": {"required": True, "content": {"multipart/form-data": form}}}


@router.post(
    "/human-models",
    status_code=201,
    summary="Add a human model",
    response_model=HumanModel,
    responses=responses.errors(402, 404, 409, 413, 415),
    openapi_extra=needs(Permission.HUMAN_MODELS_WRITE) | _form(),
)
async def create_human_model(act: Acting) -> Response:
    """Send a form: `file` is the photo, up to 50 MB, of one person who stands upright and faces the camera,
    and `consent` says as JSON what that person agreed to. With it you declare that you have the rights to the
    photo.

    The photo is looked at within seconds; until then the model is `checking`. Only its pixels are kept: EXIF
    and place are never stored with it. The model is yours alone, and is never used for training.
    """
    return await take_in(act)


@router.get(
    "/human-models",
    summary="List human models",
    responses=responses.errors(),
    openapi_extra=needs(Permission.HUMAN_MODELS_READ),
)
async def list_human_models(
    ask: Asking,
    cursor: Annotated[
        str | None, Query(max_length=200, description="`next_cursor` of the page before.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> HumanModelPage:
    """Newest first."""
    query = contract.ListHumanModels(cursor=opened("human_models", cursor), limit=limit)
    page = await ask.service(query)
    items = tuple(seen(ask, model) for model in page.items)
    return HumanModelPage(items=items, next_cursor=sealed("human_models", page.next_cursor))


@router.get(
    "/human-models/{model_id}",
    summary="Get a human model",
    responses=responses.errors(404),
    openapi_extra=needs(Permission.HUMAN_MODELS_READ),
)
async def get_human_model(model_id: HumanModelPath, ask: Asking) -> HumanModel:
    """How it stands, with the consent; who is in the photo is told to callers with `human_models:write`."""
    return seen(ask, await ask.service(contract.GetHumanModel(model_id=model_id)))


@router.patch(
    "/human-models/{model_id}",
    summary="Change a human model",
    responses=responses.errors(404, 413),
    openapi_extra=needs(Permission.HUMAN_MODELS_WRITE),
)
async def update_human_model(model_id: HumanModelPath, body: HumanModelChange, ask: Asking) -> HumanModel:
    """Its name, or until when the consent holds: an end in the past stops its use at once, a later one renews
    it. Everything else of a consent stays as it was declared; for another consent add another model.
    """
    query = contract.UpdateHumanModel(
        model_id=model_id,
        name=body.name,
        consent_expires_at=body.consent_expires_at,
        clear_expiry="consent_expires_at" in body.model_fields_set and body.consent_expires_at is None,
    )
    return seen(ask, await ask.service(query))


@router.get(
    "/human-models/{model_id}/photo",
    summary="Download a human model's photo",
    response_class=StreamingResponse,
    responses={
        200: responses.content("The photo as it is kept.", *PHOTO_TYPES),
        **responses.errors(404, 409),
    },
    openapi_extra=needs(Permission.HUMAN_MODELS_READ),
)
async def get_human_model_photo(model_id: HumanModelPath, ask: Asking) -> Response:
    """Upright, in sRGB, without metadata. Not to be cached: it may be deleted at any time."""
    model = await ask.service(contract.GetHumanModel(model_id=model_id))
    if model.sha256 is None:
        raise HumanModelNotReady
    objects, key = ask.gateway.objects, tenant_key(ask.tenant, *photo_parts(model_id))
    try:
        stored = await objects.head(key)
    except NotFound as error:
        raise NoSuchHumanModel from error
    headers = {
        "Cache-Control": "private, no-store",
        "Content-Length": str(stored.size),
        "ETag": f'"{model.sha256}"',
    }
    return StreamingResponse(
        objects.stream(key, 0, stored.size), headers=headers, media_type=model.media_type
    )


@router.delete(
    "/human-models/{model_id}",
    status_code=204,
    summary="Delete a human model",
    responses=responses.errors(404),
    openapi_extra=needs(Permission.HUMAN_MODELS_WRITE),
)
async def delete_human_model(model_id: HumanModelPath, ask: Asking) -> None:
    """At once and for good: the photo, the consent, and what the workers hold in memory. Images that wait for
    it fail as `human_model_deleted`; results that show the person are yours, and stay until you delete them.
    """
    await ask.service(contract.DeleteHumanModel(model_id=model_id))
