"""The mark of test keys: seen on any ground, small, and on nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from libs.common.contracts.options import RenderOptions
from services.inference.pipeline.arrays import U8
from services.inference.pipeline.encode import encode
from services.inference.pipeline.watermark import LONGEST, is_trial, marked, shrunk, trial

SEEN = 40
"""Levels of 255 that an eye makes out at a glance."""


def flat(level: int, *, alpha: int | None = None, size: tuple[int, int] = (1600, 1200)) -> U8:
    """A ground of one grey."""
    channels = [level] * 3 + ([] if alpha is None else [alpha])
    return np.full((*size, len(channels)), channels, np.uint8)


@pytest.mark.parametrize("level", [0, 16, 64, 128, 192, 240, 255])
def test_the_mark_is_seen_on_every_ground(level: int) -> None:
    """In each ninth of the picture, so that no crop is without it."""
    changed = np.abs(marked(flat(level)).astype(int) - level).max(axis=2) > SEEN
    height, width = changed.shape
    for top in range(3):
        for left in range(3):
            part = changed[top * height // 3 : (top + 1) * height // 3, left * width // 3 :][:, : width // 3]
            assert part.mean() > 0.03


def test_on_transparent_ground_the_mark_is_opaque_enough_to_stay() -> None:
    """Laid over light or dark afterwards it is still seen."""
    result = marked(flat(0, alpha=0))
    alpha, colour = result[..., 3], result[..., :3]
    assert (alpha > 100).mean() > 0.1
    assert (alpha == 0).mean() > 0.3
    ink = alpha > 100
    assert (colour[ink] > 200).any()
    assert (colour[ink] < 60).any()


def test_over_an_opaque_picture_with_alpha_the_alpha_stays() -> None:
    """Only the colour is marked."""
    result = marked(flat(200, alpha=255))
    assert (result[..., 3] == 255).all()
    assert np.array_equal(result[..., :3], marked(flat(200)))


@pytest.mark.parametrize("size", [(3000, 2000), (2000, 3000), (1024, 1024), (300, 200), (17, 9), (1, 1)])
def test_no_side_is_longer_than_1024(size: tuple[int, int]) -> None:
    """In proportion; what is smaller keeps its size."""
    height, width = marked(flat(90, size=size)).shape[:2]
    assert max(height, width) == min(LONGEST, max(size))
    assert abs(height / width - size[0] / size[1]) < 0.01


def test_the_picture_itself_is_not_touched() -> None:
    """The judgement and the live render hold the same pixels."""
    for pixels in (flat(120), flat(120, alpha=7)):
        before = pixels.copy()
        marked(pixels)
        assert np.array_equal(pixels, before)


def test_the_same_picture_gives_the_same_bytes() -> None:
    """Marked twice, encoded twice."""
    one, two = (encode(marked(flat(33, size=(200, 150))), RenderOptions()) for _ in range(2))
    assert one == two


def test_classes_are_never_averaged() -> None:
    """A smaller map of numbers holds none that the large one does not."""
    classes = np.zeros((3000, 2000), np.uint8)
    classes[:, 1000:] = 4
    assert set(np.unique(shrunk(classes, classes=True))) == {0, 4}


def test_options_of_a_test_stay_what_they_were() -> None:
    """But that they say so, also once an image has its own garment."""
    options = RenderOptions(preset="shopify", artefacts=True)
    asked = trial(options)
    assert asked.model_dump() == options.model_dump()
    assert is_trial(asked)
    assert is_trial(asked.model_copy(update={"crop": True}))
    assert not is_trial(options)
