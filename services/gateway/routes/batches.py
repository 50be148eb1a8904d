"""Batches: a ZIP of photos goes in, results come out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Header, Path, Query
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import Field

from libs.common.contracts import batch as contract
from libs.common.contracts.access import Permission
from libs.common.contracts.batch import BatchOptions, ImageStatus, SubmitBatch
from libs.common.contracts.ids import BatchId
from libs.common.objects import tenant_key
from services.gateway import examples, responses
from services.gateway.auth.guard import guarded_router, needs
from services.gateway.byok_views import Estimate
from services.gateway.errors import BatchNotEnded
from services.gateway.gateway import Act, Acting, Asking
from services.gateway.idempotency import Answer
from services.gateway.options import BatchQuery
from services.gateway.pages import opened, sealed
from services.gateway.progress import EventStream
from services.gateway.results import ResultsZip, all_images
from services.gateway.submissions import Command, Intake, estimate, submit
from services.gateway.uploads import Received, Taken
from services.gateway.views import Batch, BatchPage, Image, ImagePage

router = guarded_router(prefix="/api/v1", tags=["Batches"])

ARCHIVE_TYPES = ("application/zip", "application/x-zip-compressed", "application/octet-stream")
BatchPath = Annotated[BatchId, Path(description="Id of the batch.", examples=[examples.BATCH_ID])]
Cursor = Annotated[str | None, Query(max_length=200, description="`next_cursor` of the page before.")]


class ProcessQuery(BatchQuery):
    """The options of a batch, and whether it is only to be looked at."""

    dry_run: bool = Field(
        False, description="Answer with counts, routes and prices; nothing is rendered, stored or billed."
    )


@router.post(
    "/batch/process",
    status_code=202,
    summary="Render a ZIP of photos",
    response_model=Batch,
    response_description="The batch is accepted; follow its links.",
    responses={
        200: {"model": Estimate, "description": "What the batch would be, for `dry_run`."},
        **responses.errors(402, 409, 413, 415),
    },
    openapi_extra=needs(Permission.IMAGES_WRITE) | responses.upload("BatchOptions", "application/zip"),
)
async def process_batch(act: Acting, query: Annotated[ProcessQuery, Query()]) -> Response:
    """Send a ZIP, either as the raw body (options in the query) or as the part `file` of a form, with the
    options as JSON in the part `options`. Up to 8 GiB and 5,000 photos; it is streamed through.

    The answer comes as soon as the archive is stored. What is wrong with the archive as a whole shows in the
    batch's `failure`, what is wrong with one photo in that image's `failure`, while the rest goes on.

    What the plan has no room for is refused before it starts, with 402 and a `quota` that says what, how
    much, and when it begins anew; nothing of it is kept. Results of a test key are small, carry a
    watermark and are not billed; it may render 200 images a day.

    With `dry_run` the archive is looked at and deleted, and the answer is what it would come to; an
    Idempotency-Key is not used up by that.
    """
    if query.dry_run:
        found = await estimate(act, query, _taken(act))
        return JSONResponse(Estimate.model_validate(found.model_dump()).model_dump(mode="json"))
    accepted = await submit(act, query, _archive_intake(act))
    return accepted.answer.response(replayed=accepted.replayed)


def _archive_intake(act: Act) -> Intake[BatchOptions]:
    batch_id = BatchId.new()
    key = tenant_key(act.tenant, "batches", batch_id, "archive.zip")

    def command(received: Received, options: BatchOptions) -> Command:
        return SubmitBatch(
            batch_id=batch_id,
            submitted_by=act.caller.subject,
            test=act.caller.test,
            archive_key=key,
            archive_size=received.size,
            options=options,
            submitted_at=datetime.now(UTC),
        )

    def answer(command: Command) -> Answer:
        assert isinstance(command, SubmitBatch)
        batch = contract.Batch(
            id=batch_id,
            status=contract.BatchStatus.ACCEPTED,
            options=command.options,
            test=command.test,
            counts=contract.Counts(),
            progress=0,
            created_at=command.submitted_at,
        )
        shown = Batch.of(batch, act.links)
        return Answer(202, shown.model_dump(mode="json"), {"Location": shown.links.self_})

    return Intake(_taken(act), key, BatchOptions, command, answer)


def _taken(act: Act) -> Taken:
    return Taken(ARCHIVE_TYPES, act.gateway.settings.max_archive_bytes)


@router.get(
    "/batches",
    summary="List batches",
    responses=responses.errors(),
    openapi_extra=needs(Permission.IMAGES_READ),
)
async def list_batches(
    ask: Asking,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> BatchPage:
    """Newest first."""
    page = await ask.gateway.batches.list(ask.tenant, opened("batches", cursor), limit)
    items = tuple(Batch.of(batch, ask.links) for batch in page.items)
    return BatchPage(items=items, next_cursor=sealed("batches", page.next_cursor))


@router.get(
    "/batches/{batch_id}",
    summary="Get a batch",
    responses=responses.errors(404),
    openapi_extra=needs(Permission.IMAGES_READ),
)
async def get_batch(batch_id: BatchPath, ask: Asking) -> Batch:
    """How the batch stands: images by state, progress and times. A batch that ended longer ago than your plan
    keeps results is gone with all of its images, and answered like one that never was.
    """
    return Batch.of(await ask.gateway.batches.get(ask.tenant, batch_id), ask.links)


@router.get(
    "/batches/{batch_id}/images",
    summary="List the images of a batch",
    responses=responses.errors(404),
    openapi_extra=needs(Permission.IMAGES_READ),
)
async def list_images(
    batch_id: BatchPath,
    ask: Asking,
    status: Annotated[list[ImageStatus] | None, Query(description="Only images in these states.")] = None,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> ImagePage:
    """In the order of the archive."""
    page = await ask.gateway.batches.images(
        ask.tenant, batch_id, status=tuple(status or ()), cursor=opened("images", cursor), limit=limit
    )
    items = tuple(Image.of(image, ask.links) for image in page.items)
    return ImagePage(items=items, next_cursor=sealed("images", page.next_cursor))


@router.get(
    "/batches/{batch_id}/events",
    summary="Follow a batch",
    response_class=StreamingResponse,
    responses={
        200: responses.events(
            "Server-sent events.", examples.EVENTS, image="Image", progress="Batch", batch="Batch"
        ),
        **responses.errors(404),
    },
    openapi_extra=needs(Permission.IMAGES_READ),
)
async def batch_events(
    batch_id: BatchPath,
    ask: Asking,
    last_event_id: Annotated[
        int,
        Header(ge=0, le=2**31 - 1, description="Id of the last event that was received, to resume after it."),
    ] = 0,
) -> StreamingResponse:
    """Server-sent events until the batch ends: `image` for each image that ended, `progress` when the
    counts changed, and `batch` at the very end. Their `data` are an Image or a Batch. A comment comes every
    15 seconds when nothing happens. A broken stream resumes without a gap by `Last-Event-ID`.
    """
    parts = ask.gateway
    stream = EventStream(
        parts.batches,
        parts.hub,
        ask.links,
        ask.tenant,
        batch_id,
        last_event_id,
        admitted=lambda: parts.access.admits(ask.caller),
    )
    events = await stream.open()

    async def counted() -> AsyncIterator[bytes]:
        with ask.gateway.metrics.streams.track_inprogress():
            async for event in events:
                yield event

    return StreamingResponse(
        counted(),
        media_type="text/event-stream",
        headers={"X-Accel-Buffering": "no", "Cache-Control": "no-store"},
    )


@router.get(
    "/batches/{batch_id}/results.zip",
    summary="Download all results",
    response_class=StreamingResponse,
    responses={
        200: responses.content("A ZIP of the images and `manifest.json`.", "application/zip"),
        **responses.errors(404, 409),
    },
    openapi_extra=needs(Permission.IMAGES_READ),
)
async def batch_results(batch_id: BatchPath, ask: Asking) -> StreamingResponse:
    """The results under the photos' own names, made while they are sent, with `manifest.json` as the last
    entry: the batch and each of its images, with the name of its `file` or the reason why there is none.
    """
    batch = await ask.gateway.batches.get(ask.tenant, batch_id)
    if not batch.status.ended:
        raise BatchNotEnded
    images = await all_images(ask.gateway.batches, ask.tenant, batch_id)
    brand = ask.gateway.brands.of(ask.tenant).brand
    archive = await asyncio.to_thread(ResultsZip, batch, images, ask.links, brand)
    return StreamingResponse(
        archive.stream(ask.gateway.objects),
        media_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{batch_id}.zip"'},
    )


@router.post(
    "/batches/{batch_id}/cancel",
    summary="Cancel a batch",
    response_model=Batch,
    responses=responses.errors(404, 409),
    openapi_extra=needs(Permission.IMAGES_WRITE),
)
async def cancel_batch(batch_id: BatchPath, act: Acting) -> Response:
    """What waits is cancelled; what is rendering is finished and kept."""

    async def work() -> Answer:
        batch = await act.gateway.batches.cancel(act.tenant, batch_id)
        return Answer(200, Batch.of(batch, act.links).model_dump(mode="json"))

    return await act.once(work)


@router.post(
    "/batches/{batch_id}/retry",
    summary="Retry failed images",
    response_model=Batch,
    responses=responses.errors(402, 404, 409),
    openapi_extra=needs(Permission.IMAGES_WRITE),
)
async def retry_batch(batch_id: BatchPath, act: Acting) -> Response:
    """Render the failed images of an ended batch again; the others keep their results."""

    async def work() -> Answer:
        batch = await act.gateway.batches.retry(act.tenant, batch_id)
        return Answer(200, Batch.of(batch, act.links).model_dump(mode="json"))

    return await act.once(work)
