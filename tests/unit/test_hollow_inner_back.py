"""The synthesised inner back: of the garment's own fabric, darker, with its collar's band and a label."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from libs.common.contracts.options import RenderOptions
from services.inference.pipeline.arrays import F32, U8, Bools
from services.inference.pipeline.hollow import Filling, hollow_out
from tests.unit.hollow_scenes import BAND, CLOTH, NECKS, Scene, draw_scene


def hollowed(scene: Scene, *, label: bool = False) -> Filling:
    options = RenderOptions(neck_label=label)
    return hollow_out(scene.picture, scene.maps, scene.matte, options)


@pytest.mark.parametrize("neck", NECKS)
def test_it_has_the_garments_hue_and_is_darker(neck: str) -> None:
    """By 10 to 50 %: the cloth's other side in its own shadow."""
    scene = draw_scene(neck)
    shown = inner(scene, hollowed(scene))
    cloth = np.array(CLOTH, np.float32)
    assert 0.5 < shown.mean() / cloth.mean() < 0.9
    assert turn(shown.mean(axis=0), cloth) < 8


def test_it_is_darker_below_and_behind_the_front_edge() -> None:
    """Light comes from above; the front collar casts a shadow."""
    scene = draw_scene("vee")
    filling = hollowed(scene)
    column = filling.rgb[:, 360].mean(axis=1)
    assert column[285] > column[330] > column[385]


def test_a_collar_of_another_colour_goes_round_the_back() -> None:
    """Its band is taken from the front neckline."""
    plain, banded = (hollowed(draw_scene("crew", band=band)) for band in (False, True))
    edge = (slice(266, 270), slice(345, 376))
    assert turn(banded.rgb[edge].mean(axis=(0, 1)), np.array(BAND)) < 12
    assert turn(plain.rgb[edge].mean(axis=(0, 1)), np.array(CLOTH)) < 8
    deep = (slice(295, 305), slice(345, 376))
    assert turn(banded.rgb[deep].mean(axis=(0, 1)), np.array(CLOTH)) < 12


def test_a_knit_looks_knitted_inside_too() -> None:
    """The fabric's grain goes on, more softly."""
    knitted, smooth = draw_scene("vee"), draw_scene("vee")
    smooth = replace(smooth, rgb=flattened(smooth))
    deep = (slice(320, 350), slice(350, 370))
    assert roughness(hollowed(knitted).rgb[deep]) > 1.0
    assert roughness(hollowed(smooth).rgb[deep]) < 0.5 * roughness(hollowed(knitted).rgb[deep])


def test_a_print_on_the_chest_does_not_show_inside() -> None:
    """The piece of fabric is taken beside it."""
    scene = draw_scene("vee")
    printed = scene.rgb.copy()
    cv2.circle(printed, (360, 500), 55, (250, 230, 40), -1)
    shown = inner(scene, hollowed(replace(scene, rgb=printed)))
    assert np.abs(shown - inner(scene, hollowed(scene))).mean() < 8


def test_a_black_garment_keeps_a_visible_inside() -> None:
    """It is no hole: its edge and band can be told from its depth."""
    scene = draw_scene("vee")
    black = scene.rgb.copy()
    black[scene.garment] = black[scene.garment] // 8 + 10
    shown = inner(scene, hollowed(replace(scene, rgb=black)))
    assert shown.mean() > 8
    assert np.ptp(cv2.GaussianBlur(shown, (0, 0), 2)) > 3


def test_a_label_is_sewn_in_only_when_asked_for() -> None:
    """Plain, light on a dark fabric, in the middle under the back edge."""
    scene = draw_scene("vee")
    without, labelled = hollowed(scene), hollowed(scene, label=True)
    differ = np.abs(without.rgb.astype(int) - labelled.rgb).max(axis=2) > 20
    rows, columns = np.nonzero(differ)
    assert abs(columns.mean() - 360) < 2
    assert 265 < rows.min() < rows.max() < 295
    assert labelled.rgb[differ].mean() > 170
    assert np.array_equal(without.alpha, labelled.alpha)


def test_the_same_photo_gives_the_same_filling() -> None:
    """Bit for bit."""
    scene = draw_scene("crew", band=True)
    first, second = hollowed(scene, label=True), hollowed(scene, label=True)
    assert np.array_equal(first.alpha, second.alpha)
    assert np.array_equal(first.rgb, second.rgb)


def test_the_photo_itself_is_not_touched() -> None:
    """The filling is drawn on a copy."""
    scene = draw_scene("crew")
    before = scene.rgb.copy()
    hollowed(scene)
    assert np.array_equal(scene.rgb, before)


def inner(scene: Scene, filling: Filling) -> F32:
    """The filling's pixels [n,3] well inside what is open."""
    core: Bools = cv2.erode((scene.interior & (filling.alpha == 255)).view(np.uint8), np.ones((5, 5))) > 0
    return filling.rgb[core].astype(np.float32)


def turn(first: F32, second: F32) -> float:
    """Difference in hue of two RGB colours, degrees."""
    pixels = np.array([first, second], np.float32).reshape(1, 2, 3) / 255
    hues = cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV)[0, :, 0]
    return float(abs((hues[0] - hues[1] + 180) % 360 - 180))


def roughness(patch: U8) -> float:
    """Standard deviation of what a blur takes away."""
    pixels = patch.astype(np.float32)
    return float((pixels - cv2.GaussianBlur(pixels, (0, 0), 3)).std())


def flattened(scene: Scene) -> U8:
    rgb = scene.rgb.copy()
    rgb[scene.garment] = CLOTH
    return rgb
