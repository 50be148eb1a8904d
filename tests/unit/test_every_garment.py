"""`garment=all` shows every garment of a photo, and any other choice shows one."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from libs.common.contracts.options import GarmentChoice, RenderOptions
from services.inference.pipeline.arrays import F32, U8
from services.inference.pipeline.every_garment import told, united
from services.inference.pipeline.render import render
from services.inference.pipeline.segment import CLASSES, GARMENT, OTHER, Fit, Hint
from tests.unit.picture_samples import encoded

RED, BLUE = (160, 30, 40), (30, 60, 150)


class Wardrobe:
    """Knows tops by red and skirts by blue; the one that it was not asked for is something else."""

    name, input_size, fit = "wardrobe@1", (128, 96), Fit.LETTERBOX

    def maps(self, batch: U8, hints: Sequence[Hint]) -> F32:
        return np.stack([_seen(sheet, hint) for sheet, hint in zip(batch, hints, strict=True)])


def _seen(sheet: U8, hint: Hint) -> F32:
    near = [np.abs(sheet.astype(int) - colour).max(axis=2) < 40 for colour in (RED, BLUE)]
    top, skirt = (place.astype(np.float32) for place in near)
    garment, other = (skirt, top) if hint is Hint.LOWER else (top, skirt)
    nothing = np.zeros_like(top)
    return np.stack([1 - top - skirt, garment, nothing, other, nothing])


@pytest.mark.parametrize(
    ("choice", "shown"),
    [
        (GarmentChoice.AUTO, {"top": True, "skirt": False}),
        (GarmentChoice.TOP, {"top": True, "skirt": False}),
        (GarmentChoice.BOTTOM, {"top": False, "skirt": True}),
        (GarmentChoice.ALL, {"top": True, "skirt": True}),
    ],
)
def test_what_was_asked_for_is_shown(choice: GarmentChoice, shown: dict[str, bool]) -> None:
    """In the middle of each garment."""
    rgb = np.full((256, 192, 3), 235, np.uint8)
    rgb[40:120, 40:152], rgb[120:200, 60:132] = RED, BLUE
    result = render(encoded(rgb, "PNG"), RenderOptions(garment=choice), Wardrobe())
    alpha = np.asarray(Image.open(BytesIO(result.result.data)))[..., 3]
    assert {"top": alpha[80, 96] == 255, "skirt": alpha[160, 96] == 255} == shown


def test_only_all_is_asked_for_more_than_once() -> None:
    """One garment costs one run."""
    segmenter = Wardrobe()
    assert all(told(segmenter, choice) is segmenter for choice in GarmentChoice if choice != "all")
    assert told(segmenter, GarmentChoice.ALL).name == segmenter.name


@given(st.integers(0, 2**32 - 1))
def test_the_classes_stay_probabilities(seed: int) -> None:
    """And no answer makes less of a garment than another one said."""
    rng = np.random.default_rng(seed)
    answers = [rng.dirichlet([0.2] * 4, (1, 6, 5)).transpose(0, 3, 1, 2) for _ in range(3)]
    full = [np.concatenate([one, rng.random((1, 1, 6, 5))], 1).astype(np.float32) for one in answers]
    whole = united(full)
    assert np.allclose(whole[:, : len(CLASSES)].sum(1), 1, atol=1e-5)
    assert (whole >= -1e-6).all()
    assert (whole[:, GARMENT] >= np.max([one[:, GARMENT] for one in full], 0) - 1e-5).all()


def test_an_opening_that_another_garment_covers_is_none() -> None:
    """The waist under a shirt."""
    upper, lower = np.zeros((2, 1, 5, 4, 4), np.float32)
    upper[:, GARMENT, :2], upper[:, OTHER, 2:] = 1, 1
    lower[:, GARMENT, 2:], lower[:, OTHER, :2] = 1, 1
    lower[:, len(CLASSES), 1:3] = 1
    assert united([upper, lower])[0, len(CLASSES), :, 0].tolist() == [0, 0, 1, 0]
