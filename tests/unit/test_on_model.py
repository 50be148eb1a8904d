"""Garments on people: who can wear one, how it lies, and what of the person stays as it was photographed."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from libs.common.contracts.ids import HumanModelId
from libs.common.contracts.inference import Verdict
from libs.common.contracts.options import RenderOptions
from services.inference.errors import PictureRefused
from services.inference.pipeline.arrays import U8
from services.inference.pipeline.decode import Picture, decode
from services.inference.pipeline.hollow import Filling
from services.inference.pipeline.layers import Layers
from services.inference.pipeline.matte import Matte, mixed_pixels
from services.inference.pipeline.on_model.arms import along_arms
from services.inference.pipeline.on_model.figure import Figure
from services.inference.pipeline.on_model.fit import Cloth, fit, least_squares
from services.inference.pipeline.on_model.person import Person
from services.inference.pipeline.on_model.places import places_above
from services.inference.pipeline.on_model.render import render_on_model
from services.inference.pipeline.on_model.shade import DARKEST, LIGHTEST, lit, torso_light
from services.inference.pipeline.on_model.torso import PersonRefused, Unfit, find_torso
from services.inference.pipeline.on_model.wear import composite, wear
from services.inference.pipeline.render import Render
from services.inference.pipeline.segment import Hint
from services.inference.pipeline.watermark import LONGEST, trial
from tests.unit.dressing_scenes import (
    HEIGHT,
    NEW,
    OLD,
    SKIN,
    WIDTH,
    PeopleSegmenter,
    as_png,
    person,
    top,
    trousers,
)

SEGMENTER = PeopleSegmenter()


def asked(**fields: Any) -> RenderOptions:
    given = {"render": "on_model", "human_model": HumanModelId.new(), "artefacts": True} | fields
    return RenderOptions.model_validate(given)


def dressed(garment: U8, wearer: U8, /, **fields: Any) -> Render:
    return render_on_model(as_png(garment), asked(**fields), SEGMENTER, Person(Picture(wearer)))


def pixels(render: Render) -> U8:
    return decode(render.result.data).rgb


def mask(render: Render, name: str) -> U8:
    data = next(file.data for file in render.artefacts if file.name == name)
    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED), np.uint8)


def test_a_torso_is_where_the_person_has_it() -> None:
    """Shoulders, waist and hips of the drawing, in px of the photo."""
    torso = find_torso(as_png(person()), SEGMENTER)
    assert torso.left_shoulder == pytest.approx((145, 175), abs=24)
    assert torso.right_shoulder == pytest.approx((335, 175), abs=24)
    assert torso.left_waist[0] == pytest.approx(172, abs=12)
    assert (torso.width, torso.height) == (WIDTH, HEIGHT)


def test_who_cannot_wear_a_garment_is_refused_by_name() -> None:
    """Nobody, two people, somebody small, somebody cut off, a garment alone, a person lying down."""
    one = person()
    empty = np.full_like(one, one[0, 0])
    small = empty.copy()
    small[200:360, 100:220] = cv2.resize(one, (120, 160), interpolation=cv2.INTER_AREA)
    for photo, reason in (
        (empty, Unfit.NOBODY),
        (top(), Unfit.NOBODY),
        (np.hstack([one, one]), Unfit.SEVERAL),
        (small, Unfit.TOO_SMALL),
        (person(lean=40), Unfit.NO_TORSO),
        (one[:, 150:], Unfit.CUT_OFF),
    ):
        with pytest.raises(PersonRefused) as refused:
            find_torso(as_png(np.ascontiguousarray(photo)), SEGMENTER)
        assert refused.value.code == reason


def test_what_is_no_picture_is_refused_as_everywhere() -> None:
    """By the decoder's own code."""
    with pytest.raises(PictureRefused, match="not a picture"):
        find_torso(b"hello", SEGMENTER)


def test_a_garment_is_seen_on_the_person_and_the_face_is_the_photos() -> None:
    """And most of the old garment is gone."""
    wearer = person()
    render = dressed(top(), wearer)
    result = pixels(render)
    assert np.abs(result[300, 240].astype(int) - NEW).max() < 25
    assert (result[:130] == wearer[:130]).all()
    seen = np.linalg.norm(result.astype(float) - OLD, axis=-1) < 30
    was = np.linalg.norm(wearer.astype(float) - OLD, axis=-1) < 30
    assert seen.sum() < 0.12 * was.sum()
    assert (render.photo_size, render.digital_source is not None) == ((WIDTH, HEIGHT), True)


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    sleeves=st.floats(0.0, 1.0),
    worn=st.floats(0.0, 1.0),
    width=st.floats(0.7, 1.5),
    lean=st.floats(-12, 12),
)
def test_every_pixel_outside_of_what_changed_is_the_persons_own(
    sleeves: float, worn: float, width: float, lean: float
) -> None:
    """Whatever the garment and the pose; and nothing outside of the masks changed."""
    wearer = person(sleeves=worn, lean=lean)
    render = dressed(top(sleeves=sleeves, width=width), wearer)
    changed = (mask(render, "alpha") > 0) | (mask(render, "synthesized") > 0)
    assert (pixels(render)[~changed] == wearer[~changed]).all()
    assert render.preserved_fraction == pytest.approx(1 - changed.mean(), abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_composite_copies_both_of_its_layers_bit_for_bit(seed: int) -> None:
    """Random photos and random alpha."""
    random = np.random.default_rng(seed)
    photo, layer = random.integers(0, 256, (2, 9, 7, 3), dtype=np.uint8)
    alpha = random.choice(np.array([0, 0, 255, 255, 90], np.uint8), (9, 7))
    out = composite(photo, layer, alpha)
    assert (out[alpha == 0] == photo[alpha == 0]).all()
    assert (out[alpha == 255] == layer[alpha == 255]).all()


def test_hands_stay_in_front_of_long_sleeves() -> None:
    """Sleeves end where the hands begin."""
    wearer = person(sleeves=0.0)
    result = pixels(dressed(top(sleeves=1.0), wearer))
    hand = np.linalg.norm(wearer.astype(float) - SKIN, axis=-1) < 30
    hand[:410] = False
    assert hand.sum() > 200
    assert (result[hand] == wearer[hand]).mean() > 0.8


def test_an_old_garment_that_shows_is_told_of() -> None:
    """Long sleeves beside short ones; a covering garment is fine."""
    told = dressed(top(sleeves=0.15), person(sleeves=0.95))
    assert "on_model_old_garment_visible" in [finding.code for finding in told.findings]
    assert told.verdict is not Verdict.PUBLISHABLE
    covering = dressed(top(), person())
    assert "on_model_old_garment_visible" not in [finding.code for finding in covering.findings]


def test_a_garment_that_is_too_small_for_its_place_is_told_of() -> None:
    """A quarter of the person's resolution."""
    small = cv2.resize(top(), None, fx=0.3, fy=0.3, interpolation=cv2.INTER_AREA)
    render = dressed(np.asarray(small, np.uint8), person())
    assert "on_model_low_resolution" in [finding.code for finding in render.findings]


def test_trousers_go_where_trousers_are_worn() -> None:
    """Below the waist, and the top stays."""
    wearer = person()
    result = pixels(dressed(trousers(), wearer, garment="bottom"))
    assert (result[:380] == wearer[:380]).mean() > 0.99
    assert np.abs(result[560, 205].astype(int) - (128, 64, 64)).max() < 40


def test_trousers_on_a_portrait_are_refused() -> None:
    """There is nothing to put them on."""
    with pytest.raises(PersonRefused) as refused:
        dressed(trousers(), person()[:420].copy(), garment="bottom")
    assert refused.value.code == Unfit.NO_LEGS


def test_a_photo_without_a_garment_is_refused() -> None:
    """Nothing can be put on anybody."""
    with pytest.raises(PersonRefused) as refused:
        dressed(np.full((200, 160, 3), 236, np.uint8), person())
    assert refused.value.code == Unfit.NO_GARMENT


def test_the_same_photos_give_the_same_bytes() -> None:
    """Twice."""
    first, again = (dressed(top(), person(), format="jpeg", background="#ffffff") for _ in range(2))
    assert [file.data for file in first.files] == [file.data for file in again.files]


def test_size_crop_and_aspect_frame_the_person_and_add_no_ground() -> None:
    """And each rendition is framed by its own options."""
    small = {"name": "small", "size": 200, "format": "webp"}
    render = dressed(top(), person(), crop=True, aspect="1:1", renditions=[small])
    assert render.result.width == render.result.height <= WIDTH
    assert max(render.renditions[0].width, render.renditions[0].height) == 200


def test_a_preset_is_not_met_on_a_person() -> None:
    """Shops ask for the garment alone."""
    render = dressed(top(), person(), preset="amazon")
    assert "preset_not_met" in [finding.code for finding in render.findings]
    assert render.verdict is not Verdict.PUBLISHABLE


def test_a_test_keys_picture_is_small_and_marked() -> None:
    """As every other one."""
    options = trial(asked())
    render = render_on_model(as_png(top()), options, SEGMENTER, Person(Picture(person())))
    plain = dressed(top(), person())
    assert (pixels(render) != pixels(plain)).any(axis=2).mean() > 0.05
    assert max(render.result.width, render.result.height) <= LONGEST


def test_fabric_keeps_its_colour() -> None:
    """Mid-tones differ by less than anyone sees (CIELAB, median)."""
    garment = top()
    result = pixels(dressed(garment, person()))
    there, here = result[280:400, 200:280], garment[280:400, 200:280]
    labs = [
        cv2.cvtColor(part.astype(np.float32) / 255, cv2.COLOR_RGB2LAB).reshape(-1, 3)
        for part in (there, here)
    ]
    assert np.linalg.norm(np.median(labs[0], 0) - np.median(labs[1], 0)) < 2.0


def test_light_is_bounded_and_says_nothing_where_a_print_is() -> None:
    """A striped old garment casts no stripes."""
    rgb = np.full((80, 60, 3), 120, np.uint8)
    rgb[:, :30] = 60
    worn = np.ones((80, 60), np.bool_)
    light = torso_light(rgb, worn, 50.0)
    assert light.min() >= DARKEST
    assert light.max() <= LIGHTEST
    assert light.max() > 1.02
    rgb[::4] = (200, 30, 30)
    assert (torso_light(rgb, worn, 50.0) == 1).all()


def test_light_leaves_the_middle_of_a_fabric_as_it_is() -> None:
    """Its median gain is 1."""
    light = np.tile(np.linspace(0.9, 1.1, 50, dtype=np.float32), (40, 1))
    out = lit(np.full((40, 50, 3), 100, np.uint8), light, np.full((40, 50), 255, np.uint8))
    assert np.median(out) == pytest.approx(100, abs=1)


def test_a_way_along_an_arm_goes_around_its_bend() -> None:
    """From the shoulder at 0 to the fingertips at 1."""
    bare = np.zeros((200, 200), np.uint8)
    cv2.polylines(bare, [np.array([(50, 30), (20, 100), (80, 150)], np.int32)], False, 1, 12)
    way = along_arms(bare > 0, np.array([[50.0, 25.0], [150.0, 25.0]]), 100.0)
    assert way[35, 50] < 0.15 < way[100, 22] < way[150, 78] <= 1
    assert np.isnan(way[10, 190])


def test_a_similarity_brings_points_back() -> None:
    """Turned, enlarged and moved ones."""
    points = np.array([[0.0, 0.0], [10.0, 0.0], [3.0, 7.0]])
    turn = 1.7 * np.array([[np.cos(0.3), -np.sin(0.3)], [np.sin(0.3), np.cos(0.3)]])
    found = least_squares(points, points @ turn.T + (5, -2))
    assert np.allclose(found, np.column_stack([turn, (5, -2)]))


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_fit_never_folds(seed: int) -> None:
    """Random blobs as outlines: the map's area has one sign wherever there is cloth."""
    random = np.random.default_rng(seed)
    target, cloth = (_blob(random) for _ in range(2))
    nothing = np.zeros((0, 2))
    found = fit(Cloth(cloth, (1.0, 1.0)), np.eye(2, 3), [target], (nothing, nothing), 60.0)
    (x_down, x_across), (y_down, y_across) = (tuple(np.gradient(found.source[..., axis])) for axis in (0, 1))
    area = np.asarray(x_across * y_down - y_across * x_down)
    assert (area[found.garment] > 0).all()


def test_what_filled_the_garment_is_marked_on_the_person_too() -> None:
    """An invented patch of the garment is invented wherever it goes."""
    wearer, garment = Person(Picture(person())), Picture(top())
    figure, worn = wearer.figure(SEGMENTER, Hint.UPPER), Person(garment)
    maps = worn.maps(SEGMENTER, Hint.UPPER)
    cloth = Figure.of(maps, WIDTH, HEIGHT)
    shown = cv2.resize(cloth.garment.view(np.uint8) * 255, (WIDTH, HEIGHT), interpolation=cv2.INTER_NEAREST)
    alpha = np.asarray(shown, np.uint8)
    filling = np.zeros_like(alpha)
    filling[290:330, 220:260] = 255
    alpha[290:330, 220:260] = 0
    edge = mixed_pixels(alpha)
    matte = Matte(alpha, edge, np.empty((len(edge), 3), np.uint8))
    layers = Layers(garment, matte, Filling(filling, garment.rgb))
    places = places_above(figure, wearer.torso(SEGMENTER), cloth)
    made = wear(layers, Cloth(cloth.garment, cloth.scale), wearer.picture.rgb, figure, places)
    assert made.synthesized[300:320, 230:250].all()
    assert not made.synthesized[360:400, 200:280].any()


def _blob(random: np.random.Generator) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    smooth = cv2.GaussianBlur(random.random((120, 100)).astype(np.float32), (0, 0), 14)
    y, x = np.mgrid[:120, :100]
    near = ((x - 50) / 34) ** 2 + ((y - 60) / 42) ** 2 + (smooth - smooth.mean()) * 12
    return np.asarray(near < 1, np.bool_)
