"""Frames: a crop, a margin, a fill and an aspect give what they say, and never cut the garment."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.contracts.formats import ratio
from libs.common.contracts.options import RenderOptions
from services.inference.pipeline.crop import Layout, Window, lay_out
from services.inference.pipeline.limits import MAX_PIXELS, MAX_SIDE

PHOTO = (1500, 2000)
garments = st.builds(
    Window, st.integers(0, 600), st.integers(0, 800), st.integers(200, 900), st.integers(200, 1200)
)
aspects = st.sampled_from(["1:1", "4:5", "5:4", "2:3", "16:9", "1:3", "9:1"])
sizes = st.none() | st.integers(800, 4000)


def off_centre(layout: Layout) -> int:
    """By how much the borders on opposite sides differ at most, px."""
    right = layout.outer[0] - layout.inner[0] - layout.corner[0]
    bottom = layout.outer[1] - layout.inner[1] - layout.corner[1]
    return max(abs(right - layout.corner[0]), abs(bottom - layout.corner[1]))


@given(garment=garments, margin=st.floats(0, 0.5))
def test_a_crop_is_the_garment_and_its_margin(garment: Window, margin: float) -> None:
    """The same border on all four sides, a share of the garment's longest side, even beyond the photo."""
    layout = lay_out(PHOTO, garment, RenderOptions(crop=True, margin=margin))
    border = round(margin * max(garment.size))
    assert layout.window == garment
    assert layout.outer == (garment.width + 2 * border, garment.height + 2 * border)
    assert layout.corner == (border, border)
    assert layout.keeps_pixels


@given(garment=garments, fill=st.floats(0.2, 1), aspect=st.none() | aspects, size=sizes)
def test_the_garment_fills_the_tighter_side_as_asked(
    garment: Window, fill: float, aspect: str | None, size: int | None
) -> None:
    """Within 1 %, whatever the aspect and the size."""
    layout = lay_out(PHOTO, garment, RenderOptions(fill=fill, aspect=aspect, size=size))
    shares = [inner / outer for inner, outer in zip(layout.inner, layout.outer, strict=True)]
    nearest = min(abs(share - fill) for share in shares)
    assert nearest <= max(0.01, 1 / min(layout.outer))
    assert max(shares) <= fill + max(0.01, 1 / min(layout.outer))


@given(garment=garments, aspect=aspects, crop=st.booleans(), fill=st.none() | st.floats(0.2, 1), size=sizes)
def test_an_aspect_is_met_within_a_pixel(
    garment: Window, aspect: str, crop: bool, fill: float | None, size: int | None
) -> None:
    """By adding ground: the window stays whole, and in the middle."""
    layout = lay_out(PHOTO, garment, RenderOptions(aspect=aspect, crop=crop, fill=fill, size=size))
    width, height = layout.outer
    wanted = ratio(aspect)
    assert abs(width - height * wanted) <= max(1, wanted) or abs(height - width / wanted) <= 1
    assert layout.inner[0] <= width
    assert layout.inner[1] <= height
    assert off_centre(layout) <= 1
    if size:
        assert max(layout.outer) == size


@given(garment=garments, size=sizes, most=st.floats(1, 3))
def test_no_garment_is_enlarged_beyond_its_limit(garment: Window, size: int | None, most: float) -> None:
    """The picture is then smaller than asked."""
    layout = lay_out(PHOTO, garment, RenderOptions(crop=True, size=size, max_enlargement=most))
    assert layout.inner[1] <= round(garment.height * most)
    assert layout.scale <= most


def test_without_a_garment_a_crop_keeps_the_photos_frame() -> None:
    """There is nothing to crop to."""
    assert lay_out((30, 40), None, RenderOptions(crop=True)).outer == (30, 40)
    assert lay_out((30, 40), None, RenderOptions(fill=0.5)).outer == (30, 40)


@pytest.mark.parametrize("photo", [(7000, 7000), (MAX_SIDE, 4)])
@pytest.mark.parametrize(
    "wide",
    [{"margin": 0.5, "crop": True}, {"aspect": "9999:1"}, {"fill": 0.1}, {"size": 8192, "aspect": "1:1"}],
)
def test_added_ground_stays_within_the_limits_of_a_picture(
    photo: tuple[int, int], wide: dict[str, object]
) -> None:
    """The result is made smaller rather than larger than what we would take ourselves."""
    layout = lay_out(photo, Window(0, 0, *photo), RenderOptions.model_validate(wide))
    assert max(layout.outer) <= MAX_SIDE
    assert layout.outer[0] * layout.outer[1] <= MAX_PIXELS * 1.001
