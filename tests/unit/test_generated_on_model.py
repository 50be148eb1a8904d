"""A generative model's drawing of a person in a garment: what of it may show, and when none of it does."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from libs.common.contracts.ids import HumanModelId
from libs.common.contracts.inference import Verdict
from libs.common.contracts.options import RenderOptions
from services.inference.generated.on_model import render_drawn_on_model
from services.inference.pipeline.arrays import U8
from services.inference.pipeline.decode import Picture, decode
from services.inference.pipeline.marks import DigitalSource
from services.inference.pipeline.on_model.person import Person
from services.inference.pipeline.render import Render
from services.inference.providers.provider import Drawing
from tests.unit.dressing_scenes import NEW, OLD, PeopleSegmenter, as_png, person, top

MODEL = "painter-1"


def drawn(paint: Callable[[U8], U8], sent: list[bytes] | None = None) -> Render:
    """Rendered with what `paint` makes of the sheet that shows the person."""
    options = RenderOptions(render="on_model", human_model=HumanModelId.new(), artefacts=True)

    def draw(garment: bytes, wearer: bytes, media_type: str) -> Drawing:
        if sent is not None:
            sent.extend([garment, wearer])
        return Drawing(as_png(paint(decode(wearer).rgb)), "image/png", MODEL)

    return render_drawn_on_model(as_png(top()), options, PeopleSegmenter(), Person(Picture(person())), draw)


def repainted(sheet: U8) -> U8:
    """The old garment in the new one's colour: what a good drawing does."""
    out = sheet.copy()
    out[np.linalg.norm(sheet.astype(float) - OLD, axis=-1) < 70] = NEW
    return out


def altered(sheet: U8) -> U8:
    """The same, and a face, a background and hands of its own."""
    out = repainted(sheet).astype(float)
    marks = np.zeros(sheet.shape[:2], np.uint8)
    cv2.circle(marks, (sheet.shape[1] // 2, sheet.shape[0] // 8), 12, 1, -1)
    marks[-30:, :30] = 1
    out[marks > 0] = (250, 40, 40)
    return np.asarray(np.clip(out, 0, 255), np.uint8)


def test_a_drawing_shows_where_the_garment_is_and_nowhere_else() -> None:
    """Face, hands and background are the photo's, whatever was drawn there."""
    render, wearer = drawn(altered), person()
    result = decode(render.result.data).rgb
    synthesized = next(file.data for file in render.artefacts if file.name == "synthesized")
    changed = np.asarray(cv2.imdecode(np.frombuffer(synthesized, np.uint8), cv2.IMREAD_UNCHANGED)) > 0
    assert (result[~changed] == wearer[~changed]).all()
    assert (result[:130] == wearer[:130]).all()
    assert not (np.linalg.norm(result.astype(float) - (250, 40, 40), axis=-1) < 40).any()
    assert np.abs(result[300, 240].astype(int) - NEW).max() < 12


def test_a_drawn_garment_is_for_somebody_to_look_at_and_says_who_drew_it() -> None:
    """Its pixels are no photo's."""
    render = drawn(repainted)
    assert "on_model_drawn" in [finding.code for finding in render.findings]
    assert render.verdict is not Verdict.PUBLISHABLE
    assert render.model == f"people@1+{MODEL}"
    assert render.digital_source is DigitalSource.COMPOSITE_WITH_TRAINED


def test_a_drawing_of_something_else_is_not_used() -> None:
    """Another person's photo, or another garment: the platform's own fit stands, and a finding says so."""
    for paint in (lambda sheet: np.roll(255 - sheet, 60, axis=1), lambda sheet: sheet):
        render = drawn(paint)
        assert "on_model_drawing_not_used" in [finding.code for finding in render.findings]
        assert render.digital_source is DigitalSource.COMPOSITE_SYNTHETIC
        result = decode(render.result.data).rgb
        assert np.abs(result[300, 240].astype(int) - NEW).max() < 25


def test_two_photos_are_sent_and_neither_says_anything_else() -> None:
    """The garment's and the person's, as plain JPEG."""
    sent: list[bytes] = []
    drawn(repainted, sent)
    assert len(sent) == 2
    assert all(data.startswith(b"\xff\xd8") and b"Exif" not in data for data in sent)
