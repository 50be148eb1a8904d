"""The garment's own pixels are not altered, and frame, size and ground are as asked."""

from __future__ import annotations

from io import BytesIO

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from libs.common.contracts.options import ImageFormat, RenderOptions, Shadow
from services.inference.pipeline.arrays import U8
from services.inference.pipeline.compose import compose, frame
from services.inference.pipeline.decode import Picture
from services.inference.pipeline.encode import encode
from services.inference.pipeline.hollow import Filling
from services.inference.pipeline.layers import Layers
from services.inference.pipeline.matte import matte
from services.inference.pipeline.segment import segment
from tests.unit.layer_samples import block, layers_of, noise
from tests.unit.picture_samples import ColourSegmenter, draw_photo

WHITE = "#ffffff"
backgrounds = st.sampled_from(["transparent", "#ffffff", "#000000", "#1e90ff", "#ffffff..#d0d0d0"])
alphas = np.array([0, 0, 1, 128, 254, 255, 255], np.uint8)


def cut(photo: U8) -> Layers:
    picture = Picture(photo)
    found = matte(picture, segment(picture, ColourSegmenter()))
    return Layers(picture, found, Filling(np.zeros_like(found.alpha), photo))


def disc(colour: tuple[int, int, int]) -> Layers:
    """A round garment of one colour, softly edged."""
    alpha = np.zeros((300, 300), np.uint8)
    cv2.circle(alpha, (150, 150), 100, 255, -1, lineType=cv2.LINE_AA)
    return layers_of(alpha, np.full((300, 300, 3), colour, np.uint8))


@given(
    width=st.integers(1, 80),
    height=st.integers(1, 80),
    seed=st.integers(0, 1000),
    background=backgrounds,
    shadow=st.sampled_from(Shadow),
    crop=st.booleans(),
    fill=st.none() | st.floats(0.3, 1),
    aspect=st.sampled_from([None, "1:1", "4:5", "16:9"]),
)
@settings(max_examples=200, deadline=None)
def test_the_garments_own_pixels_are_bit_identical(
    width: int,
    height: int,
    seed: int,
    background: str,
    shadow: Shadow,
    crop: bool,
    fill: float | None,
    aspect: str | None,
) -> None:
    """Where alpha is 255, through composing and a lossless file: every frame, ground, shadow and filling."""
    rng = np.random.default_rng(seed)
    alpha, filling = rng.choice(alphas, (height, width)), rng.choice(alphas, (height, width))
    layers = layers_of(alpha, noise(height, width, seed), filling)
    options = RenderOptions(background=background, shadow=shadow, crop=crop, fill=fill, aspect=aspect)
    result = np.asarray(Image.open(BytesIO(encode(compose(layers, options), options))))
    layout = frame(layers, options)
    assert layout.keeps_pixels
    left, top = layout.corner
    inside = layout.window.of(alpha) == 255
    drawn = result[top : top + layout.inner[1], left : left + layout.inner[0]]
    assert np.array_equal(drawn[inside][:, :3], layout.window.of(layers.picture.rgb)[inside])
    assert (drawn[inside][:, 3:] == 255).all()


@pytest.mark.parametrize("size", [(300, 400), (333, 251), (900, 1200)])
@pytest.mark.parametrize("background", ["transparent", WHITE])
def test_a_real_matte_alters_no_pixel_inside(size: tuple[int, int], background: str) -> None:
    """The same with a matte that the pipeline found."""
    layers = cut(draw_photo(*size))
    result = compose(layers, RenderOptions(background=background))
    inside = layers.matte.alpha == 255
    assert inside.any()
    assert np.array_equal(result[inside][:, :3], layers.picture.rgb[inside])


def test_nothing_of_the_photo_is_left_under_full_transparency() -> None:
    """Neither mannequin nor room can be brought back from the file."""
    layers = cut(draw_photo())
    result = compose(layers, RenderOptions())
    assert np.array_equal(result[..., 3], layers.matte.alpha)
    assert not result[layers.matte.alpha == 0].any()


@pytest.mark.parametrize("size", [None, 200, 700])
def test_the_ground_has_exactly_the_colour_asked_for(size: int | None) -> None:
    """In all corners, however the picture was resampled."""
    options = RenderOptions(background="#1e90ff", size=size, crop=True, margin=0.1)
    result = compose(cut(draw_photo()), options)
    for corner in (result[0, 0], result[0, -1], result[-1, 0], result[-1, -1]):
        assert corner.tolist() == [0x1E, 0x90, 0xFF]


def test_half_transparent_pixels_mix_their_own_colour_with_the_ground() -> None:
    """By weight of alpha, rounded."""
    layers = layers_of(np.array([[0, 51, 255]], np.uint8), np.full((1, 3, 3), 100, np.uint8))
    result = compose(layers, RenderOptions(background="#000000"))
    assert result[0].tolist() == [[0, 0, 0], [20, 20, 20], [100, 100, 100]]


def test_the_filling_shows_under_the_garment_only() -> None:
    """Itself where there is no garment, nothing of it under a whole one, and a mixture on the edge."""
    alpha = np.array([[0, 0, 51, 51, 255]], np.uint8)
    filling = np.array([[0, 200, 255, 0, 255]], np.uint8)
    garment, inside = np.full((1, 5, 3), 100, np.uint8), np.full((1, 5, 3), 50, np.uint8)
    result = compose(layers_of(alpha, garment, filling, inside), RenderOptions())
    expected = [[0] * 4, [50, 50, 50, 200], [60, 60, 60, 255], [100, 100, 100, 51], [100, 100, 100, 255]]
    assert result[0].tolist() == expected


def test_a_crop_holds_the_filling_too() -> None:
    """The inner back reaches higher than the front's neckline."""
    alpha = block((100, 100), 20, 40, 50, 50)
    filling = block((100, 100), 40, 30, 10, 20)
    result = compose(layers_of(alpha, filling=filling), RenderOptions(crop=True, margin=0))
    assert result.shape == (60, 50, 4)
    assert (result[0, 20:30, 3] == 255).all()


@pytest.mark.parametrize("size", [16, 333, 1000])
@pytest.mark.parametrize("crop", [True, False])
def test_the_longest_side_is_as_asked(size: int, crop: bool) -> None:
    """To the pixel, smaller or larger than the photo, with the other side in proportion."""
    result = compose(cut(draw_photo()), RenderOptions(size=size, crop=crop))
    assert max(result.shape[:2]) == size
    if not crop:
        assert result.shape[:2] == (size, round(size * 0.75))


@pytest.mark.parametrize("size", [150, 500, 900])
def test_resampling_brings_no_colour_from_outside(size: int) -> None:
    """The garment's edge stays of its colour: the black of empty pixels does not bleed in."""
    result = compose(disc((200, 180, 160)), RenderOptions(size=size))
    seen = result[result[..., 3] > 100][:, :3].astype(int)
    assert np.abs(seen - (200, 180, 160)).max() <= 4
    assert not result[result[..., 3] == 0].any()


def test_an_enlarged_garment_is_sharp_inside() -> None:
    """A step within it keeps more of its contrast than by linear interpolation."""
    photo = np.full((100, 100, 3), 80, np.uint8)
    photo[:, 50:] = 160
    result = compose(layers_of(np.full((100, 100), 255, np.uint8), photo), RenderOptions(size=200))
    linear = cv2.resize(photo, (200, 200), interpolation=cv2.INTER_LINEAR)
    assert np.diff(result[100, :, 0].astype(int)).max() > np.diff(linear[100, :, 0].astype(int)).max()


def test_jpeg_has_a_ground() -> None:
    """The options see to it; three channels reach the encoder."""
    options = RenderOptions(format=ImageFormat.JPEG, background=WHITE)
    assert compose(cut(draw_photo()), options).shape[2] == 3
