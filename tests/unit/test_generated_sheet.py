"""The sheet that a generative model is sent: no larger than allowed, of proportions that it can draw."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from services.inference.generated.ground import cover_of
from services.inference.generated.sheet import MAX_BYTES, MAX_SIDE, lay_on_sheet
from services.inference.pipeline.decode import Picture
from services.inference.providers.proportions import Proportion, nearest, of_photo
from tests.unit.layer_samples import noise


@settings(max_examples=40, deadline=None)
@given(st.integers(40, 900), st.integers(40, 900), st.integers(128, 600))
def test_a_sheet_has_proportions_that_can_be_drawn(width: int, height: int, most: int) -> None:
    """Whatever the photo's are; all of the photo is on it."""
    sheet = lay_on_sheet(Picture(np.full((height, width, 3), 120, np.uint8)), most)
    assert max(sheet.size) <= most
    closest = nearest(*sheet.size)
    assert sheet.size[0] / sheet.size[1] == pytest.approx(closest.ratio, rel=0.03)
    assert 0 <= sheet.photo.left <= sheet.photo.right <= sheet.size[0] + 1
    assert 0 <= sheet.photo.top <= sheet.photo.bottom <= sheet.size[1] + 1
    with Image.open(BytesIO(sheet.data)) as image:
        assert (image.size, image.format) == (sheet.size, "JPEG")


def test_a_photo_of_such_proportions_fills_its_sheet() -> None:
    """Nothing is added around it."""
    sheet = lay_on_sheet(Picture(noise(400, 300)))
    assert (sheet.photo.left, sheet.photo.top, sheet.photo.size) == (0, 0, (300, 400))
    assert sheet.size == (300, 400)


def test_what_is_added_looks_like_the_photos_border() -> None:
    """A model draws on a plain ground what it sees on one."""
    rgb = np.full((200, 60, 3), (200, 210, 220), np.uint8)
    rgb[80:120, 20:40] = 0
    sheet = lay_on_sheet(Picture(rgb))
    with Image.open(BytesIO(sheet.data)) as image:
        corner = np.asarray(image.convert("RGB"))[5, 2]
    assert np.abs(corner.astype(int) - (200, 210, 220)).max() < 6


def test_a_sheet_of_noise_is_small_enough_to_be_sent() -> None:
    """Nothing compresses worse; providers have a limit in bytes."""
    sheet = lay_on_sheet(Picture(noise(2600, 2600)))
    assert len(sheet.data) <= MAX_BYTES
    assert sheet.size == (MAX_SIDE, MAX_SIDE)


def test_a_sheet_carries_no_metadata() -> None:
    """Only pixels and the profile that they are in leave for a provider."""
    with Image.open(BytesIO(lay_on_sheet(Picture(noise(90, 120))).data)) as image:
        assert not image.getexif()
        assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density", "icc_profile"}


def test_transparent_parts_of_a_photo_are_sent_as_white() -> None:
    """What lies under full transparency is no part of it."""
    rgb, alpha = np.zeros((60, 60, 3), np.uint8), np.zeros((60, 60), np.uint8)
    with Image.open(BytesIO(lay_on_sheet(Picture(rgb, alpha)).data)) as image:
        assert np.asarray(image.convert("RGB")).min() > 250


@pytest.mark.parametrize("proportion", list(Proportion))
def test_each_proportion_is_its_own_nearest(proportion: Proportion) -> None:
    """By the header of an encoded photo as well."""
    width, height = proportion.value[0] * 40, proportion.value[1] * 40
    assert nearest(width, height) is proportion
    data = BytesIO()
    Image.new("RGB", (width, height)).save(data, "JPEG")
    assert of_photo(data.getvalue()) is proportion


def test_a_header_that_can_not_be_read_leaves_the_choice_to_the_provider() -> None:
    """It is no error."""
    assert of_photo(b"no picture") is None


def test_a_figure_on_a_plain_ground_is_all_that_is_not_ground() -> None:
    """Also where it has the ground's colour inside."""
    rgb = np.full((80, 80, 3), 252, np.uint8)
    rgb[20:60, 20:60] = 90
    rgb[35:45, 35:45] = 252
    cover = cover_of(Picture(rgb), np.zeros((80, 80), np.uint8))
    assert (cover[20:60, 20:60] == 255).all()
    assert cover.sum() == 255 * 40 * 40


def test_without_a_plain_ground_the_networks_word_stands() -> None:
    """There is nothing else to go by."""
    garment = np.zeros((80, 80), np.uint8)
    garment[10:20] = 255
    assert cover_of(Picture(noise(80, 80)), garment) is garment
