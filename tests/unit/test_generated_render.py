"""A provider's drawing in a render: what is used of it, and what never is."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from libs.common.contracts.inference import Verdict
from libs.common.contracts.options import RenderOptions
from libs.common.contracts.providers import FaultCode
from services.inference.errors import PictureRefused
from services.inference.generated.render import render_generated
from services.inference.pipeline.arrays import U8
from services.inference.pipeline.decode import decode
from services.inference.pipeline.hollow import Note, Source
from services.inference.pipeline.render import Render, render
from services.inference.providers.provider import CallFailed
from tests.unit.generated_scenes import (
    MODEL,
    Painter,
    SceneSegmenter,
    ghost,
    lit,
    moved,
    painter_of,
)
from tests.unit.hollow_scenes import Scene, draw_scene, draw_skirt
from tests.unit.hollow_scenes import inside_shot as shot_of
from tests.unit.picture_samples import encoded

OPTIONS = RenderOptions(artefacts=True)


@cache
def crew() -> Scene:
    return draw_scene("crew")


@cache
def photo() -> bytes:
    return encoded(crew().rgb, "PNG")


def drawn(painter: Painter, options: RenderOptions = OPTIONS, inside: bytes | None = None) -> Render:
    return render_generated(photo(), options, SceneSegmenter(), painter.draw, inside)


def pixels(made: Render) -> U8:
    return decode(made.result.data).rgb


def codes(made: Render) -> list[str]:
    return [finding.code for finding in made.findings]


def labelled(made: Render) -> U8:
    """Where the result shows the yellow that only the drawing has, in whatever light."""
    red, green, blue = (plane.astype(int) for plane in cv2.split(pixels(made)))
    return np.asarray(np.minimum(red, green) - blue > 60, np.uint8)


def changed_pixels(made: Render, sent: bytes) -> int:
    """Visible garment pixels of the result that are not the photo's own."""
    alpha = next(file for file in made.artefacts if file.name == "alpha")
    own = decode(alpha.data).rgb[..., 0] == 255
    assert own.sum() > 1000
    return int((pixels(made)[own] != decode(sent).rgb[own]).any(axis=1).sum())


def test_the_drawn_inner_back_shows_in_the_neckline() -> None:
    """And nowhere else; the result says where it is from, and by which models."""
    made = drawn(painter_of(ghost(crew())))
    assert made.inner_back is Source.DRAWING
    assert Note.DRAWING_DOES_NOT_FIT not in codes(made)
    found = labelled(made) > 0
    assert found.sum() > 150
    assert crew().interior[found].mean() > 0.97
    assert changed_pixels(made, photo()) == 0
    assert made.model == f"scenes@1+{MODEL}"


@pytest.mark.parametrize(("x", "y", "scale"), [(7, -5, 1.0), (-9, 6, 1.03), (-14, -20, 1.08)])
def test_a_drawing_that_is_a_little_off_is_laid_where_it_belongs(x: float, y: float, scale: float) -> None:
    """Moved and enlarged, as models do: the label ends up within some px of its place."""
    straight = drawn(painter_of(ghost(crew())))
    made = drawn(painter_of(moved(ghost(crew()), x, y, scale)))
    assert made.inner_back is Source.DRAWING
    assert changed_pixels(made, photo()) == 0
    apart = np.subtract(_middle(labelled(made)), _middle(labelled(straight)))
    assert np.abs(apart).max() < 5


def test_a_drawing_in_another_light_takes_on_the_photos() -> None:
    """The seam does not show: the inner back is matched in colour by what both show of the garment."""
    straight, warm = (
        drawn(painter_of(ghost_)) for ghost_ in (ghost(crew()), lit(ghost(crew()), 1.15, 1, 0.88))
    )
    assert warm.inner_back is Source.DRAWING
    inner = crew().interior & (labelled(straight) == 0)
    inner &= np.asarray(cv2.erode(crew().interior.view(np.uint8), np.ones((9, 9))), np.bool_)
    ours, theirs = (np.median(pixels(made)[inner], axis=0) for made in (straight, warm))
    assert np.abs(ours - theirs).max() < 12


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(lambda: ghost(draw_skirt()), id="another kind"),
        pytest.param(lambda: lit(ghost(draw_scene("crew")), 3.0, 0.5, 0.3), id="another colour"),
        pytest.param(lambda: moved(ghost(draw_scene("crew")), 0, 300), id="another place"),
        pytest.param(lambda: np.full_like(draw_scene("crew").rgb, 255), id="nothing"),
        pytest.param(lambda: draw_scene("crew").rgb[::-1].copy(), id="upside down"),
    ],
)
def test_a_drawing_of_something_else_is_not_used(other: object) -> None:
    """The result is the very one that the pipeline makes alone, and a finding says so."""
    assert callable(other)
    made = drawn(painter_of(other()))
    assert codes(made)[-1] == Note.DRAWING_DOES_NOT_FIT
    assert made.verdict is not Verdict.PUBLISHABLE
    assert made.result.data == render(photo(), OPTIONS, SceneSegmenter()).result.data


def test_a_drawing_on_nothing_is_as_good_as_one_on_white() -> None:
    """Some providers cut out."""
    rgb = ghost(crew())
    alpha = np.where(crew().garment | crew().interior, np.uint8(255), np.uint8(0))
    grown = np.asarray(cv2.dilate(alpha, np.ones((3, 3), np.uint8)), np.uint8)

    def paint(sheet: U8) -> bytes:
        size = (sheet.shape[1], sheet.shape[0])
        rgba = np.dstack([rgb, grown])
        scale = size[1] / rgba.shape[0]
        large = cv2.resize(rgba, (round(rgba.shape[1] * scale), size[1]), interpolation=cv2.INTER_AREA)
        canvas = np.zeros((size[1], size[0], 4), np.uint8)
        left = (size[0] - large.shape[1]) // 2
        canvas[:, max(0, left) : max(0, left) + large.shape[1]] = large[:, : size[0]]
        return encoded(canvas, "PNG")

    made = drawn(Painter(paint))
    assert made.inner_back is Source.DRAWING
    assert (labelled(made) > 0).sum() > 150


def test_an_inside_shot_of_the_tenants_goes_first() -> None:
    """A photo of the real thing is better than any drawing of it."""
    shot = shot_of(crew(), np.array([[1, 0, 6], [0, 1, 4]], np.float32))
    made = drawn(painter_of(ghost(crew())), inside=encoded(shot.picture.rgb, "PNG"))
    assert made.inner_back is Source.INSIDE_SHOT
    assert not labelled(made).any()


def test_without_hollow_nothing_of_the_drawing_is_used() -> None:
    """The option holds for what a provider draws, too."""
    made = drawn(painter_of(ghost(crew())), RenderOptions(artefacts=True, hollow=False))
    assert made.inner_back is Source.NONE
    assert not labelled(made).any()


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"<html>no</html>", id="no picture"),
        pytest.param(encoded(draw_scene("crew").rgb, "PNG")[:4000], id="truncated"),
        pytest.param(encoded(np.full((300, 900, 3), 255, np.uint8), "PNG"), id="other proportions"),
        pytest.param(encoded(np.full((40, 30, 3), 255, np.uint8), "PNG"), id="tiny"),
        pytest.param(
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"\0\1\0\0" * 2 + b"\x08\x02\0\0\0" + b"\0" * 64, id="bomb"
        ),
    ],
)
def test_what_is_no_drawing_is_a_bad_answer(answer: bytes) -> None:
    """The provider's fault: neither the photo's nor the key's."""
    with pytest.raises(CallFailed) as failed:
        drawn(Painter(lambda _: answer))
    assert failed.value.fault.code is FaultCode.BAD_ANSWER


def test_a_photo_that_is_none_costs_no_drawing() -> None:
    """It is refused before anybody is asked."""
    painter = painter_of(ghost(crew()))
    with pytest.raises(PictureRefused):
        render_generated(photo()[:3000], OPTIONS, SceneSegmenter(), painter.draw)
    assert painter.sent == []


def test_a_drawing_is_asked_for_once_even_where_the_render_tries_twice() -> None:
    """Each one is paid for."""
    painter = painter_of(np.full_like(crew().rgb, 255))
    drawn(painter)
    assert len(painter.sent) == 1


@st.composite
def answers(draw: st.DrawFn) -> tuple[str, int, float, float, float]:
    """A way to answer, a seed, and a move."""
    ways = ("noise", "patches", "ghost", "recoloured", "transparent", "huge", "truncated", "photo", "bytes")
    return (
        draw(st.sampled_from(ways)),
        draw(st.integers(0, 2**16)),
        draw(st.floats(-60, 60)),
        draw(st.floats(-60, 60)),
        draw(st.floats(0.85, 1.2)),
    )


def hostile(sheet: U8, way: str, seed: int, x: float, y: float, scale: float) -> bytes:
    """What such a provider sends back for a sheet."""
    random = np.random.default_rng(seed)
    height, width = sheet.shape[:2]
    if way == "noise":
        return encoded(random.integers(0, 256, sheet.shape, np.uint8), "PNG")
    if way == "patches":
        patches = random.integers(0, 256, (6, 5, 3), np.uint8)
        return encoded(np.asarray(cv2.resize(patches, (width, height)), np.uint8), "JPEG")
    if way == "bytes":
        return bytes(random.integers(0, 256, 2000, np.uint8))
    if way == "photo":
        return encoded(moved(sheet, x, y, scale), "WEBP")
    pale = cv2.resize(moved(ghost(crew()), x, y, scale), (width, height))
    figure = np.asarray(pale, np.uint8)
    if way == "transparent":
        return encoded(np.dstack([figure, random.integers(0, 256, (height, width), np.uint8)]), "PNG")
    if way == "recoloured":
        return encoded(lit(figure, *random.uniform(0.3, 2.0, 3)), "PNG")
    if way == "huge":
        return encoded(np.asarray(cv2.resize(figure, (width * 3, height * 3)), np.uint8), "JPEG")
    data = encoded(figure, "PNG")
    return data[: len(data) // 2] if way == "truncated" else data


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(answers())
def test_whatever_the_provider_answers_the_visible_garment_is_the_photos(
    answer: tuple[str, int, float, float, float],
) -> None:
    """The pixel lock: bit for bit, for a drawing that fits, one that does not, and one that was never one."""
    painter = Painter(lambda sheet: hostile(sheet, *answer))
    if answer[0] in ("truncated", "bytes"):
        with pytest.raises(CallFailed):
            drawn(painter)
        return
    made = drawn(painter)
    assert changed_pixels(made, photo()) == 0


def _middle(mask: U8) -> tuple[float, float]:
    rows, columns = np.nonzero(mask)
    return float(np.median(columns)), float(np.median(rows))
