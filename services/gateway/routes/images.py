"""Single images: one photo goes in, and most often its result comes out at once."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Path, Query
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import Field

from libs.common.contracts import batch as contract
from libs.common.contracts.access import Permission
from libs.common.contracts.batch import ImageStatus, SubmitImage
from libs.common.contracts.ids import BatchId, ImageId
from libs.common.contracts.inference import FileKind
from libs.common.contracts.options import RenderOptions, RenditionName
from libs.common.objects import tenant_key
from services.gateway import examples, responses
from services.gateway.auth.guard import guarded_router, needs
from services.gateway.downloads import file_response, result_response
from services.gateway.errors import ImageFailed, ImageNotCompleted
from services.gateway.gateway import Act, Acting, Ask, Asking
from services.gateway.idempotency import REPLAYED, Answer
from services.gateway.options import RenderQuery
from services.gateway.submissions import Command, Intake, submit
from services.gateway.uploads import Received, Taken, clean_name
from services.gateway.views import Image

router = guarded_router(prefix="/api/v1", tags=["Images"])

PHOTO_TYPES = ("image/*", "application/octet-stream")
SENT_TYPES = ("image/jpeg", "image/png", "image/webp", "image/tiff", "image/avif", "image/heic")
RESULT_TYPES = ("image/png", "image/webp", "image/jpeg", "image/avif")
RECHECK_S = 0.5
"""How long a lost signal can go unnoticed while somebody waits for an image."""
_FILE_RESPONSES: responses.Responses = {
    200: responses.picture("The image.", *RESULT_TYPES),
    206: responses.picture("The range that was asked for.", *RESULT_TYPES),
    304: {"description": "If-None-Match names the file as it is."},
    **responses.errors(404, 409, 416),
}
ImagePath = Annotated[ImageId, Path(description="Id of the image.", examples=[examples.IMAGE_ID])]


class PhotoQuery(RenderQuery):
    """The options of a render, how long to wait for it, and a name for the photo."""

    wait: float = Field(20, ge=0, le=60, description="Seconds to wait for the result; 0 answers at once.")
    name: str | None = Field(
        None, max_length=255, description="Name of the photo; that of the form's file if absent."
    )


@router.post(
    "/images",
    summary="Render one photo",
    response_class=StreamingResponse,
    responses={
        200: responses.picture("The rendered image.", *RESULT_TYPES),
        202: {"model": Image, "description": "Not ready yet; follow the links."},
        **responses.errors(402, 409, 413, 415),
    },
    openapi_extra=needs(Permission.IMAGES_WRITE) | responses.upload("RenderOptions", *SENT_TYPES),
)
async def render_image(act: Acting, query: Annotated[PhotoQuery, Query()]) -> Response:
    """Send a photo of up to 50 MB and 50 megapixels, as the raw body or as the part `file` of a form. It
    goes ahead of all batches. The answer is the image itself if it is ready within `wait` seconds, else 202
    with links.

    A photo that can't be rendered is a problem with the reason as its `code`. The same request sent again
    under its Idempotency-Key waits for the same image. What the plan has no room for is refused
    with 402, and the 201st test image of a day with 429.
    """
    accepted = await submit(act, query, _photo_intake(act, query))
    batch_id, image_id = BatchId(accepted.answer.body["batch_id"]), ImageId(accepted.answer.body["id"])
    image = await _ended(act, batch_id, image_id, query.wait)
    response = _answer(image, act)
    response.headers.update(REPLAYED if accepted.replayed else {})
    return response


@router.get(
    "/images/{image_id}",
    summary="Get an image",
    responses=responses.errors(404),
    openapi_extra=needs(Permission.IMAGES_READ),
)
async def get_image(image_id: ImagePath, ask: Asking) -> Image:
    """How the image stands, and what its result is like. It is gone with its batch once that is older
    than your plan keeps results.
    """
    return Image.of(await ask.gateway.batches.image(ask.tenant, image_id), ask.links)


@router.get(
    "/images/{image_id}/result",
    summary="Download a result",
    response_class=StreamingResponse,
    responses=_FILE_RESPONSES,
    openapi_extra=needs(Permission.IMAGES_READ),
)
async def get_result(image_id: ImagePath, ask: Asking) -> Response:
    """The rendered image, with an ETag. One `Range` of bytes, `If-Range` and `If-None-Match` are honoured."""
    return result_response(await _completed(ask, image_id), ask.request, ask.gateway.objects)


@router.get(
    "/images/{image_id}/renditions/{rendition}",
    summary="Download a rendition",
    response_class=StreamingResponse,
    responses=_FILE_RESPONSES,
    openapi_extra=needs(Permission.IMAGES_READ),
)
async def get_rendition(
    image_id: ImagePath,
    rendition: Annotated[
        RenditionName, Path(description="Its name, as it was asked for.", examples=["thumb"])
    ],
    ask: Asking,
) -> Response:
    """One more picture of the same render, as the options asked for it; headers and ranges as of a result."""
    image = await _completed(ask, image_id)
    return file_response(image, FileKind.RENDITION, rendition, ask.request, ask.gateway.objects)


@router.get(
    "/images/{image_id}/artefacts/{artefact}",
    summary="Download an artefact",
    response_class=StreamingResponse,
    responses=_FILE_RESPONSES,
    openapi_extra=needs(Permission.IMAGES_READ),
)
async def get_artefact(
    image_id: ImagePath,
    artefact: Annotated[
        RenditionName, Path(description="`alpha`, `classes` or `synthesized`.", examples=["synthesized"])
    ],
    ask: Asking,
) -> Response:
    """A mask of the photo's size, kept if the options asked for artefacts; headers and ranges as of a result.

    `alpha` is the visible garment, `classes` what each pixel was taken for, and `synthesized` is white where
    the result is not the photo's own pixel.
    """
    image = await _completed(ask, image_id)
    return file_response(image, FileKind.ARTEFACT, artefact, ask.request, ask.gateway.objects)


async def _completed(ask: Ask, image_id: ImageId) -> contract.Image:
    """NotFound, ImageNotCompleted, or ImageFailed with the reason."""
    image = await ask.gateway.batches.image(ask.tenant, image_id)
    _refuse_failed(image)
    if image.status is ImageStatus.PAIRED:
        raise ImageNotCompleted(f"It is an inside shot; the result is that of {image.paired_with}.")
    if image.status is not ImageStatus.COMPLETED:
        raise ImageNotCompleted
    return image


def _photo_intake(act: Act, query: PhotoQuery) -> Intake[RenderOptions]:
    batch_id, image_id = BatchId.new(), ImageId.new()
    key = tenant_key(act.tenant, "batches", batch_id, "photo")

    def command(received: Received, options: RenderOptions) -> Command:
        return SubmitImage(
            batch_id=batch_id,
            image_id=image_id,
            submitted_by=act.caller.subject,
            test=act.caller.test,
            name=clean_name(query.name) or received.name or "image",
            photo_key=key,
            photo_size=received.size,
            options=options,
            submitted_at=datetime.now(UTC),
        )

    def answer(command: Command) -> Answer:
        assert isinstance(command, SubmitImage)
        image = contract.Image(
            id=image_id,
            batch_id=batch_id,
            position=0,
            name=command.name,
            status=ImageStatus.WAITING,
            test=command.test,
        )
        return Answer(202, Image.of(image, act.links).model_dump(mode="json"))

    taken = Taken(PHOTO_TYPES, act.gateway.settings.max_photo_bytes, picture=True)
    return Intake(taken, key, RenderOptions, command, answer)


async def _ended(act: Act, batch_id: BatchId, image_id: ImageId, seconds: float) -> contract.Image:
    """The image once it has ended, or as it is after `seconds`."""
    deadline = time.monotonic() + seconds
    with act.gateway.hub.watch(batch_id) as watch:
        while True:
            image = await act.gateway.batches.image(act.tenant, image_id)
            left = deadline - time.monotonic()
            if image.status.ended or left <= 0 or watch.closed:
                return image
            await watch.wait(min(RECHECK_S, left))


def _answer(image: contract.Image, act: Act) -> Response:
    _refuse_failed(image)
    if image.status is ImageStatus.COMPLETED:
        return result_response(image, act.request, act.gateway.objects, conditional=False)
    shown = Image.of(image, act.links)
    return JSONResponse(shown.model_dump(mode="json"), 202, headers={"Location": shown.links.self_})


def _refuse_failed(image: contract.Image) -> None:
    if image.failure is not None:
        raise ImageFailed(image.failure.detail, code=image.failure.code)
    if image.status is ImageStatus.CANCELLED:
        raise ImageFailed("The image was cancelled before it was rendered.", code="cancelled")
