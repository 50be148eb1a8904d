"""The hollow neck: every opening is found and filled, with a clean edge, and nothing else is."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from libs.common.contracts.options import RenderOptions
from services.inference.pipeline.arrays import F32, Bools
from services.inference.pipeline.hollow import Filling, Source, hollow_out
from services.inference.pipeline.segment import Maps
from tests.unit.hollow_scenes import NECKS, Scene, draw_scene, draw_skirt, ragged

OPTIONS = RenderOptions()
COVERED = {"crew": 0.97, "vee": 0.97, "boat": 0.85, "strap": 0.97}
"""A boat neck is 20 px high at the photo's size and 5 px in the maps."""


def hollowed(scene: Scene, maps: Maps | None = None) -> Filling:
    return hollow_out(scene.picture, maps or scene.maps, scene.matte, OPTIONS)


@pytest.mark.parametrize("neck", NECKS)
def test_the_neck_is_filled_up_to_its_back_edge(neck: str) -> None:
    """And hardly beyond it."""
    scene = draw_scene(neck)
    filling = hollowed(scene)
    shown = (filling.alpha > 127) & ~scene.garment
    assert filling.source is Source.SYNTHESIZED
    assert len(filling.openings) == 1
    assert shown[scene.interior].mean() > COVERED[neck]
    assert (shown & ~scene.interior).sum() < 0.08 * scene.interior.sum()


@pytest.mark.parametrize("neck", NECKS)
def test_a_gap_between_arm_and_body_stays_open(neck: str) -> None:
    """Real background shows there."""
    scene = draw_scene(neck)
    assert scene.gap.any() or neck == "strap"
    assert not hollowed(scene).alpha[scene.gap].any()


def test_no_gap_shows_between_filling_and_garment() -> None:
    """The filling goes on under the front's soft edge."""
    scene = draw_scene("crew")
    filling = hollowed(scene)
    near = cv2.dilate(scene.interior.view(np.uint8), np.ones((3, 3), np.uint8)) > 0
    edge = near & (scene.matte.alpha > 0) & (scene.matte.alpha < 255) & below(filling, scene, 262)
    assert edge.sum() > 50
    assert (filling.alpha[edge] == 255).all()


@pytest.mark.parametrize("neck", ["crew", "vee", "strap"])
def test_the_upper_edge_is_one_smooth_curve_however_ragged_the_map(neck: str) -> None:
    """Within a fifth of a pixel of a parabola, though the map's pixels are 4 px wide and frayed."""
    scene = draw_scene(neck)
    for seed in range(4):
        edge = upper_edge(hollowed(scene, ragged(scene.maps, seed)), scene)
        x = np.arange(len(edge))
        assert np.abs(edge - np.polyval(np.polyfit(x, edge, 2), x)).max() < 0.2


@pytest.mark.parametrize("neck", ["crew", "vee", "strap"])
def test_a_ragged_map_gives_about_the_same_neck(neck: str) -> None:
    """The curve is fitted to most of its edge."""
    scene = draw_scene(neck)
    clean = hollowed(scene).alpha > 127
    frayed = hollowed(scene, ragged(scene.maps)).alpha > 127
    assert (clean & frayed).sum() > 0.9 * (clean | frayed).sum()


@pytest.mark.parametrize("neck", ["crew", "vee"])
def test_a_neck_is_found_without_an_interior_map(neck: str) -> None:
    """A body with garment on both sides and below stands in a neckline."""
    scene = draw_scene(neck)
    blind = replace(scene.maps, interior=np.zeros_like(scene.maps.interior))
    shown = (hollowed(scene, blind).alpha > 127) & ~scene.garment
    assert shown[scene.interior].mean() > 0.9
    assert (shown & ~scene.interior).sum() < 0.2 * scene.interior.sum()


def test_a_waistband_is_closed_by_its_back() -> None:
    """Level between the garment's upper corners."""
    scene = draw_skirt()
    filling = hollowed(scene)
    shown = (filling.alpha > 127) & ~scene.garment
    assert shown[scene.interior].mean() > 0.8
    assert (shown & ~scene.interior).sum() < 0.4 * scene.interior.sum()
    assert not shown[scene.garment.shape[0] // 2 :].any()


def test_a_sleeve_shows_its_dark_inside_where_a_hand_came_out() -> None:
    """A cuff's far edge, as the interior map has it."""
    scene = draw_scene("crew")
    cuff = ellipse((566, 668), (18, 14)) & scene.body
    assert cuff.sum() > 200
    maps = replace(scene.maps, interior=np.maximum(scene.maps.interior, as_map(cuff)))
    filling = hollowed(scene, maps)
    assert len(filling.openings) == 2
    assert (filling.alpha[cuff] > 127).mean() > 0.8
    lit = filling.rgb[cuff & (filling.alpha == 255)].mean()
    assert lit < 0.75 * scene.rgb[scene.garment].mean()


def test_a_hanger_before_a_visible_inner_back_is_taken_away() -> None:
    """Its place shows what lies beside it, as dark as that is."""
    scene = draw_scene("vee")
    hanger = np.zeros_like(scene.garment)
    hanger[300:318] = True
    hanger &= scene.interior
    rgb = scene.rgb.copy()
    rgb[scene.interior] = (40, 60, 100)
    rgb[hanger] = (150, 110, 60)
    seen = scene.interior & ~hanger
    shown = replace(scene, rgb=rgb, garment=scene.garment | seen, body=(scene.body & ~seen) | hanger)
    filling = hollow_out(
        shown.picture, replace(shown.maps, interior=scene.maps.interior), shown.matte, OPTIONS
    )
    assert (filling.alpha[hanger] > 127).mean() > 0.95
    middle = filling.rgb[308, 345:376].astype(int)
    assert np.abs(middle - (40, 60, 100)).max() < 40
    assert filling.hidden.boxes == ()


def test_specks_of_the_map_are_no_openings() -> None:
    """Nor is interior far from the garment, on a head or on the ground."""
    scene = draw_scene("crew")
    noise = ellipse((360, 90), (40, 30)) | ellipse((100, 100), (30, 30)) | ellipse((360, 500), (5, 5))
    maps = replace(scene.maps, interior=np.maximum(scene.maps.interior, as_map(noise)))
    filling = hollowed(scene, maps)
    assert len(filling.openings) == 1
    assert not filling.alpha[noise].any()


def test_a_garment_without_an_opening_gets_an_empty_filling_at_no_cost() -> None:
    """The photo's own pixels are not even copied."""
    scene = draw_scene("crew")
    flat = replace(scene, garment=scene.garment | scene.interior | scene.body, body=np.zeros_like(scene.body))
    filling = hollow_out(flat.picture, replace(flat.maps, interior=scene.maps.interior), flat.matte, OPTIONS)
    assert (filling.source, filling.openings, filling.hidden.boxes) == (Source.NONE, (), ())
    assert not filling.alpha.any()
    assert filling.rgb is flat.rgb


def test_nothing_is_hollowed_out_that_was_not_asked_for() -> None:
    """`hollow=false` leaves the neck to the customer."""
    scene = draw_scene("crew")
    filling = hollow_out(scene.picture, scene.maps, scene.matte, RenderOptions(hollow=False))
    assert (filling.source, filling.openings) == (Source.NONE, ())
    assert not filling.alpha.any()


def test_a_photo_without_a_garment_has_no_openings() -> None:
    """Whatever the interior map says."""
    scene = draw_scene("crew")
    bare = replace(scene, garment=np.zeros_like(scene.garment))
    filling = hollow_out(bare.picture, bare.maps, bare.matte, OPTIONS)
    assert not filling.alpha.any()


def upper_edge(filling: Filling, scene: Scene) -> F32:
    """y of the filling's upper edge, to a fraction of a pixel, in the middle columns of the neck."""
    columns = np.flatnonzero(scene.interior.any(axis=0))
    middle = columns[len(columns) // 4 : -len(columns) // 4]
    part = filling.alpha[:, middle].astype(np.float32) / 255
    solid = np.argmax(part == 1, axis=0)
    rows = np.arange(part.shape[0])[:, None]
    return np.asarray(solid - (part * (rows < solid)).sum(axis=0), np.float32)


def below(filling: Filling, scene: Scene, row: int) -> Bools:
    found = np.zeros_like(scene.garment)
    found[row:] = True
    return found


def ellipse(centre: tuple[int, int], axes: tuple[int, int]) -> Bools:
    canvas = np.zeros((900, 720), np.uint8)
    return np.asarray(cv2.ellipse(canvas, centre, axes, 0, 0, 360, 1, -1), np.bool_)


def as_map(mask: Bools) -> F32:
    size = (mask.shape[1] // 4, mask.shape[0] // 4)
    return np.asarray(cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA), np.float32)
