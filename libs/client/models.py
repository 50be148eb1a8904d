"""What the API answers. Fields that a newer API adds are passed over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Generic, Literal, Required, TypedDict, TypeVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class PictureOptions(TypedDict, total=False):
    """What may be asked of a picture; the API's documentation has limits and defaults.

    background: `transparent`, `#rrggbb`, or a gradient `#rrggbb..#rrggbb`. quality: 1 to 100, of lossy
    formats. size: longest side in pixels. margin: free border around a cropped garment, as a share of the
    longest side. fill: share of the tighter side that the garment takes. aspect: as `4:5`. preset: a shop's
    requirements; own_preset: those of a shop of your own.
    """

    background: str
    shadow: Literal["none", "soft", "contact"]
    format: Literal["png", "webp", "jpeg", "avif"]
    quality: int
    size: int
    margin: float
    crop: bool
    fill: float
    aspect: str
    max_enlargement: float
    dpi: int
    preset: Literal["amazon", "shopify"]
    own_preset: Mapping[str, Any]


class Rendition(PictureOptions):
    """One more picture of the same render, under its own name."""

    name: Required[str]


class RenderOptions(PictureOptions, total=False):
    """What may be asked of a render.

    render: `ghost`, or `on_model` with the id of one of your human models as `human_model`.
    hollow: show the inner back. fill_occlusions: fill what hair, hands or bags hide. align: `catalogue` for
    garments at the same scale and place, by `template`. artefacts: keep the masks beside the result.
    """

    render: Literal["ghost", "on_model"]
    human_model: str
    garment: Literal["auto", "top", "outerwear", "dress", "bottom", "all"]
    hollow: bool
    neck_label: bool
    fill_occlusions: bool
    align: Literal["none", "catalogue"]
    template: Mapping[str, Any]
    artefacts: bool
    renditions: Sequence[Rendition]


class BatchOptions(RenderOptions, total=False):
    """What may be asked of a batch. inside_pattern: endings of inside shots' names, with commas between."""

    inside_pattern: str


class Model(BaseModel):
    """Base of all that is answered: frozen, and passing over what it does not know."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Counts(Model):
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

    @property
    def ended(self) -> int:
        return self.completed + self.failed + self.refused + self.cancelled + self.paired


class Failure(Model):
    code: str
    detail: str


class Note(Model):
    code: str
    detail: str


class Box(Model):
    """A rectangle of the photo, pixels."""

    left: int
    top: int
    width: int
    height: int


class Finding(Model):
    """Something that somebody should look at, and where it is, if somewhere."""

    code: str
    detail: str
    box: Box | None = None


class File(Model):
    """A rendition or an artefact of an image."""

    name: str
    media_type: str
    size: int
    sha256: str
    width: int
    height: int
    url: str = ""


class Route(Model):
    """Who computed an image, on whose account (`payer`: tenant or platform), why, and its cost (USD)."""

    provider: str
    payer: str
    credential_id: str | None = None
    fallback: bool = False
    reason: str = ""
    cost: Decimal | None = None


class Batch(Model):
    """A batch; `status` is accepted, splitting, processing, completed, failed or cancelled.

    `test`: of a test key, so that its images are small, carry a watermark and are not billed.
    """

    id: str
    status: str
    options: Mapping[str, Any] = Field(default_factory=dict)
    test: bool = False
    counts: Counts = Counts()
    progress: float = 0
    round: int = 1
    failure: Failure | None = None
    created_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    links: Mapping[str, str] = Field(default_factory=dict)

    @property
    def ended(self) -> bool:
        return self.status in ("completed", "failed", "cancelled")


class Image(Model):
    """An image; `status` is waiting, rendering, completed, failed, refused, cancelled or paired.

    An inside shot ends as paired: it went into the result of `paired_with`. `landmarks` are x, y by name, in
    pixels of the photo. `route` is who computed it on whose account; `parked` says why it waits though there
    is room. `synthesized_fraction` is the share of what is shown that nobody photographed; where there is
    any, the file is marked with `digital_source_type`, an IPTC URI.
    """

    id: str
    batch_id: str
    position: int = 0
    name: str = ""
    status: str
    test: bool = False
    sku: str | None = None
    garment: str | None = None
    paired_with: str | None = None
    note: Note | None = None
    verdict: str | None = None
    score: float | None = None
    reasons: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    preserved_fraction: float | None = None
    synthesized_fraction: float | None = None
    digital_source_type: str | None = None
    landmarks: Mapping[str, tuple[float, float] | None] | None = None
    photo_width: int | None = None
    photo_height: int | None = None
    billable: bool = False
    failure: Failure | None = None
    parked: str | None = None
    route: Route | None = None
    duplicate_of: str | None = None
    model: str | None = None
    media_type: str | None = None
    width: int | None = None
    height: int | None = None
    size: int | None = None
    sha256: str | None = None
    renditions: tuple[File, ...] = ()
    artefacts: tuple[File, ...] = ()
    render_ms: int | None = None
    ended_at: datetime | None = None
    links: Mapping[str, str] = Field(default_factory=dict)

    @property
    def ended(self) -> bool:
        return self.status not in ("waiting", "rendering")

    @property
    def reason(self) -> str:
        """Why it did not end well, or what made the verdict what it is; empty if there is nothing to say."""
        told = self.failure or self.note
        return told.detail if told else self.parked or ", ".join(self.reasons)


Item = TypeVar("Item")


class Page(Model, Generic[Item]):
    """A page; `next_cursor` fetches the next one."""

    items: tuple[Item, ...]
    next_cursor: str | None = None


class Endpoint(Model):
    """A webhook endpoint. `secret` (`whsec_…`) is there only when it was just made or rotated."""

    id: str
    url: str
    types: tuple[str, ...] = ()
    description: str = ""
    disabled_reason: str | None = None
    secret: SecretStr | None = None
    created_at: datetime | None = None


class Attempt(Model):
    at: datetime
    duration_ms: int
    status_code: int | None = None
    error: str | None = None


class Delivery(Model):
    """A webhook on its way; `status` is pending, delivered or failed."""

    id: str
    endpoint_id: str
    type: str
    status: str
    created_at: datetime
    next_attempt_at: datetime | None = None
    attempts: tuple[Attempt, ...] = ()


class Event(Model):
    """An event of a batch's stream. `id` is what the stream resumes after."""

    id: str | None = None
    kind: str
    data: Mapping[str, Any]
