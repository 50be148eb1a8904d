"""What the API shows: the contracts of the services with links, and without what is of the inside."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Generic, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from libs.common.contracts import batch as contract
from libs.common.contracts.batch import Failure, ImageStatus, Note
from libs.common.contracts.ids import BatchId, DeliveryId, EndpointId, ImageId
from libs.common.contracts.inference import FileKind, Finding, Landmarks, StoredFile, Verdict
from libs.common.contracts.options import GarmentChoice
from libs.common.contracts.providers import RouteTaken
from libs.common.contracts.webhooks import Attempt, DeliveryStatus, WebhookType
from services.gateway import examples

Item = TypeVar("Item")


class Links:
    """Makes addresses below `base`, such as https://api.example.com."""

    def __init__(self, base: str) -> None:
        self.base = base.rstrip("/") + "/api/v1"

    def batch(self, batch_id: BatchId) -> BatchLinks:
        url = f"{self.base}/batches/{batch_id}"
        return BatchLinks(
            self_=url, images=f"{url}/images", events=f"{url}/events", results=f"{url}/results.zip"
        )

    def image(self, image_id: ImageId, batch_id: BatchId) -> ImageLinks:
        url = f"{self.base}/images/{image_id}"
        return ImageLinks(self_=url, result=f"{url}/result", batch=f"{self.base}/batches/{batch_id}")

    def file(self, image_id: ImageId, kind: FileKind, name: str) -> str:
        return f"{self.base}/images/{image_id}/{kind.value}s/{name}"


def shown(example: dict[str, Any]) -> ConfigDict:
    return ConfigDict(frozen=True, json_schema_extra={"examples": [example]})


class _Links(BaseModel):
    model_config = ConfigDict(frozen=True, populate_by_name=True, serialize_by_alias=True)

    self_: str = Field(alias="self", json_schema_extra={"format": "uri"})


class BatchLinks(_Links):
    """Where to go from a batch."""

    images: str
    events: str
    results: str


class ImageLinks(_Links):
    """Where to go from an image."""

    result: str
    batch: str


class Batch(BaseModel):
    """A batch of photos. `progress` goes from 0 to 1; `round` counts retries, from 1."""

    model_config = shown(examples.BATCH)

    id: BatchId
    status: contract.BatchStatus
    options: dict[str, Any] = Field(description="Options of the render, defaults included.")
    test: bool = Field(description="Sent with a test key: small, with a watermark, and not billed.")
    counts: contract.Counts
    progress: float
    round: int
    failure: Failure | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    links: BatchLinks

    @classmethod
    def of(cls, batch: contract.Batch, links: Links) -> Self:
        return cls.model_validate({**batch.model_dump(), "links": links.batch(batch.id)})


class File(BaseModel):
    """A rendition or an artefact of an image; `url` is where to download it."""

    model_config = ConfigDict(frozen=True)

    name: str
    media_type: str
    size: int
    sha256: str
    width: int
    height: int
    url: str


class Image(BaseModel):
    """One image of a batch. `sha256` (hex), `size` (bytes), `width` and `height` are of the result.

    `paired_with` is the name of the other photo of a front and its inside shot; `note` says what there is to
    know of a photo that is no failure. `findings` are what somebody should look at, each with a box where it
    is somewhere: boxes, `landmarks` and artefacts are in pixels of the photo, upright, `photo_width` by
    `photo_height`. `preserved_fraction` is the share of the shown garment that is the photo's own pixels.
    `synthesized_fraction` is the share of what is shown that nobody photographed; where there is any, the
    file says so with the URI of an IPTC code, which is `digital_source_type`.
    `billable`: rendered, not rejected, and not the copy of another. `route` is who computed it, on whose
    account and why; `parked` is why it waits though there is room. `sequence` is its place among the batch's
    ends: the id of its event.
    """

    model_config = shown(examples.IMAGE)

    id: ImageId
    batch_id: BatchId
    position: int
    name: str
    status: ImageStatus
    test: bool
    sku: str | None
    garment: GarmentChoice | None
    paired_with: str | None
    note: Note | None
    verdict: Verdict | None
    score: float | None
    reasons: tuple[str, ...]
    findings: tuple[Finding, ...]
    preserved_fraction: float | None
    synthesized_fraction: float | None
    digital_source_type: str | None
    landmarks: Landmarks | None
    photo_width: int | None
    photo_height: int | None
    billable: bool
    failure: Failure | None
    parked: str | None
    route: RouteTaken | None
    duplicate_of: ImageId | None
    model: str | None
    media_type: str | None
    width: int | None
    height: int | None
    size: int | None
    sha256: str | None
    renditions: tuple[File, ...]
    artefacts: tuple[File, ...]
    render_ms: int | None
    sequence: int | None
    ended_at: datetime | None
    links: ImageLinks

    @classmethod
    def of(cls, image: contract.Image, links: Links) -> Self:
        known = image.model_dump(exclude={"result_key", "renditions", "artefacts"})
        return cls.model_validate(
            {
                **known,
                "renditions": _files(image, FileKind.RENDITION, image.renditions, links),
                "artefacts": _files(image, FileKind.ARTEFACT, image.artefacts, links),
                "links": links.image(image.id, image.batch_id),
            }
        )


def _files(
    image: contract.Image, kind: FileKind, files: tuple[StoredFile, ...], links: Links
) -> list[dict[str, Any]]:
    return [{**file.model_dump(), "url": links.file(image.id, kind, file.name)} for file in files]


class Endpoint(BaseModel):
    """A webhook endpoint. `disabled_reason` says why nothing is sent to it any more."""

    model_config = shown(examples.ENDPOINT)

    id: EndpointId
    url: str
    types: tuple[WebhookType, ...]
    description: str
    disabled_reason: str | None
    created_at: datetime


class EndpointWithSecret(Endpoint):
    """An endpoint with its signing secret, which is shown this once and null in a replayed answer."""

    model_config = shown({**examples.ENDPOINT, "secret": examples.SECRET})

    secret: str | None


class Delivery(BaseModel):
    """A webhook on its way to one endpoint, with every attempt."""

    model_config = shown(examples.DELIVERY)

    id: DeliveryId
    endpoint_id: EndpointId
    type: WebhookType
    status: DeliveryStatus
    created_at: datetime
    next_attempt_at: datetime | None
    attempts: tuple[Attempt, ...]


class Page(BaseModel, Generic[Item]):
    """One page of a listing. `next_cursor` goes into the next call; null on the last page."""

    items: tuple[Item, ...]
    next_cursor: str | None = None


class BatchPage(Page[Batch]):
    """Batches, newest first."""


class ImagePage(Page[Image]):
    """Images, in the order of the archive."""


class EndpointPage(Page[Endpoint]):
    """All webhook endpoints."""


class DeliveryPage(Page[Delivery]):
    """Deliveries, newest first."""
