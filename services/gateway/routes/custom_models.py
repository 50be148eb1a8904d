"""Tenants' own ONNX models: uploaded, checked in a sandbox, tried out on a share, and rolled back."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import Path
from fastapi.responses import Response
from pydantic import ValidationError
from ulid import ULID

from libs.common.contracts import custom_models as contract
from libs.common.contracts.access import Permission
from libs.common.contracts.ids import CustomModelId
from libs.common.errors import Invalid
from libs.common.objects import tenant_key
from services.gateway import responses
from services.gateway.auth.guard import guarded_router, needs
from services.gateway.custom_model_views import (
    MODEL_ID,
    CustomModel,
    CustomModelPage,
    NewModel,
    NewRollout,
    Rollout,
)
from services.gateway.gateway import Act, Acting, Asking
from services.gateway.idempotency import Answer, fingerprint
from services.gateway.keeping import discard, gone_if_refused, stored_or_gone
from services.gateway.uploads import Received, Taken, receive

router = guarded_router(prefix="/api/v1", tags=["Custom models"])
_TAKEN = Taken((), contract.MOST_MODEL_BYTES, json_part="model")
ModelPath = Annotated[CustomModelId, Path(description="Id of the model.", examples=[MODEL_ID])]


@router.post(
    "/custom-models",
    status_code=202,
    summary="Upload a model version",
    response_model=CustomModel,
    responses=responses.errors(402, 409, 413, 415),
    openapi_extra=needs(Permission.CUSTOM_MODELS_WRITE) | responses.form("NewModel", "model"),
)
async def upload_model(act: Acting) -> Response:
    """A form with `model` (its name, and what its tensors mean) and `file`, the ONNX of up to 256 MiB. It
    becomes a new version of the model of that name, and is looked at in a sandbox: operators, opset, weights,
    shapes, and the time and memory of a run. Needs a plan with models of your own.
    """
    objects = act.gateway.objects
    key = tenant_key(act.tenant, "custom-models", str(ULID()).lower(), "model.onnx")
    async with act.gateway.idempotency.claim(act.tenant, act.idempotency_key) as claim:
        async with stored_or_gone(objects, key):
            sink = discard if claim.replays else partial(objects.put_stream, key)
            received = await receive(act.request, _TAKEN, sink, act.gateway.metrics.uploaded.inc)
            told = _told(received)
        print_ = fingerprint(act.request.url.path, told.model_dump_json(), received.sha256)
        if claim.replays:
            return claim.replay(print_).response(replayed=True)
        async with gone_if_refused(objects, key):
            answer = await _added(act, told, received, key)
        async with act.gateway.database.tenant(act.tenant) as tx:
            await claim.keep(tx, print_, answer)
    return answer.response()


@router.get(
    "/custom-models",
    summary="List models and what serves",
    responses=responses.errors(),
    openapi_extra=needs(Permission.CUSTOM_MODELS_READ),
)
async def list_models(ask: Asking) -> CustomModelPage:
    """Models of your own with all their versions, and which of them renders your images."""
    found = await ask.service(contract.ListCustomModels())
    return CustomModelPage.model_validate(found.model_dump())


@router.get(
    "/custom-models/{custom_model_id}",
    summary="Get a model",
    responses=responses.errors(404),
    openapi_extra=needs(Permission.CUSTOM_MODELS_READ),
)
async def get_model(custom_model_id: ModelPath, ask: Asking) -> CustomModel:
    """With its versions; `reason` says why one was refused."""
    found = await ask.service(contract.GetCustomModel(model_id=custom_model_id))
    return CustomModel.model_validate(found.model_dump())


@router.delete(
    "/custom-models/{custom_model_id}",
    status_code=204,
    summary="Delete a model",
    responses=responses.errors(404),
    openapi_extra=needs(Permission.CUSTOM_MODELS_WRITE),
)
async def delete_model(custom_model_id: ModelPath, ask: Asking) -> None:
    """With all its files; images that it would have rendered go to the platform's own model."""
    await ask.service(contract.DeleteCustomModel(model_id=custom_model_id))


@router.put(
    "/custom-models/rollout",
    summary="Roll a version out",
    responses=responses.errors(402, 404, 409, 413),
    openapi_extra=needs(Permission.CUSTOM_MODELS_WRITE),
)
async def roll_out(body: NewRollout, ask: Asking) -> Rollout:
    """Of a share of your photos, told apart by their content, or of all. Within seconds on every worker."""
    now = await ask.service(contract.RollOutModel(sha256=body.sha256, share=body.share))
    return Rollout.model_validate(now.model_dump())


@router.post(
    "/custom-models/rollback",
    summary="Roll back",
    response_model=Rollout,
    responses=responses.errors(409),
    openapi_extra=needs(Permission.CUSTOM_MODELS_WRITE),
)
async def roll_back(act: Acting) -> Response:
    """Ends a try; without one, brings back what was live before, in the end the platform's own model."""

    async def work() -> Answer:
        now = await act.service(contract.RollBackModel())
        return Answer(200, Rollout.model_validate(now.model_dump()).model_dump(mode="json"))

    return await act.once(work)


def _told(received: Received) -> NewModel:
    try:
        return NewModel.model_validate(received.options)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(("model", *map(str, first["loc"])))
        raise Invalid(f"{field}: {first['msg']}", field=field) from None


async def _added(act: Act, told: NewModel, received: Received, key: str) -> Answer:
    query = contract.AddModelVersion(
        name=told.name,
        card=told.model_dump(include={"input", "output", "hint"}, exclude_none=True),
        key=key,
        sha256=received.sha256,
        size=received.size,
    )
    made = CustomModel.model_validate((await act.service(query)).model_dump())
    location = {"Location": f"{act.links.base}/custom-models/{made.id}"}
    return Answer(202, made.model_dump(mode="json"), location)
