"""What is wrong with a result is named, said and shown, and only that."""

from __future__ import annotations

import time

import cv2
import numpy as np
import pytest

from libs.common.contracts.inference import Verdict
from libs.common.contracts.options import GarmentChoice, RenderOptions
from services.inference.pipeline.arrays import U8
from services.inference.pipeline.compose import compose
from services.inference.pipeline.decode import Picture
from services.inference.pipeline.hollow import Filling
from services.inference.pipeline.layers import Layers
from services.inference.pipeline.matte import Matte, mixed_pixels
from services.inference.pipeline.segment import BACKGROUND, BODY, GARMENT, OTHER, Maps
from services.inference.pipeline.verdict import Judgement, Reason, judge
from services.inference.pipeline.verdict.reasons import LIMITS, SENTENCES
from services.inference.pipeline.verdict.view import view_of

WIDTH, HEIGHT = 300, 400
WALL, RED, SKIN, SHELL = (228, 228, 226), (150, 40, 60), (205, 150, 125), (240, 240, 242)
WHITE = RenderOptions(background="#ffffff")
SHIRT = np.s_[120:320, 90:210]
NECK = np.s_[70:140, 130:170]
"""The shirt's front leaves the lower part of it open."""
OPENING = np.s_[120:140, 130:170]


class Scene:
    """A red shirt on a figure before a wall: what is where is known exactly and can be changed."""

    def __init__(self, body: tuple[int, int, int] = SKIN) -> None:
        self.rgb: U8 = np.full((HEIGHT, WIDTH, 3), WALL, np.uint8)
        self.labels: U8 = np.full((HEIGHT, WIDTH), BACKGROUND, np.uint8)
        self.put(SHIRT, RED, GARMENT)
        self.put(NECK, body, BODY)
        self.interior = np.zeros((HEIGHT, WIDTH), np.float32)
        self.interior[OPENING] = 1
        self.alpha = np.where(self.labels == GARMENT, np.uint8(255), np.uint8(0))
        self.filled = (self.interior * 255).astype(np.uint8)

    def put(self, where: tuple[slice, slice], colour: tuple[int, int, int], label: int) -> None:
        self.rgb[where], self.labels[where] = colour, label

    def layers(self) -> Layers:
        edge = mixed_pixels(self.alpha)
        matte = Matte(self.alpha, edge, self.rgb.reshape(-1, 3)[edge])
        inside = np.broadcast_to(np.array([90, 24, 36], np.uint8), self.rgb.shape).copy()
        return Layers(Picture(self.rgb), matte, Filling(self.filled, inside))

    def maps(self, sureness: float = 0.97) -> Maps:
        planes = np.stack([(self.labels == label) for label in range(4)]).astype(np.float32)
        planes = planes * (sureness - (1 - sureness) / 3) + (1 - sureness) / 3
        small = [cv2.resize(plane, (150, 200), interpolation=cv2.INTER_AREA) for plane in planes]
        interior = cv2.resize(self.interior, (150, 200), interpolation=cv2.INTER_AREA)
        return Maps(np.stack(small), np.asarray(interior, np.float32))

    def judged(self, options: RenderOptions = WHITE, sureness: float = 0.97) -> Judgement:
        layers = self.layers()
        return judge(layers, self.maps(sureness), options, compose(layers, options))


def test_a_clear_garment_is_publishable() -> None:
    """Sure, whole, sharp, hollow, and alone on its ground."""
    for options in (WHITE, RenderOptions(), RenderOptions(background="#ffffff..#eeeeee")):
        judgement = Scene().judged(options)
        assert (judgement.verdict, judgement.found) == (Verdict.PUBLISHABLE, ())
        assert judgement.score > 0.9


def test_nothing_found_is_rejected() -> None:
    """An empty matte, or a speck of one; nothing else is said of it."""
    for size in (0, 12):
        scene = Scene()
        scene.alpha[:] = 0
        scene.alpha[200 : 200 + size, 150 : 150 + size] = 255
        judgement = scene.judged()
        assert (judgement.verdict, judgement.reasons) == (Verdict.REJECTED, (Reason.NO_GARMENT,))
        assert judgement.score == 0


@pytest.mark.parametrize(("body", "reason"), [(SKIN, "residual_skin"), (SHELL, "residual_mannequin")])
def test_body_that_is_shown_is_named_by_its_colour(body: tuple[int, int, int], reason: str) -> None:
    """And its box is where it is."""
    scene = Scene(body)
    scene.alpha[90:119, 130:170] = 255
    judgement = scene.judged()
    assert [(found.reason.value, judgement.verdict) for found in judgement.found] == [
        (reason, Verdict.REVIEW)
    ]
    box = judgement.found[0].box
    assert box is not None
    assert abs(box.left - 130) < 8
    assert abs(box.top - 90) < 8
    assert abs(box.width - 40) < 12


def test_body_is_found_by_its_colour_where_the_segmenter_is_wrong() -> None:
    """It says garment of a bare arm beside the shirt, and the matte believes it."""
    scene = Scene()
    scene.put(np.s_[150:250, 210:232], SKIN, BODY)
    scene.labels[150:220, 210:232] = GARMENT
    scene.alpha[150:220, 210:232] = 255
    assert scene.judged().reasons == (Reason.RESIDUAL_SKIN,)


def test_half_a_body_is_no_use() -> None:
    """Rejected, not billed."""
    scene = Scene()
    scene.put(np.s_[120:320, 150:210], SKIN, BODY)
    judgement = scene.judged()
    assert judgement.verdict is Verdict.REJECTED
    assert judgement.score < 0.4


def test_an_opening_is_neither_full_nor_empty() -> None:
    """The neck in it, or a hole to the ground; unless no hollow neck was asked for."""
    full, empty = Scene(), Scene()
    full.alpha[OPENING] = 255
    empty.filled[:] = 0
    for scene in (full, empty):
        assert Reason.OPENING_NOT_HOLLOW in scene.judged().reasons
    assert empty.judged(RenderOptions(background="#ffffff", hollow=False)).found == ()


def test_a_rim_of_the_old_ground_is_a_halo() -> None:
    """Four px of it, hard or soft."""
    for soft in (False, True):
        scene = Scene()
        wide = cv2.dilate(scene.alpha, np.ones((9, 9), np.uint8))
        wide = cv2.blur(wide, (7, 7)) if soft else wide
        scene.alpha = np.where(scene.labels == BACKGROUND, wide, scene.alpha)
        assert scene.judged().reasons == (Reason.HALO,)


def test_what_is_left_of_the_old_ground_is_named() -> None:
    """A patch, a haze over all of it, or a ground that is not the white that was asked for."""
    patch, haze, tint = Scene(), Scene(), Scene()
    patch.alpha[340:390, 20:120] = 255
    haze.alpha = np.maximum(haze.alpha, np.uint8(60))
    for scene in (patch, haze):
        assert Reason.OFF_WHITE_BACKGROUND in scene.judged().reasons
        assert Reason.SEVERAL_GARMENTS not in scene.judged().reasons
    layers = tint.layers()
    result = np.maximum(compose(layers, WHITE), 0)
    result[result.min(2) == 255] = (240, 240, 238)
    assert judge(layers, tint.maps(), WHITE, result).reasons == (Reason.OFF_WHITE_BACKGROUND,)


def test_a_photo_that_comes_back_is_rejected() -> None:
    """Taken for garment as a whole, or returned as the finished picture."""
    scene = Scene()
    layers = scene.layers()
    returned = judge(layers, scene.maps(), WHITE, scene.rgb)
    scene.alpha[:] = 255
    for judgement in (returned, scene.judged()):
        assert judgement.verdict is Verdict.REJECTED
        assert judgement.reasons[0] is Reason.OUTPUT_EQUALS_INPUT


def test_a_garment_that_needed_no_change_may_come_back() -> None:
    """On white already, with nobody inside: there was nothing to take away."""
    scene = Scene()
    scene.rgb[scene.labels != GARMENT] = 255
    scene.labels[scene.labels == BODY] = BACKGROUND
    scene.interior[:], scene.filled[:] = 0, 0
    assert judge(scene.layers(), scene.maps(), WHITE, scene.rgb).found == ()


def test_a_second_garment_beside_it_leaves_open_which_is_meant() -> None:
    """Not what the figure wears besides, and not where all were asked for."""
    beside, worn = Scene(), Scene()
    beside.put(np.s_[150:300, 10:70], (40, 60, 140), OTHER)
    worn.put(np.s_[320:400, 100:200], (40, 60, 140), OTHER)
    assert beside.judged().reasons == (Reason.SEVERAL_GARMENTS,)
    assert worn.judged().found == ()
    everything = RenderOptions(background="#ffffff", garment=GarmentChoice.ALL)
    assert beside.judged(everything).found == ()


@pytest.mark.parametrize("turns", range(4))
def test_a_garment_at_the_frame_is_cut_off(turns: int) -> None:
    """Any side counts."""
    scene = Scene()
    scene.put(np.s_[300:400, 90:210], RED, GARMENT)
    scene.alpha[300:400, 90:210] = 255
    for name in ("rgb", "labels", "alpha", "filled", "interior"):
        setattr(scene, name, np.ascontiguousarray(np.rot90(getattr(scene, name), turns)))
    layers, maps = scene.layers(), scene.maps()
    assert judge(layers, maps, WHITE, compose(layers, WHITE)).reasons == (Reason.CUT_OFF_BY_FRAME,)


def test_a_thing_in_front_of_the_garment_hides_it() -> None:
    """A forearm; not the neck, which the opening explains."""
    scene = Scene()
    arm = np.s_[220:240, 60:180]
    scene.put(arm, SKIN, BODY)
    scene.alpha[arm] = 0
    judgement = scene.judged()
    assert judgement.reasons == (Reason.OCCLUDED,)
    assert judgement.found[0].box is not None


def test_a_blurred_photo_needs_a_look() -> None:
    """Out of focus or moved; as sharp as it was drawn it is fine."""
    for size in ((25, 25), (21, 1), (1, 21)):
        scene = Scene()
        scene.rgb = np.asarray(cv2.blur(scene.rgb, size), np.uint8)
        assert Reason.BLURRED in scene.judged().reasons


def test_a_dark_photo_needs_a_look() -> None:
    """Four stops too little light."""
    scene = Scene()
    scene.rgb = (scene.rgb * 0.25).astype(np.uint8)
    assert Reason.TOO_DARK in scene.judged().reasons


def test_an_unsure_segmenter_needs_a_look_and_a_helpless_one_is_rejected() -> None:
    """The less sure, the worse the score."""
    unsure, helpless = Scene().judged(sureness=0.7), Scene().judged(sureness=0.4)
    assert (unsure.verdict, unsure.reasons) == (Verdict.REVIEW, (Reason.LOW_CONFIDENCE,))
    assert helpless.verdict is Verdict.REJECTED
    assert helpless.score < unsure.score < Scene().judged().score


def test_every_reason_tells_a_person_what_to_do() -> None:
    """In a sentence or more; and all but the shop's requirements are measured against limits."""
    for reason in Reason:
        assert SENTENCES[reason].endswith(".")
        assert len(SENTENCES[reason]) > 40
        assert reason in LIMITS or reason is Reason.PRESET_NOT_MET


def test_the_better_judgement_has_the_better_verdict_then_score() -> None:
    """Equal is not better."""
    low, high = Judgement(Verdict.REVIEW, 0.4), Judgement(Verdict.REVIEW, 0.6)
    good = Judgement(Verdict.PUBLISHABLE, 0.2)
    assert high.is_better_than(low)
    assert good.is_better_than(high)
    assert not low.is_better_than(low)


@pytest.mark.parametrize("size", [(1, 1), (1, 90), (90, 1), (3, 3)])
def test_a_photo_of_any_shape_is_judged(size: tuple[int, int]) -> None:
    """All garment, or none of it."""
    for alpha in (0, 255):
        plane = np.full(size, alpha, np.uint8)
        picture = Picture(np.full((*size, 3), 200, np.uint8))
        matte = Matte(plane, np.empty(0, np.intp), np.empty((0, 3), np.uint8))
        layers = Layers(picture, matte, Filling(np.zeros(size, np.uint8), picture.rgb))
        maps = Maps(np.full((4, 2, 2), 0.25, np.float32), np.zeros((2, 2), np.float32))
        assert judge(layers, maps, WHITE, compose(layers, WHITE)).verdict is Verdict.REJECTED


@pytest.mark.parametrize("size", [(1, 1), (1, 90), (90, 1), (3, 2), (400, 300)])
def test_what_is_found_lies_in_the_photo_and_is_not_empty(size: tuple[int, int]) -> None:
    """In one narrower than the view's pixels, too."""
    rgb = np.zeros((*size, 3), np.uint8)
    plane = np.zeros(size, np.uint8)
    view = view_of(
        Layers(
            Picture(rgb), Matte(plane, np.empty(0, np.intp), np.empty((0, 3), np.uint8)), Filling(plane, rgb)
        ),
        Maps(np.full((4, 64, 48), 0.25, np.float32), np.zeros((64, 48), np.float32)),
        WHITE,
    )
    for row, column in ((0, 0), (63, 47), (31, 20)):
        where = np.zeros((64, 48), np.bool_)
        where[row, column] = True
        box = view.box(where)
        assert box is not None
        assert min(box.width, box.height) >= 1
        assert min(box.left, box.top) >= 0
        assert (box.left + box.width, box.top + box.height) <= (size[1], size[0])
        assert box.top + box.height <= size[0]


def test_a_large_photo_is_judged_in_milliseconds() -> None:
    """Of the thread's own time, the best of five: it is looked at small."""
    scene = Scene()
    layers, maps = scene.layers(), scene.maps()
    matte = Matte(_larger(scene.alpha), np.empty(0, np.intp), np.empty((0, 3), np.uint8))
    filling = Filling(_larger(scene.filled), _larger(layers.filling.rgb))
    large = Layers(Picture(_larger(scene.rgb)), matte, filling)
    result = compose(large, WHITE)
    taken = []
    for _ in range(5):
        start = time.thread_time()
        judge(large, maps, WHITE, result)
        taken.append(time.thread_time() - start)
    assert min(taken) < 0.06


def _larger(plane: U8) -> U8:
    return np.repeat(np.repeat(plane, 5, 0), 5, 1)
