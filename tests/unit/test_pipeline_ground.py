"""Grounds and shadows: exact where they are plain, without bands where they are not."""

from __future__ import annotations

import numpy as np
import pytest

from libs.common.contracts.options import PictureFields, Shadow
from services.inference.pipeline.compose import compose
from services.inference.pipeline.ground import draw_ground
from tests.unit.layer_samples import block, layers_of

GARMENT = block((400, 500), 100, 100, 200, 300)
SHADOWS = [Shadow.SOFT, Shadow.CONTACT]


def test_a_colour_is_exact() -> None:
    """Every pixel of it."""
    assert (draw_ground("#1e90ff", (5, 7)) == (0x1E, 0x90, 0xFF)).all()
    assert draw_ground("#1e90ff", (5, 7)).shape == (7, 5, 3)


def test_a_gradient_goes_from_top_to_bottom() -> None:
    """From one colour exactly to the other, on average as steady as in real numbers."""
    ground = draw_ground("#ffffff..#c8d0e0", (64, 600))
    assert (ground[0] == 255).all()
    assert (ground[-1] == (0xC8, 0xD0, 0xE0)).all()
    ideal = np.linspace((255, 255, 255), (0xC8, 0xD0, 0xE0), 600)
    means = ground.mean(1)
    smoothed = np.stack([np.convolve(means[:, c] - ideal[:, c], np.ones(8) / 8, "valid") for c in range(3)])
    assert np.abs(smoothed).max() < 0.2


def test_a_slow_gradient_has_no_bands() -> None:
    """Over any eight rows it is as bright as it should be; a band would be off by half a level."""
    ground = draw_ground("#f4f4f4..#eeeeee", (64, 1200))[..., 0].astype(int)
    ideal = np.linspace(0xF4, 0xEE, 1200)[:, None]
    assert np.abs(ground - ideal).max() < 1
    off = np.convolve((ground - ideal).mean(1), np.ones(8) / 8, "valid")
    assert np.abs(off).max() < 0.1


def test_a_gradient_is_the_same_each_time() -> None:
    """Its dither is a pattern, no chance."""
    first, second = (draw_ground("#102030..#405060", (333, 200)) for _ in range(2))
    assert np.array_equal(first, second)


def test_a_gradient_does_not_reach_the_garment() -> None:
    """Neither colour nor dither."""
    layers = layers_of(GARMENT)
    result = compose(layers, PictureFields(background="#ffffff..#808080"))
    assert np.array_equal(result[GARMENT == 255], layers.picture.rgb[GARMENT == 255])


@pytest.mark.parametrize("shadow", SHADOWS)
def test_a_shadow_darkens_the_ground_below_the_garment(shadow: Shadow) -> None:
    """And leaves the ground away from it exactly as it was, and the garment."""
    layers = layers_of(GARMENT)
    result = compose(layers, PictureFields(background="#ffffff", shadow=shadow))
    assert result[403, 200].max() < 240
    assert np.array_equal(result[GARMENT == 255], layers.picture.rgb[GARMENT == 255])
    for far in (result[:40], result[-40:], result[:, :40], result[:, -40:]):
        assert (far == 255).all()


def test_a_contact_shadow_is_at_the_floor_only() -> None:
    """A soft one goes around; this one only lies under the hem."""
    result = compose(layers_of(GARMENT), PictureFields(background="#ffffff", shadow=Shadow.CONTACT))
    assert (result[:350, :95] == 255).all()
    assert result[402, 200].max() < result[412, 200].max()


@pytest.mark.parametrize("shadow", SHADOWS)
def test_on_transparent_ground_a_shadow_is_black_of_some_alpha(shadow: Shadow) -> None:
    """So that it looks on any ground as it would have been drawn on it."""
    layers = layers_of(GARMENT)
    cut = compose(layers, PictureFields(shadow=shadow)).astype(float)
    assert (cut[GARMENT == 0][:, :3] == 0).all()
    assert 0 < cut[403, 200, 3] < 140
    grey = compose(layers, PictureFields(background="#90a0b0", shadow=shadow)).astype(float)
    weight = cut[..., 3:] / 255
    over = cut[..., :3] * weight + np.array([0x90, 0xA0, 0xB0]) * (1 - weight)
    assert np.abs(over - grey).max() <= 1


@pytest.mark.parametrize("shadow", SHADOWS)
def test_a_picture_without_a_garment_has_no_shadow(shadow: Shadow) -> None:
    """Nothing casts none."""
    result = compose(layers_of(np.zeros((40, 30), np.uint8)), PictureFields(shadow=shadow))
    assert not result.any()


@pytest.mark.parametrize("size", [None, 250, 800])
def test_a_shadow_stands_where_the_garment_does(size: int | None) -> None:
    """In every frame and at every size."""
    asked = PictureFields(background="#ffffff", shadow=Shadow.SOFT, fill=0.6, aspect="1:1", size=size)
    result = compose(layers_of(GARMENT, np.zeros((500, 400, 3), np.uint8)), asked)
    darkness = 255 - result[..., 0].astype(float)
    across = (darkness.sum(0) * np.arange(result.shape[1])).sum() / darkness.sum()
    assert abs(across / result.shape[1] - 0.5) < 0.01
