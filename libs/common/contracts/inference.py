"""Rendering (owner: the inference service). Pictures stay in object storage; messages say where."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from libs.common.contracts.ids import BatchId, ChunkId, ImageId
from libs.common.contracts.message import Body, Command, Event, Signal
from libs.common.contracts.options import RenderOptions


class Verdict(StrEnum):
    """Whether a result may go to a shop as it is."""

    PUBLISHABLE = "publishable"
    REVIEW = "review"
    REJECTED = "rejected"


class ArchivedPhoto(Body):
    """A photo inside an uploaded ZIP, read in place: `length` bytes at `offset` of object `key`."""

    kind: Literal["archived"] = "archived"
    key: str
    offset: int
    length: int
    size: int
    method: int
    crc32: int


class StoredPhoto(Body):
    """A photo that is an object of its own."""

    kind: Literal["stored"] = "stored"
    key: str
    size: int


PhotoSource = Annotated[ArchivedPhoto | StoredPhoto, Field(discriminator="kind")]


class RenderItem(Body):
    """One image of a chunk: where its photo is and where its result goes."""

    image_id: ImageId
    photo: PhotoSource
    result_key: str


class RenderImages(Command):
    """Render a chunk of one batch's images (1 to about 16)."""

    wire = "inference.render.v1"
    chunk_id: ChunkId
    batch_id: BatchId
    options: RenderOptions
    items: tuple[RenderItem, ...]


class RenderImagesNow(RenderImages):
    """The same for somebody who waits: a queue of its own, so that it overtakes every batch."""

    wire = "inference.render_now.v1"


class RenderedImage(Body):
    """A finished image. `sha256` (hex) and `size` are of the result object; times in milliseconds."""

    status: Literal["rendered"] = "rendered"
    image_id: ImageId
    result_key: str
    media_type: str
    size: int
    sha256: str
    width: int
    height: int
    verdict: Verdict
    score: float
    reasons: tuple[str, ...] = ()
    model: str
    render_ms: int


class UnrenderableImage(Body):
    """An image that failed for good, with a stable `code` and what it means in `detail`."""

    status: Literal["failed"] = "failed"
    image_id: ImageId
    code: str
    detail: str
    render_ms: int = 0


RenderOutcome = Annotated[RenderedImage | UnrenderableImage, Field(discriminator="status")]


class ImagesRendered(Event):
    """A chunk is through: one outcome for each of its images."""

    wire = "inference.rendered.v1"
    chunk_id: ChunkId
    batch_id: BatchId
    worker: str
    outcomes: tuple[RenderOutcome, ...]


class WorkerSeen(Signal):
    """A worker is alive and renders `capacity` images at a time; sent every few seconds."""

    wire = "inference.worker_seen.v1"
    worker: str
    capacity: int
