"""When a human model may be used. Pure rules."""

from __future__ import annotations

from datetime import datetime

from libs.common.contracts.batch import Failure
from libs.common.contracts.human_models import Consent, ConsentTerms, HumanModel, HumanModelStatus
from libs.common.errors import Refusal
from services.batch.human_models.errors import ConsentExpired, ConsentInvalid, HumanModelNotReady

DELETED = Failure(
    code="human_model_deleted",
    detail="The human model was deleted before the image was rendered. Send it again with another.",
)


def expired(consent: ConsentTerms, now: datetime) -> bool:
    """Whether the consent holds no longer."""
    return consent.expires_at is not None and consent.expires_at <= now


def check_terms(terms: ConsentTerms, now: datetime) -> None:
    """ConsentInvalid if it was not given yet, ConsentExpired if it is over already."""
    if terms.obtained_at > now:
        raise ConsentInvalid("The consent was obtained in the future.", field="obtained_at")
    if expired(terms, now):
        raise ConsentExpired(field="expires_at")


def unusable(model: HumanModel, now: datetime) -> Refusal | None:
    """Why nothing may be rendered with the model now; None if it may."""
    if model.status is not HumanModelStatus.READY:
        return HumanModelNotReady(_why(model), field="human_model")
    return ConsentExpired(field="human_model") if expired(model.consent, now) else None


def failure(model: HumanModel | None, now: datetime) -> Failure | None:
    """How images end that wait for a model that is gone or may not be used any more."""
    if model is None:
        return DELETED
    found = unusable(model, now)
    return Failure(code=found.code, detail=found.detail) if found else None


def with_expiry(consent: Consent, expires_at: datetime | None) -> Consent:
    """The same consent with another end. ConsentInvalid if that lies before its beginning."""
    if expires_at is not None and (expires_at.tzinfo is None or expires_at <= consent.obtained_at):
        raise ConsentInvalid("The end must lie after obtained_at.", field="consent_expires_at")
    return consent.model_copy(update={"expires_at": expires_at})


def _why(model: HumanModel) -> str:
    if model.status is HumanModelStatus.CHECKING:
        return "The human model's photo is still being checked; that takes a few seconds."
    reason = f": {model.refusal.detail}" if model.refusal else "."
    return f"The human model's photo was refused{reason}"
