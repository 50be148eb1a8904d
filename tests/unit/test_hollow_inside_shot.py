"""The tenant's own inside shot: found, moved into place, given the front's light, or honestly left out."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from libs.common.contracts.options import RenderOptions
from services.inference.pipeline.arrays import F32, U8
from services.inference.pipeline.hollow import InsideShot, Note, Source, hollow_out
from services.inference.pipeline.hollow.evidence import Evidence
from services.inference.pipeline.hollow.inside_shot import align
from services.inference.pipeline.hollow.openings import find_openings
from tests.unit.hollow_scenes import CLOTH, NECKS, Scene, draw_scene, draw_skirt, inside_shot

OPTIONS = RenderOptions()
WARMER = (1.08, 1.0, 0.9)
NECKLINE = np.array([[300, 250], [420, 250], [360, 300], [250, 300], [470, 300]], np.float32)


def moved(angle: float, scale: float, shift: tuple[float, float]) -> F32:
    """A turn (degrees) and scale about the photo's middle, then a shift (px)."""
    matrix = cv2.getRotationMatrix2D((360, 450), angle, scale).astype(np.float32)
    matrix[:, 2] += np.array(shift, np.float32)
    return np.asarray(matrix, np.float32)


@pytest.mark.parametrize("neck", NECKS)
@pytest.mark.parametrize(
    "move", [moved(0, 1, (0, 0)), moved(4, 1.03, (22, -15)), moved(-5, 0.95, (-30, 20))], ids=str
)
def test_a_moved_shot_is_found_within_two_pixels(neck: str, move: F32) -> None:
    """Shifted, turned and scaled as a camera is between two shots."""
    scene = draw_scene(neck)
    front = Evidence.of(scene.maps, scene.matte)
    shot = align(front, inside_shot(scene, move), find_openings(front)[0].seed)
    assert shot.is_sure
    assert np.linalg.norm(at(shot.registration.matrix) - at(move), axis=1).max() < 2


def test_the_real_inner_back_shows_behind_the_neckline() -> None:
    """With its label where it is, though the shot was moved and warmer."""
    scene = draw_scene("vee")
    filling = hollow_out(
        scene.picture, scene.maps, scene.matte, OPTIONS, inside_shot(scene, moved(4, 1.03, (22, -15)))
    )
    true = inside_shot(scene, moved(0, 1, (0, 0))).picture.rgb
    open_part = scene.interior & (filling.alpha == 255)
    assert (filling.source, filling.notes) == (Source.INSIDE_SHOT, ())
    assert open_part.sum() > 0.9 * scene.interior.sum()
    labels = [centre_of_white(rgb, scene) for rgb in (filling.rgb, true)]
    assert np.linalg.norm(np.subtract(*labels)) < 2


def test_its_colours_are_those_of_the_fronts_light() -> None:
    """A warmer lamp is taken out by the fabric that both shots show."""
    scene = draw_scene("vee")
    move = moved(3, 1.0, (10, 5))
    fillings = [
        hollow_out(scene.picture, scene.maps, scene.matte, OPTIONS, inside_shot(scene, move, gain))
        for gain in ((1.0, 1.0, 1.0), WARMER)
    ]
    cloth = scene.interior & (fillings[0].alpha == 255) & (fillings[0].rgb.max(axis=2) < 200)
    cloth[:310] = False
    plain, warm = (filling.rgb[cloth].mean(axis=0) for filling in fillings)
    assert np.abs(plain - warm).max() < 6
    assert np.abs(warm / warm.sum() - np.array(CLOTH) / sum(CLOTH)).max() < 0.03


def test_a_lining_of_another_colour_stays_as_it_is() -> None:
    """Its cloth differs, not its light: only the ground tells the lamp."""
    scene = draw_scene("vee")
    shot = inside_shot(scene, moved(2, 1.0, (8, 4)))
    lining = np.array((170, 40, 60), np.uint8)
    dyed = shot.picture.rgb.copy()
    dyed[np.abs(dyed.astype(int) - 235).max(axis=2) > 40] = lining
    filling = hollow_out(
        scene.picture,
        scene.maps,
        scene.matte,
        OPTIONS,
        InsideShot(replace(shot.picture, rgb=dyed), shot.maps),
    )
    shown = np.median(filling.rgb[scene.interior & (filling.alpha == 255)], axis=0)
    assert filling.source is Source.INSIDE_SHOT
    assert np.abs(shown / shown.sum() - lining / lining.sum(dtype=int)).max() < 0.05


def test_a_shot_of_another_garment_is_left_out_and_named() -> None:
    """The inner back is synthesised, and the filling says why."""
    scene = draw_scene("crew")
    skirt = draw_skirt()
    filling = hollow_out(
        scene.picture, scene.maps, scene.matte, OPTIONS, InsideShot(skirt.picture, skirt.maps)
    )
    assert (filling.source, filling.notes) == (Source.SYNTHESIZED, (Note.INSIDE_SHOT_DOES_NOT_FIT,))


def test_a_shot_of_nothing_is_left_out_and_named() -> None:
    """No garment in it."""
    scene = draw_scene("crew")
    blank = replace(scene, garment=np.zeros_like(scene.garment), body=np.zeros_like(scene.body))
    filling = hollow_out(
        scene.picture, scene.maps, scene.matte, OPTIONS, InsideShot(blank.picture, blank.maps)
    )
    assert (filling.source, filling.notes) == (Source.SYNTHESIZED, (Note.INSIDE_SHOT_DOES_NOT_FIT,))


def test_a_shot_without_an_opening_to_show_it_in_is_named() -> None:
    """The customer should hear that it was of no use."""
    scene = draw_scene("crew")
    shot = inside_shot(scene, moved(0, 1, (0, 0)))
    shut = replace(scene, garment=scene.garment | scene.interior | scene.body, body=np.zeros_like(scene.body))
    filling = hollow_out(shut.picture, shut.maps, shut.matte, OPTIONS, shot)
    assert (filling.source, filling.notes) == (Source.NONE, (Note.NO_OPENING_FOR_INSIDE_SHOT,))


def at(matrix: F32) -> F32:
    """Where the neckline's points go."""
    return np.asarray(NECKLINE @ matrix[:, :2].T + matrix[:, 2], np.float32)


def centre_of_white(rgb: U8, scene: Scene) -> F32:
    white = scene.interior & (rgb.min(axis=2) > 165)
    return np.asarray(np.argwhere(white).mean(axis=0), np.float32)
