"""Human models: photos of people that a tenant has the rights to, which wear its garments in `on_model`
renders (owner: the batch service; the inference service looks at the photos).
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from libs.common.contracts.access import Actor
from libs.common.contracts.ids import HumanModelId
from libs.common.contracts.inference import Torso
from libs.common.contracts.message import Body, Command, Event, Query, Signal

MAX_HUMAN_MODELS = 1_000
_LINE = r"^[^\u0000-\u001f\u007f]*[^\s\u0000-\u001f\u007f][^\u0000-\u001f\u007f]*$"
_TEXT = r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]*$"
ModelName = Annotated[str, Field(min_length=1, max_length=120, pattern=_LINE)]


def photo_parts(model_id: HumanModelId) -> tuple[str, ...]:
    """Where the clean photo lies below the tenant's own prefix."""
    return ("human-models", model_id, "photo")


def upload_parts(model_id: HumanModelId, name: str) -> tuple[str, ...]:
    """Where the photo lies as it was sent, until it has been looked at."""
    return ("human-models", model_id, "uploads", name)


class HumanModelStatus(StrEnum):
    """`checking` until the photo has been looked at; only a `ready` one can wear anything."""

    CHECKING = "checking"
    READY = "ready"
    REFUSED = "refused"


class Refused(Body):
    """Why a photo can't be a human model: a stable code, and what to do about it."""

    code: str
    detail: str


class ConsentTerms(Body):
    """What the person in the photo agreed to. `reference` finds the signed document at the tenant's.

    `subject_name` is shown to the tenant alone, and is in no log, audit entry or repr.
    """

    subject_name: str = Field(
        min_length=1, max_length=200, pattern=_LINE, repr=False, description="Who is in the photo."
    )
    scope: str = Field(
        min_length=1,
        max_length=2_000,
        pattern=_TEXT,
        repr=False,
        description="What the person agreed to: uses, channels, territories.",
    )
    obtained_at: datetime = Field(description="When the person agreed.")
    expires_at: datetime | None = Field(
        None, description="Until when it holds; afterwards nothing more is rendered with the model."
    )
    reference: str = Field(
        min_length=1,
        max_length=200,
        pattern=_LINE,
        repr=False,
        description="Where you keep the signed consent, such as a document number.",
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.obtained_at.tzinfo is None or (self.expires_at and self.expires_at.tzinfo is None):
            raise ValueError("obtained_at and expires_at need an offset from UTC, such as Z")
        if self.expires_at is not None and self.expires_at <= self.obtained_at:
            raise ValueError("expires_at must lie after obtained_at")
        return self


class Consent(ConsentTerms):
    """The same as it is kept. `declared_by`: who said so, and is answerable for it."""

    declared_by: Actor


class HumanModel(Body):
    """A person on whom garments can be shown. Measures, `sha256` (hex) and torso are of the clean photo, and
    are there once it is `ready`; `refusal` is there once it is `refused`.
    """

    id: HumanModelId
    name: str = Field(repr=False)
    status: HumanModelStatus
    refusal: Refused | None = None
    media_type: str | None = None
    width: int | None = None
    height: int | None = None
    size: int | None = None
    sha256: str | None = None
    torso: Torso | None = None
    consent: Consent
    created_at: datetime


class HumanModelPage(Body):
    """`next_cursor` goes into the next call; None at the end."""

    items: tuple[HumanModel, ...]
    next_cursor: str | None = None


class CreateHumanModel(Query[HumanModel]):
    """Take the photo at `upload_key` for checking; the same id again gives one that is there and ready."""

    wire = "batch.create_human_model.v1"
    reply = HumanModel
    model_id: HumanModelId
    name: ModelName = Field(repr=False)
    consent: ConsentTerms
    upload_key: str
    upload_size: int


class ListHumanModels(Query[HumanModelPage]):
    """Newest first. A page may hold less than `limit`."""

    wire = "batch.list_human_models.v1"
    reply = HumanModelPage
    cursor: str | None = None
    limit: int = Field(50, ge=1, le=200)


class GetHumanModel(Query[HumanModel]):
    wire = "batch.get_human_model.v1"
    reply = HumanModel
    model_id: HumanModelId


class UseHumanModel(Query[HumanModel]):
    """Whether images may be rendered with it now: in the plan, there, ready, its consent not expired."""

    wire = "batch.use_human_model.v1"
    reply = HumanModel
    model_id: HumanModelId


class UpdateHumanModel(Query[HumanModel]):
    """What is None stays as it is. `clear_expiry`: the consent holds without an end."""

    wire = "batch.update_human_model.v1"
    reply = HumanModel
    model_id: HumanModelId
    name: ModelName | None = Field(None, repr=False)
    consent_expires_at: datetime | None = None
    clear_expiry: bool = False


class HumanModelGone(Body):
    """Nothing of it is left."""

    model_id: HumanModelId


class DeleteHumanModel(Query[HumanModelGone]):
    """Its photo and its rows, at once. Results that show the person stay: they are the tenant's own."""

    wire = "batch.delete_human_model.v1"
    reply = HumanModelGone
    model_id: HumanModelId


class CheckHumanModel(Command):
    """Look at the photo at `upload_key`, write a clean one to `photo_key`, and remove the first."""

    wire = "inference.check_human_model.v1"
    model_id: HumanModelId
    upload_key: str
    photo_key: str


class CleanPhoto(Body):
    """A photo that was decoded and written anew: upright, sRGB, without any metadata. `size` in bytes."""

    media_type: str
    width: int
    height: int
    size: int
    sha256: str
    torso: Torso


class HumanModelChecked(Event):
    """What was found: a clean photo at the command's `photo_key`, or why there is none."""

    wire = "inference.human_model_checked.v1"
    model_id: HumanModelId
    upload_key: str
    photo: CleanPhoto | None = None
    refusal: Refused | None = None


class HumanModelDeleted(Signal):
    """Forget the photo with this SHA-256 (hex), wherever it is held in memory."""

    wire = "batch.human_model_deleted.v1"
    model_id: HumanModelId
    sha256: str | None
