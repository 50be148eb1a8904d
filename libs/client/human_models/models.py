"""What the API takes and answers about human models."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NotRequired, TypedDict

from pydantic import Field

from libs.client.models import Failure, Model


class ConsentTerms(TypedDict):
    """What the person in the photo agreed to; moments with their offset from UTC.

    scope: uses, channels, territories. reference: where you keep the signed document. expires_at: None or
    absent: without an end.
    """

    subject_name: str
    scope: str
    obtained_at: datetime
    reference: str
    expires_at: NotRequired[datetime | None]


class Consent(Model):
    """The same as it is kept, and who declared it. `subject_name` is None for keys that may only look."""

    subject_name: str | None = Field(None, repr=False)
    scope: str = Field("", repr=False)
    obtained_at: datetime
    expires_at: datetime | None = None
    reference: str = Field("", repr=False)
    declared_by: Mapping[str, str] = Field(default_factory=dict)


class HumanModel(Model):
    """A person on whom garments can be shown; `status` is checking, ready or refused.

    `torso` is x, y by name, in pixels of the photo as it is kept.
    """

    id: str
    name: str = Field("", repr=False)
    status: str
    refusal: Failure | None = None
    media_type: str | None = None
    width: int | None = None
    height: int | None = None
    size: int | None = None
    sha256: str | None = None
    torso: Mapping[str, Any] | None = None
    consent: Consent
    created_at: datetime
    links: Mapping[str, str] = Field(default_factory=dict)
