"""Garments on people through a tenant's account: what it can do decides how, and a child asks its parent."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import numpy as np
import pytest

from libs.common.contracts.ids import HumanModelId
from libs.common.contracts.options import RenderOptions
from libs.common.contracts.providers import Ability
from services.inference.errors import PictureRefused
from services.inference.models.pool import Sessions
from services.inference.pipeline.decode import decode
from services.inference.pipeline.on_model.person import PersonShot
from services.inference.providers.provider import Drawing, Tensors
from services.inference.remote.apart import answered
from services.inference.remote.renderer import RemoteRenderer
from services.inference.shots import Shots
from tests.unit.dressing_scenes import NEW, OLD, PeopleSegmenter, as_png, person, top

PERSON = as_png(person())
SHOTS = Shots(as_png(top()), person=PersonShot("ten_a", hashlib.sha256(PERSON).hexdigest(), PERSON))


class Account:
    """Draws the old garment in the new one's colour; `dressed`: what it was sent."""

    def __init__(self) -> None:
        self.dressed: list[tuple[bytes, bytes, str]] = []

    def segment(self, inputs: Tensors, outputs: Sequence[str]) -> Tensors:
        raise NotImplementedError

    def draw(self, photo: bytes, media_type: str) -> Drawing:
        raise NotImplementedError

    def dress(self, photo: bytes, person: bytes, media_type: str) -> Drawing:
        self.dressed.append((photo, person, media_type))
        sheet = decode(person).rgb.copy()
        sheet[np.linalg.norm(sheet.astype(float) - OLD, axis=-1) < 70] = NEW
        return Drawing(as_png(sheet), "image/png", "painter-1")


class People:
    """Sessions whose every model is the drawings' own segmenter."""

    @contextmanager
    def lease(self, reference: str) -> Iterator[PeopleSegmenter]:
        yield PeopleSegmenter()


def renderer() -> RemoteRenderer:
    return RemoteRenderer(cast("Any", None), cast("Sessions", People()), "people")


def options() -> RenderOptions:
    return RenderOptions(render="on_model", human_model=HumanModelId.new())


def test_an_account_that_draws_people_gets_both_photos() -> None:
    """As JPEG, once; the result has its drawing under the lock."""
    account = Account()
    render = renderer().render(account, Ability.ON_MODEL, SHOTS, options())
    assert [media_type for *_, media_type in account.dressed] == ["image/jpeg"]
    assert render.model == "people@1+painter-1"
    result = decode(render.result.data).rgb
    assert (result[:130] == person()[:130]).all()
    assert np.abs(result[300, 240].astype(int) - NEW).max() < 20


def test_nobody_to_wear_it_is_refused_before_anything_is_drawn() -> None:
    """No call is paid for."""
    account = Account()
    with pytest.raises(PictureRefused):
        renderer().render(account, Ability.ON_MODEL, Shots(as_png(top())), options())
    assert account.dressed == []


def test_a_child_asks_its_parent_to_dress_somebody() -> None:
    """The call is the parent's."""
    account = Account()
    drawing = answered(account, ("dress", b"garment", PERSON, "image/png"))
    assert isinstance(drawing, Drawing)
    assert account.dressed == [(b"garment", PERSON, "image/png")]
