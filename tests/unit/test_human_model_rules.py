"""When a human model may be used, and what becomes of a photo that is kept."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from PIL import Image

from libs.common.contracts.access import Actor, ActorKind
from libs.common.contracts.human_models import Consent, ConsentTerms, HumanModel, HumanModelStatus, Refused
from libs.common.contracts.ids import HumanModelId
from services.batch.human_models import rules
from services.batch.human_models.errors import ConsentExpired, ConsentInvalid, HumanModelNotReady
from services.inference.human_models.clean import cleaned
from services.inference.renderer import OnnxRendererFactory
from training.photos import sample_photo

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def consent(**other: object) -> Consent:
    told: dict[str, object] = {
        "subject_name": "Planted Name",
        "scope": "Planted scope",
        "obtained_at": NOW - DAY,
        "reference": "HR-1",
        "declared_by": Actor(kind=ActorKind.USER, id="usr_1"),
    }
    return Consent.model_validate(told | other)


def model(status: HumanModelStatus = HumanModelStatus.READY, **other: object) -> HumanModel:
    refusal = Refused(code="person_several", detail="Two.") if status is HumanModelStatus.REFUSED else None
    return HumanModel(
        id=HumanModelId.new(),
        name="Planted Title",
        status=status,
        refusal=refusal,
        consent=consent(**other),
        created_at=NOW,
    )


@pytest.mark.parametrize(
    ("ends_in", "usable"),
    [(None, True), (timedelta(seconds=1), True), (timedelta(0), False), (-DAY / 2, False)],
)
def test_a_consent_holds_until_its_end(ends_in: timedelta | None, usable: bool) -> None:
    """At its end it is over."""
    ends = None if ends_in is None else NOW + ends_in
    refusal = rules.unusable(model(expires_at=ends), NOW)
    assert (refusal is None) is usable
    assert refusal is None or isinstance(refusal, ConsentExpired)
    assert refusal is None or (refusal.status, refusal.code) == (409, "consent_expired")


@pytest.mark.parametrize("status", [HumanModelStatus.CHECKING, HumanModelStatus.REFUSED])
def test_only_a_ready_model_is_used(status: HumanModelStatus) -> None:
    """And the reason of a refusal is told."""
    refusal = rules.unusable(model(status), NOW)
    assert isinstance(refusal, HumanModelNotReady)
    assert ("Two." in refusal.detail) is (status is HumanModelStatus.REFUSED)


def test_waiting_images_end_by_what_became_of_their_model() -> None:
    """Deleted, expired, or nothing at all."""
    gone, over = rules.failure(None, NOW), rules.failure(model(expires_at=NOW), NOW)
    assert gone is not None
    assert over is not None
    assert (gone.code, over.code) == ("human_model_deleted", "consent_expired")
    assert rules.failure(model(), NOW) is None


def test_a_consent_of_the_future_or_the_past_is_none() -> None:
    """When it is declared; and no later end lies before its beginning."""
    with pytest.raises(ConsentInvalid):
        rules.check_terms(consent(obtained_at=NOW + DAY), NOW)
    with pytest.raises(ConsentExpired):
        rules.check_terms(consent(expires_at=NOW), NOW)
    with pytest.raises(ConsentInvalid):
        rules.with_expiry(consent(), NOW - DAY)
    with pytest.raises(ConsentInvalid):
        rules.with_expiry(consent(), datetime(2027, 1, 1))  # noqa: DTZ001  # which is what is refused
    assert rules.with_expiry(consent(expires_at=NOW), None).expires_at is None


def test_no_repr_tells_who_is_in_the_photo() -> None:
    """Logs and errors are made of them."""
    shown = repr(model()) + repr(ConsentTerms.model_validate(consent().model_dump(exclude={"declared_by"})))
    assert "Planted" not in shown
    assert "HR-1" not in shown


def _png(rgba: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(rgba).save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize(("most_bytes", "media_type"), [(10**9, "image/png"), (0, "image/jpeg")])
def test_a_photo_is_kept_pixel_by_pixel_unless_that_is_too_large(most_bytes: int, media_type: str) -> None:
    """A JPEG of it has no transparency, and lies on white."""
    rgb = sample_photo(0, (600, 450))[0]
    alpha = np.full(rgb.shape[:2], 255, np.uint8)
    alpha[:20, :20] = 0
    factory = OnnxRendererFactory(provider="cpu")
    with factory.sessions().lease(factory.model) as segmenter:
        kept = cleaned(_png(np.dstack((rgb, alpha))), segmenter, most_bytes)
    assert kept.photo.media_type == media_type
    assert kept.photo.size == len(kept.data)
    with Image.open(io.BytesIO(kept.data)) as image:
        pixels = np.asarray(image)
    if media_type == "image/png":
        assert np.array_equal(pixels, np.dstack((rgb, alpha)))
    else:
        assert pixels[:15, :15].min() > 240
        assert np.abs(pixels[100:].astype(int) - rgb[100:]).mean() < 4
