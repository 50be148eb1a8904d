"""A garment that is small in its photo is looked at closely, and the two looks fit together."""

from __future__ import annotations

import numpy as np
import pytest

from services.inference.pipeline.arrays import F32
from services.inference.pipeline.decode import Picture
from services.inference.pipeline.segment import BODY, GARMENT, segment
from services.inference.pipeline.zoom import MOST_GAIN, merged, window_of
from tests.unit.picture_samples import ColourSegmenter, draw_photo, garment_mask


def blob(height: int, width: int, rows: slice, columns: slice) -> F32:
    """A probability map, sure of a rectangle."""
    garment = np.zeros((height, width), np.float32)
    garment[rows, columns] = 0.95
    return garment


def test_a_small_garment_gets_a_window_with_room() -> None:
    """Around it, inside the photo."""
    window = window_of(blob(192, 160, slice(60, 100), slice(5, 35)))
    assert window is not None
    left, top, right, bottom = window
    assert left == 0
    assert top < 60
    assert right > 35
    assert bottom > 100


@pytest.mark.parametrize(
    "garment", [blob(192, 160, slice(10, 180), slice(20, 140)), np.zeros((192, 160), np.float32)]
)
def test_a_large_garment_or_none_is_looked_at_once(garment: F32) -> None:
    """A second look would show nothing more."""
    assert window_of(garment) is None


def test_looks_that_agree_merge_without_a_seam() -> None:
    """The merged planes are the closer look's inside, the first one's outside, and larger."""
    whole = np.linspace(0, 1, 80, dtype=np.float32)[None, None].repeat(96, 1)
    box = (20, 24, 60, 72)
    closer = np.linspace(whole[0, 0, 20], whole[0, 0, 59], 120, dtype=np.float32)[None, None].repeat(144, 1)
    planes = merged(whole, closer, box)
    assert planes.shape == (1, round(96 * MOST_GAIN), round(80 * MOST_GAIN))
    assert np.abs(np.diff(planes[0], axis=1)).max() < 0.02


def test_a_distant_garment_is_outlined_better_by_the_second_look() -> None:
    """A figure that takes a third of its photo."""
    photo = np.full((1200, 900, 3), (232, 230, 226), np.uint8)
    photo[420:820, 300:600] = draw_photo(300, 400)
    maps = segment(Picture(photo), ColourSegmenter(128, 96))
    height, width = maps.classes.shape[1:]
    assert height > 64
    truth = garment_mask(photo)
    rows, columns = (np.arange(height) * 1200 // height), (np.arange(width) * 900 // width)
    seen = maps.classes[GARMENT] > maps.classes[BODY]
    assert (seen & (maps.classes[GARMENT] > 0.5) == truth[np.ix_(rows, columns)]).mean() > 0.99
