"""A photo goes into the model's frame and the answer comes back in the photo's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.contracts.options import GarmentChoice
from services.inference.pipeline.arrays import F32, U8
from services.inference.pipeline.decode import Picture
from services.inference.pipeline.resample import reduced
from services.inference.pipeline.segment import (
    BODY,
    GARMENT,
    Hint,
    cut_out,
    hint_of,
    letterbox,
    on_white,
    segment,
)
from tests.unit.picture_samples import BODY as BODY_COLOUR
from tests.unit.picture_samples import GARMENT as GARMENT_COLOUR
from tests.unit.picture_samples import ColourSegmenter

sides = st.integers(1, 700)


@given(width=sides, height=sides)
def test_a_photo_of_any_shape_fits_the_frame(width: int, height: int) -> None:
    """It touches two opposite sides, lies on even pixels and keeps its proportions to two pixels."""
    sheet, place = letterbox(np.zeros((height, width, 3), np.uint8), 128, 96)
    assert sheet.shape == (128, 96, 3)
    assert place.height == 128 or place.width == 96
    assert all(side % 2 == 0 for side in (place.left, place.top, place.width, place.height))
    scale = min(128 / height, 96 / width)
    assert abs(place.width - max(2, width * scale)) <= 2
    assert abs(place.height - max(2, height * scale)) <= 2


def test_the_frame_is_filled_with_the_photos_own_edge() -> None:
    """No bar of another colour that a model could take for something."""
    photo = np.full((50, 200, 3), (10, 120, 200), np.uint8)
    assert np.array_equal(np.unique(letterbox(photo, 128, 96)[0].reshape(-1, 3), axis=0), [[10, 120, 200]])


@pytest.mark.parametrize(("width", "height"), [(300, 400), (400, 300), (900, 90), (61, 300)])
@pytest.mark.parametrize("coarse", [1, 2])
def test_what_is_found_lies_where_it_is_in_the_photo(width: int, height: int, coarse: int) -> None:
    """A garment in the left third and a body in the right third come back there, for both output sizes."""
    photo = np.full((height, width, 3), 230, np.uint8)
    photo[:, : width // 3] = GARMENT_COLOUR
    photo[:, -(width // 3) :] = BODY_COLOUR
    sheet, place = letterbox(photo, 256, 192)
    full = ColourSegmenter().maps(np.repeat(np.repeat(sheet, 2, 0), 2, 1)[None], [Hint.AUTO])[0]
    maps = cut_out(full[:, ::coarse, ::coarse], place, (256, 192))
    columns = maps.shape[2]
    assert abs((maps[GARMENT].mean(axis=0) > 0.5).sum() - columns / 3) <= 1
    assert abs((maps[BODY].mean(axis=0) > 0.5).sum() - columns / 3) <= 1
    assert maps[GARMENT, :, 0].min() > 0.5


def test_probabilities_cover_the_photo() -> None:
    """Through the whole stage they still add up to 1 and have the photo's proportions."""
    maps = segment(Picture(np.full((400, 200, 3), 230, np.uint8)), ColourSegmenter())
    assert maps.classes.shape == (4, 128, 64)
    assert maps.interior.shape == (128, 64)
    assert np.allclose(maps.classes.sum(axis=0), 1, atol=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (300, 1), (2, 700)])
@pytest.mark.parametrize("at", [np.s_[:16, :16], np.s_[-16:, -16:]])
def test_a_photo_narrower_than_the_maps_is_looked_at_closely(
    size: tuple[int, int], at: tuple[slice, slice]
) -> None:
    """Where the window is less than a pixel of the photo, that pixel is shown."""

    class Corner(ColourSegmenter):
        def maps(self, batch: U8, hints: Sequence[Hint]) -> F32:
            maps = np.zeros((len(batch), 5, 64, 48), np.float32)
            maps[:, GARMENT, *at] = 1
            return maps

    maps = segment(Picture(np.full((*size, 3), 230, np.uint8)), Corner(64, 48))
    assert np.isfinite(maps.classes).all()


def test_a_choice_of_garment_asks_the_model_for_it() -> None:
    """The hint reaches the segmenter, for the closer look too."""

    class Asked(ColourSegmenter):
        hints: ClassVar[list[Hint]] = []

        def maps(self, batch: U8, hints: Sequence[Hint]) -> F32:
            self.hints.extend(hints)
            return super().maps(batch, hints)

    photo = np.full((400, 300, 3), 230, np.uint8)
    photo[150:220, 120:180] = GARMENT_COLOUR
    segment(Picture(photo), Asked(), hint_of(GarmentChoice.BOTTOM))
    assert Asked.hints == [Hint.LOWER, Hint.LOWER]


def test_what_is_transparent_is_shown_to_the_model_as_white() -> None:
    """Colours hidden under alpha 0 do not count, half transparent ones count by half."""
    rgb = np.full((2, 3, 3), 100, np.uint8)
    shown = on_white(Picture(rgb, np.array([[0, 128, 255]] * 2, np.uint8)))
    assert shown[0].tolist() == [[255] * 3, [177] * 3, [100] * 3]
    assert on_white(Picture(rgb)) is rgb


@given(width=st.integers(1, 200), height=st.integers(1, 200), to=st.integers(1, 60))
def test_reducing_keeps_the_mean(width: int, height: int, to: int) -> None:
    """Halving first changes nothing about it: what is reduced by area keeps its brightness."""
    rng = np.random.default_rng(width * 1000 + height)
    pixels = rng.random((height, width), dtype=np.float32)
    size = (min(to, width), min(to, height))
    small = reduced(pixels, size)
    assert small.shape == (size[1], size[0])
    assert abs(float(small.mean()) - float(pixels.mean())) < 1e-3
