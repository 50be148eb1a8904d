"""Rendering (owner: the inference service). Pictures stay in object storage; messages say where."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from libs.common.contracts.ids import BatchId, ChunkId, HumanModelId, ImageId
from libs.common.contracts.message import Body, Command, Event, Signal
from libs.common.contracts.options import GarmentChoice, RenderOptions
from libs.common.contracts.providers import Fault, Route

MOST_FINDINGS = 16
DETAIL_LENGTH = 300
"""With these and MAX_RENDITIONS the outcomes of a chunk of 64 images fit into a message of 1 MiB."""


def _cut(detail: str) -> str:
    return detail if len(detail) <= DETAIL_LENGTH else f"{detail[: DETAIL_LENGTH - 1]}…"


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


class Torso(Body):
    """Where a person's torso is in a photo: x, y in px; left and right are those of the picture."""

    width: int
    height: int
    left_shoulder: tuple[float, float]
    right_shoulder: tuple[float, float]
    neck: tuple[float, float]
    left_waist: tuple[float, float]
    right_waist: tuple[float, float]
    left_hip: tuple[float, float]
    right_hip: tuple[float, float]


class RenderItem(Body):
    """One image of a chunk: where its photo is and where its result goes (`result_key`, and a digest of it).

    `inside` is the photo of the same garment's turned-out back, if there is one. `garment` stands instead of
    that of the chunk's options. Renditions and artefacts go beside the result (see `FileKind`).
    """

    image_id: ImageId
    photo: PhotoSource
    inside: PhotoSource | None = None
    garment: GarmentChoice | None = None
    result_key: str


class PersonSource(Body):
    """A tenant's human model: its photo (`key`, of these bytes' SHA-256, hex), and the landmarks of its torso
    if they were found when it was stored.
    """

    model_id: HumanModelId
    key: str
    sha256: str
    torso: Torso | None = None


class RenderImages(Command):
    """Render a chunk of one batch's images (1 to about 16). `test`: small, and with a watermark.

    `person` is where to find the human model that `render: on_model` shows the garment on.
    """

    wire = "inference.render.v1"
    chunk_id: ChunkId
    batch_id: BatchId
    options: RenderOptions
    items: tuple[RenderItem, ...]
    test: bool = False
    person: PersonSource | None = None


class RenderImagesNow(RenderImages):
    """The same for somebody who waits: a queue of its own, so that it overtakes every batch."""

    wire = "inference.render_now.v1"


class RenderRemotely(RenderImages):
    """Render a chunk on a tenant's own account; every image of it is on the same route."""

    wire = "inference.render_remotely.v1"
    route: Route


class RenderRemotelyNow(RenderRemotely):
    """The same for somebody who waits."""

    wire = "inference.render_remotely_now.v1"


class Box(Body):
    """A rectangle of the photo, px."""

    left: int
    top: int
    width: int
    height: int


class Finding(Body):
    """Something a person should look at: a stable `code`, what it means, and where it is, if somewhere.

    A `detail` that is too long is cut.
    """

    code: str = Field(max_length=64)
    detail: Annotated[str, AfterValidator(_cut)]
    box: Box | None = None


class Landmarks(Body):
    """Where the garment's parts are: x, y in px of the photo; None where the garment has no such part."""

    left_shoulder: tuple[float, float] | None = None
    right_shoulder: tuple[float, float] | None = None
    neck: tuple[float, float] | None = None
    left_waist: tuple[float, float] | None = None
    right_waist: tuple[float, float] | None = None
    left_hem: tuple[float, float] | None = None
    right_hem: tuple[float, float] | None = None


class FileKind(StrEnum):
    """What lies beside a result, under names of its own."""

    RENDITION = "rendition"
    ARTEFACT = "artefact"

    def key(self, result_key: str, name: str) -> str:
        """Where the file of this name lies."""
        return f"{result_key}.{self.value}.{name}"


class StoredFile(Body):
    """One more file of a result: a rendition or an artefact, by its name. `sha256` is hex, `size` bytes."""

    name: str
    media_type: str
    size: int
    sha256: str
    width: int
    height: int


class RenderedImage(Body):
    """A finished image. `sha256` (hex) and `size` are of the result object; times in milliseconds.

    `compute_ms`: what of `render_ms` the provider or the network took; None where it was not measured.

    `preserved_fraction` is the share of the shown garment that is the photo's own pixels, bit for bit; on a
    human model, the share of that person's photo. Boxes, landmarks and artefacts are at the upright photo's
    size (on a human model, at that of the person's), `photo_width` by `photo_height` px.
    `digital_source_type` is the IPTC's URI that the file holds, where it shows invented pixels:
    `synthesized_fraction` of what is shown.
    """

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
    findings: tuple[Finding, ...] = Field((), max_length=MOST_FINDINGS)
    preserved_fraction: float | None = None
    synthesized_fraction: float | None = None
    digital_source_type: str | None = None
    landmarks: Landmarks | None = None
    photo_width: int | None = None
    photo_height: int | None = None
    renditions: tuple[StoredFile, ...] = ()
    artefacts: tuple[StoredFile, ...] = ()
    model: str
    render_ms: int
    compute_ms: int | None = None


class UnrenderableImage(Body):
    """An image that failed for good, with a stable `code` and what it means in `detail`."""

    status: Literal["failed"] = "failed"
    image_id: ImageId
    code: str
    detail: str
    render_ms: int = 0


class UnroutedImage(Body):
    """An image that its route could not compute through no fault of the image: it needs another route."""

    status: Literal["unrouted"] = "unrouted"
    image_id: ImageId
    fault: Fault
    render_ms: int = 0


RenderOutcome = Annotated[RenderedImage | UnrenderableImage | UnroutedImage, Field(discriminator="status")]


class ImagesRendered(Event):
    """A chunk is through: one outcome for each of its images, all on one route (None: the platform's own)."""

    wire = "inference.rendered.v1"
    chunk_id: ChunkId
    batch_id: BatchId
    worker: str
    route: Route | None = None
    outcomes: tuple[RenderOutcome, ...]


class WorkerRole(StrEnum):
    """Computes on the platform's own hardware, or calls tenants' providers."""

    LOCAL = "local"
    REMOTE = "remote"


class WorkerSeen(Signal):
    """A worker is alive and renders `capacity` images at a time; sent every few seconds."""

    wire = "inference.worker_seen.v1"
    worker: str
    capacity: int
    role: WorkerRole = WorkerRole.LOCAL
