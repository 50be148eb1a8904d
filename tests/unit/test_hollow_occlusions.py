"""What hides the garment: always reported, filled only when asked, and never confused with an opening."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from libs.common.contracts.options import RenderOptions
from services.inference.pipeline.hollow import Filling, hollow_out
from tests.unit.hollow_scenes import CLOTH, NECKS, Scene, draw_scene, with_hand


def hollowed(scene: Scene, *, fill: bool = False) -> Filling:
    options = RenderOptions(fill_occlusions=fill)
    return hollow_out(scene.picture, scene.maps, scene.matte, options)


@pytest.mark.parametrize("neck", NECKS)
def test_a_neck_and_an_arm_beside_the_garment_hide_nothing(neck: str) -> None:
    """Nor does the head above it."""
    hidden = hollowed(draw_scene(neck)).hidden
    assert (hidden.boxes, hidden.share, hidden.filled) == ((), 0, False)


def test_a_hand_on_the_garment_is_reported_with_its_box_and_share() -> None:
    """Though nothing is filled unless asked."""
    scene, hidden = with_hand(draw_scene("crew"), (380, 560))
    filling = hollowed(scene)
    (box,) = filling.hidden.boxes
    assert abs(box.left + box.width / 2 - 380) < 6
    assert abs(box.top + box.height / 2 - 560) < 6
    assert abs(box.width - 80) < 12
    assert filling.hidden.share == pytest.approx(hidden.sum() / (hidden | scene.garment).sum(), rel=0.15)
    assert not filling.hidden.filled
    assert not filling.alpha[hidden].any()


def test_a_hand_over_the_edge_is_reported_as_far_as_it_hides_cloth() -> None:
    """A bay between garment above and below."""
    scene, hidden = with_hand(draw_scene("strap"), (472, 560), 32)
    filling = hollowed(scene, fill=True)
    assert len(filling.hidden.boxes) == 1
    assert (filling.alpha[hidden] > 127).mean() > 0.7
    beyond = (filling.alpha > 127) & scene.body & ~hidden & ~scene.interior
    assert beyond.sum() < 0.3 * hidden.sum()


def test_hidden_cloth_is_continued_from_around_it_when_asked() -> None:
    """In its own colour, with no seam to the visible garment and without a trace of the hand."""
    scene, hidden = with_hand(draw_scene("crew"), (380, 560))
    filling = hollowed(scene, fill=True)
    shown = filling.rgb[hidden].astype(np.float32)
    assert filling.hidden.filled
    assert (filling.alpha[hidden] > 250).mean() > 0.98
    assert np.abs(shown.mean(axis=0) - CLOTH).max() < 6
    assert np.abs(shown.reshape(-1, 3) - CLOTH).max() < 40
    assert len(filling.openings) == 1


def test_ground_seen_through_the_garment_is_no_occlusion() -> None:
    """A cut-out shows the wall behind it."""
    scene, hole = with_hand(draw_scene("crew"), (380, 560))
    cut = replace(scene, body=scene.body & ~hole)
    filling = hollowed(cut, fill=True)
    assert filling.hidden.boxes == ()
    assert not filling.alpha[hole].any()
