"""Decoded people are kept for few images, for a short time, and for one tenant alone."""

from __future__ import annotations

import hashlib

import pytest

from services.inference.errors import PictureRefused
from services.inference.human_models.decoded import DecodedPersons
from services.inference.pipeline.on_model.person import PersonShot
from tests.unit.dressing_scenes import as_png, person

PHOTO = as_png(person())


def shot(tenant: str = "ten_a", photo: bytes = PHOTO) -> PersonShot:
    return PersonShot(tenant, hashlib.sha256(photo).hexdigest(), photo)


def test_one_person_is_decoded_once_for_a_tenant_and_a_model() -> None:
    """Another tenant's copy of the same photo is another person."""
    held = DecodedPersons()
    assert held.of(shot(), "one@1") is held.of(shot(), "one@1")
    assert held.of(shot("ten_b"), "one@1") is not held.of(shot(), "one@1")
    assert held.of(shot(), "two@1") is not held.of(shot(), "one@1")


def test_as_many_are_kept_as_may_be() -> None:
    """By number and by bytes; the newest one always."""
    few, small = DecodedPersons(most=2), DecodedPersons(most_bytes=1)
    for tenant in ("ten_a", "ten_b", "ten_c"):
        few.of(shot(tenant), "one@1")
        small.of(shot(tenant), "one@1")
    assert (len(few), len(small)) == (2, 1)


def test_nobody_is_kept_for_long() -> None:
    """What a tenant deleted is decoded nowhere after that time."""
    held = DecodedPersons(kept_s=0.0)
    assert held.of(shot(), "one@1") is not held.of(shot(), "one@1")


def test_a_photo_that_is_none_is_refused_and_not_kept() -> None:
    """By the decoder's own code."""
    held = DecodedPersons()
    with pytest.raises(PictureRefused):
        held.of(shot(photo=b"no picture"), "one@1")
    assert len(held) == 0
