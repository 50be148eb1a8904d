"""Batches and their images (owner: the batch service)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from libs.common.contracts.ids import BatchId, ImageId
from libs.common.contracts.inference import Finding, Landmarks, StoredFile, Verdict
from libs.common.contracts.message import Body, Command, Event, Query, Signal
from libs.common.contracts.options import GarmentChoice, RenderOptions
from libs.common.contracts.providers import RouteTaken

InsidePattern = Annotated[
    str,
    Field(
        max_length=200,
        pattern=r"^ *[^\W_]+([ _-][^\W_]+)* *(, *[^\W_]+([ _-][^\W_]+)* *){0,15}$",
        description="Endings by which a photo's name says that it shows the garment's inner back, as in "
        "`SKU_inside.jpg` beside `SKU_front.jpg`; with commas between.",
    ),
]
"""Words and not an expression of the sender's: no name can be made to take long."""
INSIDE_PATTERN = "inside,inner_back,back_inside"


class BatchOptions(RenderOptions):
    """Options of a batch: those of a render, and how the photos of its archive belong together."""

    inside_pattern: InsidePattern = INSIDE_PATTERN

    def of_each(self) -> RenderOptions:
        """What every single render has to know of them."""
        return RenderOptions.model_validate(self.model_dump(exclude={"inside_pattern"}))


class BatchKind(StrEnum):
    """`single` batches hold the one image of `POST /images` and are not listed as batches."""

    ARCHIVE = "archive"
    SINGLE = "single"


class BatchStatus(StrEnum):
    """A batch is `accepted`, split into images, processed, and ends in one of the last three."""

    ACCEPTED = "accepted"
    SPLITTING = "splitting"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        return self in (BatchStatus.COMPLETED, BatchStatus.FAILED, BatchStatus.CANCELLED)


class ImageStatus(StrEnum):
    """An image waits for its turn, renders, and ends in one of the others.

    `refused` never could be rendered (not a picture, a symlink, …); `failed` was tried and may be retried.
    `paired` is an inside shot that went into the result of its front.
    """

    WAITING = "waiting"
    RENDERING = "rendering"
    COMPLETED = "completed"
    FAILED = "failed"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    PAIRED = "paired"

    @property
    def ended(self) -> bool:
        return self not in (ImageStatus.WAITING, ImageStatus.RENDERING)


class Counts(Body):
    """Images of a batch by state; `duplicates` of them share another's result and are billed with it.

    `parked` of the waiting ones have no route now: see the reason of each.

    `rejected` are those of the completed that are no good; `billable` those that count on the bill: rendered,
    not rejected, and no duplicate.
    """

    total: int = 0
    waiting: int = 0
    parked: int = 0
    rendering: int = 0
    completed: int = 0
    failed: int = 0
    refused: int = 0
    cancelled: int = 0
    paired: int = 0
    duplicates: int = 0
    rejected: int = 0
    billable: int = 0


class Failure(Body):
    """Why something ended badly: a stable code, and in words what it means and what to do."""

    code: str
    detail: str


class Note(Body):
    """Something to know of a photo that is no failure: a stable code, and what it means."""

    code: str
    detail: str


class Batch(Body):
    """A batch as its owner sees it. `progress` goes from 0 to 1; `round` counts retries, from 1.

    `test`: of a test key, so that its images are small, carry a watermark and are not billed.
    """

    id: BatchId
    status: BatchStatus
    options: BatchOptions
    test: bool = False
    counts: Counts
    progress: float
    round: int = 1
    failure: Failure | None = None
    created_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None


class Image(Body):
    """An image as its owner sees it. `result_key` and `sha256` are set once it is completed.

    `paired_with` is the name of the other photo of a front and its inside shot. `preserved_fraction` is the
    share of the shown garment that is the photo's own pixels; `synthesized_fraction` that of invented ones in
    what is shown, and `digital_source_type` the IPTC's URI that the file holds where there are any. Boxes and
    landmarks are in px of the photo.
    """

    id: ImageId
    batch_id: BatchId
    position: int
    name: str
    status: ImageStatus
    test: bool = False
    sku: str | None = None
    garment: GarmentChoice | None = None
    paired_with: str | None = None
    note: Note | None = None
    verdict: Verdict | None = None
    score: float | None = None
    reasons: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    preserved_fraction: float | None = None
    synthesized_fraction: float | None = None
    digital_source_type: str | None = None
    landmarks: Landmarks | None = None
    photo_width: int | None = None
    photo_height: int | None = None
    billable: bool = False
    failure: Failure | None = None
    parked: str | None = Field(
        None, description="Why the image waits though there is room: no route may take it."
    )
    route: RouteTaken | None = None
    duplicate_of: ImageId | None = None
    model: str | None = None
    media_type: str | None = None
    width: int | None = None
    height: int | None = None
    size: int | None = None
    sha256: str | None = None
    result_key: str | None = None
    renditions: tuple[StoredFile, ...] = ()
    artefacts: tuple[StoredFile, ...] = ()
    render_ms: int | None = None
    sequence: int | None = Field(
        None, description="Place among the batch's ends; what event streams resume after."
    )
    ended_at: datetime | None = None


class BatchPage(Body):
    """`next_cursor` goes into the next call; None at the end."""

    items: tuple[Batch, ...]
    next_cursor: str | None = None


class ImagePage(Body):
    items: tuple[Image, ...]
    next_cursor: str | None = None


class SubmitBatch(Command):
    """Split the uploaded ZIP at `archive_key` and render its photos."""

    wire = "batch.submit.v1"
    batch_id: BatchId
    submitted_by: str = Field(max_length=100)
    test: bool = False
    archive_key: str
    archive_size: int
    options: BatchOptions
    submitted_at: datetime


class SubmitImage(Command):
    """Render the one uploaded photo at `photo_key`, ahead of all batches."""

    wire = "batch.submit_image.v1"
    batch_id: BatchId
    image_id: ImageId
    submitted_by: str = Field(max_length=100)
    test: bool = False
    name: str
    photo_key: str
    photo_size: int
    options: RenderOptions
    submitted_at: datetime


class GetBatch(Query[Batch]):
    wire = "batch.get.v1"
    reply = Batch
    batch_id: BatchId


class ListBatches(Query[BatchPage]):
    """Newest first. A page may hold less than `limit`."""

    wire = "batch.list.v1"
    reply = BatchPage
    cursor: str | None = None
    limit: int = Field(50, ge=1, le=200)


class ListImages(Query[ImagePage]):
    """In the archive's order; `status` narrows to some states. A page may hold less than `limit`."""

    wire = "batch.list_images.v1"
    reply = ImagePage
    batch_id: BatchId
    status: tuple[ImageStatus, ...] = ()
    cursor: str | None = None
    limit: int = Field(100, ge=1, le=500)


class GetImage(Query[Image]):
    wire = "batch.get_image.v1"
    reply = Image
    image_id: ImageId


class BatchEvents(Body):
    """What happened after a sequence number: images that ended, in order, and how the batch stands.

    `more`: other images ended after these.
    """

    batch: Batch
    images: tuple[Image, ...]
    more: bool = False


class ListBatchEvents(Query[BatchEvents]):
    wire = "batch.list_events.v1"
    reply = BatchEvents
    batch_id: BatchId
    after: int = Field(0, ge=0, le=2**31 - 1)
    limit: int = Field(200, ge=1, le=500)


class CancelBatch(Query[Batch]):
    """What waits is cancelled, what renders is finished; an ended batch stays as it is (conflict)."""

    wire = "batch.cancel.v1"
    reply = Batch
    batch_id: BatchId


class RetryBatch(Query[Batch]):
    """Render the failed images of an ended batch again; the others keep their results."""

    wire = "batch.retry.v1"
    reply = Batch
    batch_id: BatchId


class BatchCompleted(Event):
    """Every image of the batch has ended; sent once a round."""

    wire = "batch.completed.v1"
    batch: Batch


class BatchFailed(Event):
    """The batch held nothing that could be rendered, or its archive was refused."""

    wire = "batch.failed.v1"
    batch: Batch


class BatchCancelled(Event):
    wire = "batch.cancelled.v1"
    batch: Batch


class ImagesCompleted(Event):
    """Images of one batch that ended, completed or failed, in one go."""

    wire = "batch.images_completed.v1"
    batch_id: BatchId
    images: tuple[Image, ...]


class BatchProgressed(Signal):
    """Something in the batch changed; whoever shows it asks for the events after its last sequence."""

    wire = "batch.progressed.v1"
    batch_id: BatchId
    sequence: int
    status: BatchStatus
