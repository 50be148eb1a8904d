"""What the API answers. Fields that a newer API adds are passed over."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Generic, Literal, TypedDict, TypeVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class RenderOptions(TypedDict, total=False):
    """What may be asked of a render; the API's documentation has limits and defaults.

    background: `transparent` or `#rrggbb`. quality: 1 to 100, of webp and jpeg. size: longest side in
    pixels. margin: free border around a cropped garment, as a share of the longest side.
    """

    background: str
    format: Literal["png", "webp", "jpeg"]
    quality: int
    size: int
    margin: float
    crop: bool


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Counts(_Model):
    total: int = 0
    waiting: int = 0
    rendering: int = 0
    completed: int = 0
    failed: int = 0
    refused: int = 0
    cancelled: int = 0
    duplicates: int = 0

    @property
    def ended(self) -> int:
        return self.completed + self.failed + self.refused + self.cancelled


class Failure(_Model):
    code: str
    detail: str


class Batch(_Model):
    """A batch; `status` is accepted, splitting, processing, completed, failed or cancelled."""

    id: str
    status: str
    options: Mapping[str, Any] = Field(default_factory=dict)
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


class Image(_Model):
    """An image; `status` is waiting, rendering, completed, failed, refused or cancelled."""

    id: str
    batch_id: str
    position: int = 0
    name: str = ""
    status: str
    verdict: str | None = None
    score: float | None = None
    reasons: tuple[str, ...] = ()
    failure: Failure | None = None
    duplicate_of: str | None = None
    model: str | None = None
    media_type: str | None = None
    width: int | None = None
    height: int | None = None
    size: int | None = None
    sha256: str | None = None
    render_ms: int | None = None
    ended_at: datetime | None = None
    links: Mapping[str, str] = Field(default_factory=dict)

    @property
    def ended(self) -> bool:
        return self.status not in ("waiting", "rendering")

    @property
    def reason(self) -> str:
        """Why it did not end well, or what made the verdict what it is; empty if there is nothing to say."""
        return self.failure.detail if self.failure else ", ".join(self.reasons)


Item = TypeVar("Item")


class Page(_Model, Generic[Item]):
    """A page; `next_cursor` fetches the next one."""

    items: tuple[Item, ...]
    next_cursor: str | None = None


class Endpoint(_Model):
    """A webhook endpoint. `secret` (`whsec_…`) is there only when it was just made or rotated."""

    id: str
    url: str
    types: tuple[str, ...] = ()
    description: str = ""
    disabled_reason: str | None = None
    secret: SecretStr | None = None
    created_at: datetime | None = None


class Attempt(_Model):
    at: datetime
    duration_ms: int
    status_code: int | None = None
    error: str | None = None


class Delivery(_Model):
    """A webhook on its way; `status` is pending, delivered or failed."""

    id: str
    endpoint_id: str
    type: str
    status: str
    created_at: datetime
    next_attempt_at: datetime | None = None
    attempts: tuple[Attempt, ...] = ()


class Event(_Model):
    """An event of a batch's stream. `id` is what the stream resumes after."""

    id: str | None = None
    kind: str
    data: Mapping[str, Any]
