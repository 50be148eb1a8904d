"""Photos of people on their way in, and whether images may be shown on them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import PurePath
from typing import Any

from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import ValidationError
from ulid import ULID

from libs.common.contracts import human_models as contract
from libs.common.contracts.access import Permission
from libs.common.contracts.human_models import CreateHumanModel, UseHumanModel, upload_parts
from libs.common.contracts.ids import HumanModelId
from libs.common.contracts.options import RenderOptions
from libs.common.objects import tenant_key
from services.gateway.errors import UnsupportedMedia
from services.gateway.gateway import Act, Ask
from services.gateway.human_model_views import HumanModel, NewHumanModel
from services.gateway.idempotency import Answer, Claim, fingerprint, stable_id
from services.gateway.keeping import discard, gone_if_refused, stored_or_gone
from services.gateway.uploads import MULTIPART, Received, Taken, is_form, receive

PATHS = frozenset({"/api/v1/human-models"})
PART = "consent"
_NAME_LENGTH = 120


@dataclass(frozen=True, slots=True)
class Intake:
    """A human model to be, and the object that its photo is until it has been looked at."""

    model_id: HumanModelId
    upload_key: str


async def check_person(ask: Ask, options: RenderOptions) -> None:
    """Return if images may be shown on the person that the options name, if any.

    Refusal: not in the plan, unknown or another tenant's, not ready, or without a consent that holds.
    """
    if options.human_model is not None:
        await ask.service(UseHumanModel(model_id=options.human_model))


async def take_in(act: Act) -> Response:
    """Take the request's photo and consent in. A repeated request is read and compared, and answered with the
    model as it is now.
    """
    if not is_form(act.request):
        given = act.request.headers.get("content-type", "").partition(";")[0]
        raise UnsupportedMedia(given, (MULTIPART,))
    intake = _intake(act)
    async with act.gateway.idempotency.claim(act.tenant, act.idempotency_key) as claim:
        if claim.replays:
            return await _repeated(act, claim)
        objects, key = act.gateway.objects, intake.upload_key
        async with stored_or_gone(objects, key):
            received, body = await _received(act, intake)
        async with gone_if_refused(objects, key):
            made = await act.service(_command(intake, received, body))
        await _keep(act, claim, _fingerprint(act, received, body), made.id)
        return _answer(act, made).response()


def seen(ask: Ask, model: contract.HumanModel) -> HumanModel:
    """The model as this caller may see it."""
    with_subject = Permission.HUMAN_MODELS_WRITE in ask.caller.permissions
    return HumanModel.of(model, ask.links, with_subject=with_subject)


def _intake(act: Act) -> Intake:
    """Under an Idempotency-Key each repeat has the same id, so that a lost answer makes no second one."""
    key = act.idempotency_key
    model_id = stable_id(HumanModelId, key, act.tenant) if key else HumanModelId.new()
    name = str(ULID()).lower()
    return Intake(model_id, tenant_key(act.tenant, *upload_parts(model_id, name)))


async def _received(act: Act, intake: Intake) -> tuple[Received, NewHumanModel]:
    gateway = act.gateway
    taken = Taken((), gateway.settings.max_photo_bytes, picture=True, json_part=PART)
    sink = partial(gateway.objects.put_stream, intake.upload_key)
    received = await receive(act.request, taken, sink, gateway.metrics.uploaded.inc)
    return received, _body(received)


async def _repeated(act: Act, claim: Claim) -> Response:
    taken = Taken((), act.gateway.settings.max_photo_bytes, picture=True, json_part=PART)
    received = await receive(act.request, taken, discard, act.gateway.metrics.uploaded.inc)
    first = claim.replay(_fingerprint(act, received, _body(received)))
    query = contract.GetHumanModel(model_id=HumanModelId(first.body["id"]))
    return _answer(act, await act.service(query)).response(replayed=True)


def _body(received: Received) -> NewHumanModel:
    try:
        return NewHumanModel.model_validate(received.options)
    except ValidationError as error:
        found: list[Any] = [
            {**one, "loc": ("body", PART, *one["loc"])} for one in error.errors(include_url=False)
        ]
        raise RequestValidationError(found) from None


def _command(intake: Intake, received: Received, body: NewHumanModel) -> CreateHumanModel:
    return CreateHumanModel(
        model_id=intake.model_id,
        name=body.name or _named_after(received.name),
        consent=body.terms,
        upload_key=intake.upload_key,
        upload_size=received.size,
    )


def _named_after(file: str | None) -> str:
    return PurePath(file or "").stem[:_NAME_LENGTH].strip() or "Human model"


def _fingerprint(act: Act, received: Received, body: NewHumanModel) -> str:
    """By what is in the body, not by its form: every multipart boundary is another."""
    request = act.request
    return fingerprint(request.method, request.url.path, body.model_dump_json(), received.sha256)


async def _keep(act: Act, claim: Claim, print_: str, model_id: HumanModelId) -> None:
    """Only the id: what is deleted later is not to lie among the answers for a day."""
    async with act.gateway.database.tenant(act.tenant) as tx:
        await claim.keep(tx, print_, Answer(201, {"id": model_id}))


def _answer(act: Act, model: contract.HumanModel) -> Answer:
    view = seen(act, model)
    return Answer(201, view.model_dump(mode="json"), {"Location": view.links.self_})
