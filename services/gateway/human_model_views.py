"""Human models as the API takes and shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from libs.common.contracts import human_models as contract
from libs.common.contracts.access import ActorKind
from libs.common.contracts.human_models import ConsentTerms, HumanModelStatus, ModelName, Refused
from libs.common.contracts.ids import HumanModelId
from libs.common.contracts.inference import Torso
from services.gateway.views import Links, shown

HUMAN_MODEL_ID = "hum_01hzy3k5v7m9q2w4x6z8b0c1d8"
_API = "https://api.example.com/api/v1"
CONSENT: dict[str, Any] = {
    "subject_name": "Alex Example",
    "scope": "Product pictures in the online shop and its newsletters, worldwide.",
    "obtained_at": "2026-02-01T10:00:00Z",
    "expires_at": "2029-02-01T00:00:00Z",
    "reference": "HR-2026-0142",
}
NEW_HUMAN_MODEL: dict[str, Any] = {"name": "Alex, front", **CONSENT}
HUMAN_MODEL: dict[str, Any] = {
    "id": HUMAN_MODEL_ID,
    "name": "Alex, front",
    "status": "ready",
    "refusal": None,
    "media_type": "image/png",
    "width": 1600,
    "height": 2400,
    "size": 5_310_224,
    "sha256": "4d0c0d2f5a5c7f3b1f6a7f0f8f7d2f8c5b9a6b0f6c7b1a2d3e4f5a6b7c8d9e0f",
    "torso": {
        "width": 1600,
        "height": 2400,
        "left_shoulder": [520.0, 610.0],
        "right_shoulder": [1080.0, 612.0],
        "neck": [800.0, 560.0],
        "left_waist": [590.0, 1160.0],
        "right_waist": [1012.0, 1160.0],
        "left_hip": [565.0, 1450.0],
        "right_hip": [1035.0, 1450.0],
    },
    "consent": {**CONSENT, "declared_by": {"kind": "user", "id": "usr_01hzy3k5v7m9q2w4x6z8b0c1d9"}},
    "created_at": "2026-03-01T09:30:00Z",
    "links": {
        "self": f"{_API}/human-models/{HUMAN_MODEL_ID}",
        "photo": f"{_API}/human-models/{HUMAN_MODEL_ID}/photo",
    },
}


class NewHumanModel(ConsentTerms):
    """The consent of the person in the photo, and a name for the model; that of the file if absent."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [NEW_HUMAN_MODEL]})

    name: ModelName | None = Field(None, repr=False, description="What you call the model.")

    @property
    def terms(self) -> ConsentTerms:
        return ConsentTerms.model_validate(self.model_dump(exclude={"name"}))


class HumanModelChange(BaseModel):
    """What is absent stays as it is."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"consent_expires_at": "2031-02-01T00:00:00Z"}]}
    )

    name: ModelName | None = Field(None, repr=False)
    consent_expires_at: datetime | None = Field(
        None, description="Until when the consent holds; null: without an end."
    )


class Declarant(BaseModel):
    """Who said that the person agreed."""

    kind: ActorKind
    id: str


class Consent(BaseModel):
    """What the person agreed to. `subject_name` is null for callers who may only look."""

    subject_name: str | None
    scope: str
    obtained_at: datetime
    expires_at: datetime | None
    reference: str
    declared_by: Declarant


class HumanModelLinks(BaseModel):
    """Where to go from a human model."""

    model_config = ConfigDict(frozen=True, populate_by_name=True, serialize_by_alias=True)

    self_: str = Field(alias="self", json_schema_extra={"format": "uri"})
    photo: str


class HumanModel(BaseModel):
    """A person on whom garments can be shown, once it is `ready`. Torso and measures are px of the photo as
    it is kept; `left` and `right` are the picture's.
    """

    model_config = shown(HUMAN_MODEL)

    id: HumanModelId
    name: str
    status: HumanModelStatus
    refusal: Refused | None
    media_type: str | None
    width: int | None
    height: int | None
    size: int | None
    sha256: str | None
    torso: Torso | None
    consent: Consent
    created_at: datetime
    links: HumanModelLinks

    @classmethod
    def of(cls, model: contract.HumanModel, links: Links, *, with_subject: bool) -> Self:
        """with_subject: whether the caller may know who is in the photo."""
        url = f"{links.base}/human-models/{model.id}"
        fields = model.model_dump(exclude={"consent"})
        consent = model.consent.model_dump(exclude={"declared_by": {"ip", "request_id", "acting_for"}})
        if not with_subject:
            consent["subject_name"] = None
        where = HumanModelLinks(self_=url, photo=f"{url}/photo")
        return cls.model_validate({**fields, "consent": consent, "links": where})


class HumanModelPage(BaseModel):
    """A page; `next_cursor` goes into the next call."""

    items: tuple[HumanModel, ...]
    next_cursor: str | None = None
