"""The garment's own pixels are not altered, and frame, size and ground are as asked."""

from __future__ import annotations

from io import BytesIO

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from libs.common.contracts.options import ImageFormat, RenderOptions
from services.inference.pipeline.arrays import U8
from services.inference.pipeline.compose import compose
from services.inference.pipeline.crop import lay_out
from services.inference.pipeline.decode import Picture
from services.inference.pipeline.encode import encode
from services.inference.pipeline.limits import MAX_PIXELS, MAX_SIDE
from services.inference.pipeline.matte import Matte, matte, mixed_pixels
from services.inference.pipeline.segment import segment
from tests.unit.picture_samples import ColourSegmenter, draw_photo

WHITE = "#ffffff"
backgrounds = st.sampled_from(["transparent", "#ffffff", "#000000", "#1e90ff"])


def cut(photo: U8) -> tuple[Picture, Matte]:
    picture = Picture(photo)
    return picture, matte(picture, segment(picture, ColourSegmenter()))


def with_alpha(alpha: U8, seed: int = 0) -> tuple[Picture, Matte]:
    """A picture of noise under a given alpha; noise, so that no pixel can be mistaken for its neighbour."""
    noise = np.random.default_rng(seed).integers(0, 256, (*alpha.shape, 3), np.uint8)
    edge = mixed_pixels(alpha)
    return Picture(noise), Matte(alpha, edge, noise.reshape(-1, 3)[edge])


@given(
    width=st.integers(1, 80),
    height=st.integers(1, 80),
    seed=st.integers(0, 1000),
    background=backgrounds,
    crop=st.booleans(),
    margin=st.floats(0, 0.5),
)
@settings(max_examples=150, deadline=None)
def test_the_garments_own_pixels_are_bit_identical(
    width: int, height: int, seed: int, background: str, crop: bool, margin: float
) -> None:
    """Where alpha is 255, through composing and a lossless file, for every frame and every ground."""
    rng = np.random.default_rng(seed)
    alpha = rng.choice(np.array([0, 0, 1, 128, 254, 255, 255], np.uint8), (height, width))
    picture, found = with_alpha(alpha, seed)
    options = RenderOptions(background=background, crop=crop, margin=margin)
    result = np.asarray(Image.open(BytesIO(encode(compose(picture, found, options), options))))
    layout = lay_out(alpha, options)
    left, top = layout.corner
    inside = layout.window.of(alpha) == 255
    drawn = result[top : top + layout.inner[1], left : left + layout.inner[0]]
    assert np.array_equal(drawn[inside][:, :3], layout.window.of(picture.rgb)[inside])


@pytest.mark.parametrize("size", [(300, 400), (333, 251), (900, 1200)])
@pytest.mark.parametrize("background", ["transparent", WHITE])
def test_a_real_matte_alters_no_pixel_inside(size: tuple[int, int], background: str) -> None:
    """The same with a matte that the pipeline found."""
    picture, found = cut(draw_photo(*size))
    result = compose(picture, found, RenderOptions(background=background))
    inside = found.alpha == 255
    assert inside.any()
    assert np.array_equal(result[inside][:, :3], picture.rgb[inside])


def test_nothing_of_the_photo_is_left_under_full_transparency() -> None:
    """Neither mannequin nor room can be brought back from the file."""
    picture, found = cut(draw_photo())
    result = compose(picture, found, RenderOptions())
    assert np.array_equal(result[..., 3], found.alpha)
    assert not result[found.alpha == 0].any()


@pytest.mark.parametrize("size", [None, 200, 700])
def test_the_ground_has_exactly_the_colour_asked_for(size: int | None) -> None:
    """In all corners, however the picture was resampled."""
    picture, found = cut(draw_photo())
    result = compose(picture, found, RenderOptions(background="#1e90ff", size=size, crop=True, margin=0.1))
    for corner in (result[0, 0], result[0, -1], result[-1, 0], result[-1, -1]):
        assert corner.tolist() == [0x1E, 0x90, 0xFF]


def test_half_transparent_pixels_mix_their_own_colour_with_the_ground() -> None:
    """By weight of alpha, rounded."""
    alpha = np.array([[0, 51, 255]], np.uint8)
    picture = Picture(np.full((1, 3, 3), 200, np.uint8))
    found = Matte(alpha, mixed_pixels(alpha), np.full((1, 3), 100, np.uint8))
    result = compose(picture, found, RenderOptions(background="#000000"))
    assert result[0].tolist() == [[0, 0, 0], [20, 20, 20], [200, 200, 200]]


@pytest.mark.parametrize("size", [16, 333, 1000])
@pytest.mark.parametrize("crop", [True, False])
def test_the_longest_side_is_as_asked(size: int, crop: bool) -> None:
    """To the pixel, smaller or larger than the photo, with the other side in proportion."""
    picture, found = cut(draw_photo())
    result = compose(picture, found, RenderOptions(size=size, crop=crop))
    assert max(result.shape[:2]) == size
    if not crop:
        assert result.shape[:2] == (size, round(size * 0.75))


@pytest.mark.parametrize("size", [150, 900])
def test_resampling_brings_no_colour_from_outside(size: int) -> None:
    """The garment's edge stays of its colour: the black of empty pixels does not bleed in."""
    alpha = np.zeros((300, 300), np.uint8)
    cv2.circle(alpha, (150, 150), 100, 255, -1, lineType=cv2.LINE_AA)
    picture = Picture(np.full((300, 300, 3), (200, 180, 160), np.uint8))
    edge = mixed_pixels(alpha)
    found = Matte(alpha, edge, picture.rgb.reshape(-1, 3)[edge])
    result = compose(picture, found, RenderOptions(size=size))
    seen = result[result[..., 3] > 100][:, :3].astype(int)
    assert np.abs(seen - (200, 180, 160)).max() <= 4
    assert not result[result[..., 3] == 0].any()


@given(
    left=st.integers(0, 50),
    top=st.integers(0, 50),
    width=st.integers(1, 50),
    height=st.integers(1, 50),
    margin=st.floats(0, 0.5),
)
def test_a_crop_is_the_garment_and_its_margin(
    left: int, top: int, width: int, height: int, margin: float
) -> None:
    """The same border on all four sides, a share of the garment's longest side, even beyond the photo."""
    alpha = np.zeros((100, 100), np.uint8)
    alpha[top : top + height, left : left + width] = 255
    layout = lay_out(alpha, RenderOptions(crop=True, margin=margin))
    border = round(margin * max(width, height))
    window = layout.window
    assert (window.left, window.top, window.width, window.height) == (left, top, width, height)
    assert layout.outer == (width + 2 * border, height + 2 * border)
    assert layout.corner == (border, border)
    assert layout.keeps_pixels


def test_without_a_garment_a_crop_keeps_the_photos_frame() -> None:
    """There is nothing to crop to."""
    layout = lay_out(np.zeros((40, 30), np.uint8), RenderOptions(crop=True))
    assert layout.outer == (30, 40)


@pytest.mark.parametrize("shape", [(7000, 7000), (4, MAX_SIDE)])
def test_a_wide_margin_stays_within_the_limits_of_a_picture(shape: tuple[int, int]) -> None:
    """The result is made smaller rather than larger than what we would take ourselves."""
    alpha = np.full(shape, 255, np.uint8)
    layout = lay_out(alpha, RenderOptions(crop=True, margin=0.5))
    assert max(layout.outer) <= MAX_SIDE
    assert layout.outer[0] * layout.outer[1] <= MAX_PIXELS * 1.001


def test_jpeg_has_a_ground() -> None:
    """The options see to it; three channels reach the encoder."""
    picture, found = cut(draw_photo())
    options = RenderOptions(format=ImageFormat.JPEG, background=WHITE)
    assert compose(picture, found, options).shape[2] == 3
