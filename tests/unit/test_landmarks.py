"""Landmarks are where the garment's parts were drawn, whichever way it faces and however large it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import cv2
import numpy as np
import pytest

from libs.common.contracts.inference import Landmarks
from services.inference.pipeline.decode import Picture
from services.inference.pipeline.hollow import Filling
from services.inference.pipeline.landmarks import find_landmarks
from services.inference.pipeline.layers import Layers
from services.inference.pipeline.matte import Matte
from services.inference.pipeline.segment import Maps
from training.photos import GARMENT, Drawn, figures
from training.photos.bodies import Model
from training.photos.garments import Collar, Front, Garment, Kind, draw_garment
from training.photos.poses import SHOULDER_Y, Wearer
from training.photos.tailoring import Tailor

PHOTO = (480, 360)
NEAR = 0.06
"""Of the garment's height."""
_WEARERS = (Wearer.FORM, Wearer.PERSON, Wearer.MANNEQUIN)
_SPANS = {
    Kind.TOP: (1.0, 5.2),
    Kind.DRESS: (0.8, 7.9),
    Kind.TROUSERS: (2.4, 7.9),
    Kind.SKIRT: (2.4, 7.9),
}
"""Heads between the frame's upper and lower edge."""
Point = tuple[float, float]


@dataclass
class Sketch:
    """A drawn photo and who made the garment that it is about."""

    drawn: Drawn
    tailor: Tailor

    @property
    def height(self) -> int:
        return int(np.ptp(np.flatnonzero((self.drawn.classes == GARMENT).any(1)))) + 1

    def at(self, x: float, y: float) -> Point:
        """A point given in heads, in px."""
        projected = self.tailor.model.framing.project([[x, y]])[0]
        return float(projected[0]), float(projected[1])

    def shoulders(self) -> tuple[Point, Point]:
        """Where the slope of a sleeved garment's shoulders ends."""
        cut = self.tailor.cut
        wide = cut.build.shoulder * (0.95 + (cut.garment.ease - 1) * 0.3) * 0.98
        return self.at(-wide, SHOULDER_Y + 0.02), self.at(wide, SHOULDER_Y + 0.02)


@pytest.fixture(scope="module")
def sketches() -> list[Sketch]:
    """Figures in one garment each, whole in the frame, with what drew them."""
    with pytest.MonkeyPatch.context() as patch:
        return list(_sketches(patch))


def _sketches(patch: pytest.MonkeyPatch) -> Iterator[Sketch]:
    tailors: list[Tailor] = []

    class Watched(Tailor):
        def __init__(self, model: Model, garment: Garment) -> None:
            super().__init__(model, garment)
            tailors.append(self)

    patch.setattr(figures, "Tailor", Watched)
    for seed, kind in product(range(8), Kind):
        tailors.clear()
        rng = np.random.default_rng([3, seed])
        garment = draw_garment(rng, kind, np.full(3, 0.4, np.float32), tidy=True)
        canvas = figures.assemble(rng, PHOTO, _WEARERS[seed % 3], garment, _SPANS[kind], calm=True)
        classes = np.where(canvas.alpha > 0.5, canvas.classes, 0).astype(np.uint8)
        drawn = Drawn((canvas.rgb * 255).astype(np.uint8), classes, canvas.interior, kind.value)
        yield Sketch(drawn, next(tailor for tailor in tailors if tailor.garment.label == GARMENT))


def exact(drawn: Drawn) -> tuple[Layers, Maps]:
    """What the pipeline would know if it made no mistake."""
    alpha = np.where(drawn.classes == GARMENT, np.uint8(255), np.uint8(0))
    matte = Matte(alpha, np.empty(0, np.intp), np.empty((0, 3), np.uint8))
    picture = Picture(np.ascontiguousarray(drawn.rgb))
    filling = Filling(np.where((drawn.interior > 0) & (alpha == 0), np.uint8(255), np.uint8(0)), picture.rgb)
    size = (drawn.rgb.shape[1] // 3, drawn.rgb.shape[0] // 3)
    planes = [(drawn.classes == label).astype(np.float32) for label in range(4)]
    small = [cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in planes]
    interior = cv2.resize(drawn.interior.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return Layers(picture, matte, filling), Maps(np.stack(small), np.asarray(interior, np.float32))


def landmarks(drawn: Drawn) -> Landmarks:
    return find_landmarks(*exact(drawn))


def off(found: Point | None, drawn: Point, height: int) -> float:
    """Distance as a share of the garment's height."""
    return 9.0 if found is None else float(np.hypot(found[0] - drawn[0], found[1] - drawn[1])) / height


def test_shoulders_are_where_they_were_drawn(sketches: list[Sketch]) -> None:
    """Within 6 % of the garment's height, on nine of ten; a hood or a raised arm misleads."""
    errors = []
    for sketch in sketches:
        if sketch.tailor.garment.is_upper and sketch.tailor.garment.sleeve:
            found = landmarks(sketch.drawn)
            pairs = zip((found.left_shoulder, found.right_shoulder), sketch.shoulders(), strict=True)
            errors.append(max(off(point, drawn, sketch.height) for point, drawn in pairs))
    assert len(errors) >= 10
    assert np.mean(np.array(errors) < NEAR) >= 0.9
    assert np.median(errors) < 0.03


def test_the_neck_is_the_lowest_point_of_the_front_neckline(sketches: list[Sketch]) -> None:
    """Of necklines without a collar, closed in front."""
    errors = []
    for sketch in sketches:
        garment, cut = sketch.tailor.garment, sketch.tailor.cut
        bare = garment.collar in (Collar.NONE, Collar.RIB) and garment.front is not Front.OPEN
        if garment.is_upper and bare and not cut.bare_shoulders:
            drawn = sketch.at(0, float(cut.opening()[:, 1].max()))
            errors.append(off(landmarks(sketch.drawn).neck, drawn, sketch.height))
    assert len(errors) >= 6
    assert np.mean(np.array(errors) < NEAR) >= 0.9


def test_trousers_and_skirts_have_a_waist_and_hems_alone(sketches: list[Sketch]) -> None:
    """Their waist is the upper edge, their hems the lower corners."""
    lower = [sketch for sketch in sketches if not sketch.tailor.garment.is_upper]
    assert lower
    for sketch in lower:
        found = landmarks(sketch.drawn)
        assert (found.left_shoulder, found.right_shoulder, found.neck) == (None, None, None)
        rows = np.flatnonzero((sketch.drawn.classes == GARMENT).any(1))
        assert found.left_waist
        assert found.right_hem
        assert found.left_waist[1] < rows[0] + 0.2 * sketch.height
        assert found.right_hem[1] > rows[-1] - 0.08 * sketch.height


def test_waist_and_hem_lie_on_the_outline_left_and_right_of_the_middle(sketches: list[Sketch]) -> None:
    """In this order from the top: shoulders, waist, hem."""
    for sketch in sketches:
        found = landmarks(sketch.drawn)
        waist, hem = (found.left_waist, found.right_waist), (found.left_hem, found.right_hem)
        for left, right in (waist, hem):
            assert left is not None
            assert right is not None
            assert left[0] < right[0]
        assert found.left_waist
        assert found.left_hem
        assert found.left_waist[1] <= found.left_hem[1]
        if found.left_shoulder:
            assert found.left_shoulder[1] < found.left_waist[1]


def test_a_mirrored_garment_has_mirrored_landmarks(sketches: list[Sketch]) -> None:
    """Left and right change places and nothing else happens."""
    for sketch in sketches[:8]:
        drawn = sketch.drawn
        turned = Drawn(drawn.rgb[:, ::-1], drawn.classes[:, ::-1], drawn.interior[:, ::-1], drawn.hint)
        one, other = landmarks(drawn).model_dump(), landmarks(turned).model_dump()
        for name, point in one.items():
            twin = other[name.replace("left", "x").replace("right", "left").replace("x", "right")]
            assert (point is None) == (twin is None)
            if point is not None:
                expected = (drawn.rgb.shape[1] - point[0], point[1])
                assert off(twin, expected, sketch.height) < 0.015


def test_a_larger_photo_has_the_same_landmarks_scaled(sketches: list[Sketch]) -> None:
    """Twice as large here."""
    for sketch in sketches[:8]:
        double = [np.repeat(np.repeat(plane, 2, 0), 2, 1) for plane in sketch.drawn[:3]]
        large = Drawn(double[0], double[1], double[2], sketch.drawn.hint)
        one, other = landmarks(sketch.drawn).model_dump(), landmarks(large).model_dump()
        for name, point in one.items():
            if point is not None:
                assert off(other[name], (2 * point[0], 2 * point[1]), 2 * sketch.height) < 0.015


def test_no_garment_has_no_landmarks() -> None:
    """Nor is a photo of any shape a reason to fail."""
    for size in ((1, 1), (1, 90), (90, 1), (60, 60)):
        empty = np.zeros(size, np.uint8)
        drawn = Drawn(np.zeros((*size, 3), np.uint8), empty, empty, "upper")
        picture = Picture(drawn.rgb)
        matte = Matte(empty, np.empty(0, np.intp), np.empty((0, 3), np.uint8))
        maps = Maps(np.full((4, 2, 2), 0.25, np.float32), np.zeros((2, 2), np.float32))
        assert find_landmarks(Layers(picture, matte, Filling(empty, drawn.rgb)), maps) == Landmarks()


@pytest.mark.parametrize(("narrow", "wide"), [((30, 40), (25, 45)), ((20, 25), (10, 25))])
def test_a_garment_in_pieces_has_landmarks_on_them(narrow: tuple[int, int], wide: tuple[int, int]) -> None:
    """Two of them above and two below: nothing where a chest is measured, and nothing in the middle."""
    classes = np.zeros((120, 100), np.uint8)
    for rows, (left, right) in ((np.s_[20:30], narrow), (np.s_[30:40], wide), (np.s_[85:110], wide)):
        classes[rows, left:right] = GARMENT
        classes[rows, 100 - right : 100 - left] = GARMENT
    drawn = Drawn(np.zeros((*classes.shape, 3), np.uint8), classes, np.zeros_like(classes), "upper")
    found = landmarks(drawn)
    assert found.left_shoulder
    assert found.right_shoulder
    assert found.left_shoulder[0] < 50 < found.right_shoulder[0]
    assert max(found.left_shoulder[1], found.right_shoulder[1]) <= 40
    points = [point for point in found.model_dump().values() if point is not None]
    assert np.isfinite(points).all()
