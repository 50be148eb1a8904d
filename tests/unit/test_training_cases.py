"""Training cases: labels stay on their pixels through every change, and what is unknown stays unknown."""

from __future__ import annotations

import numpy as np
import pytest

from training.augment import augmented
from training.cases import UNKNOWN, Case, halved, letterboxed
from training.composites import street_case, studio_case
from training.fabrics import dressed
from training.photos import BACKGROUND, BODY, GARMENT, OTHER
from training.street import HAIR, SKIN, Street, classes_of, targets

_COAT, _JEANS, _BAG = 13, 25, 2


def passer_by(seed: int = 0) -> Street:
    """A figure of plain colours: hair, face, a coat, jeans and a bag, before noise."""
    rng = np.random.default_rng(seed)
    labels = np.zeros((400, 260), np.uint8)
    for label, rows, columns in (
        (HAIR, (30, 45), (115, 145)),
        (SKIN, (45, 80), (118, 142)),
        (_COAT, (80, 220), (80, 180)),
        (_JEANS, (220, 350), (95, 165)),
        (_BAG, (180, 240), (175, 210)),
    ):
        labels[slice(*rows), slice(*columns)] = label
    rgb = rng.integers(0, 90, (400, 260, 3)).astype(np.uint8)
    rgb[labels > 0] = 40 + 3 * labels[labels > 0, None]
    return Street("someone", rgb, labels)


def drawn_case() -> Case:
    """A green square on black, whose colour is its class."""
    classes = np.zeros((200, 150), np.uint8)
    classes[40:160, 30:120] = GARMENT
    rgb = np.zeros((200, 150, 3), np.uint8)
    rgb[classes == GARMENT] = (20, 220, 30)
    return Case(rgb, classes, np.zeros_like(classes), "upper")


def test_labels_become_classes() -> None:
    """Skin and hair are body, the chosen label is the garment, the rest is other things."""
    labels = np.array([[0, SKIN, HAIR, _COAT, _JEANS, _BAG]], np.uint8)
    assert classes_of(labels, _COAT).tolist() == [[BACKGROUND, BODY, BODY, GARMENT, OTHER, OTHER]]


def test_a_photo_is_about_its_largest_garment_of_each_kind() -> None:
    """And the largest of all is the one that needs no hint."""
    found = {target.hint: target for target in targets(passer_by().labels)}
    assert {hint: target.label for hint, target in found.items()} == {"upper": _COAT, "lower": _JEANS}
    assert found["upper"].largest
    assert not found["lower"].largest


@pytest.mark.parametrize("seed", range(6))
def test_a_changed_picture_keeps_its_labels(seed: int) -> None:
    """Where the variant is labelled garment, it shows the garment's colour."""
    case = augmented(np.random.default_rng(seed), drawn_case(), (128, 96))
    assert case.rgb.shape == (128, 96, 3)
    inside = case.rgb[case.classes == GARMENT].astype(int)
    outside = case.rgb[case.classes == BACKGROUND].astype(int)
    assert len(inside) > 500
    assert abs(inside.sum(1).mean() - outside.sum(1).mean()) > 40


def test_the_letterbox_is_unknown_ground() -> None:
    """A wide picture on a tall sheet: what repeats its edge counts for nothing."""
    case = letterboxed(drawn_case().cut((0, 60, 150, 130)), (128, 96))
    assert (case.classes[[0, -1]] == UNKNOWN).all()
    assert (case.classes[64] == GARMENT).any()
    halves = halved(case.classes)
    assert (halves[0] == UNKNOWN).all()
    assert set(np.unique(halves)) == {BACKGROUND, GARMENT, UNKNOWN}


@pytest.mark.parametrize("seed", range(12))
def test_people_off_the_street_come_with_classes_and_without_interior(seed: int) -> None:
    """As they are, or before another ground; the garment asked for is there."""
    rng = np.random.default_rng(seed)
    for case in (street_case(rng, passer_by()), studio_case(rng, passer_by(), passer_by(1))):
        assert case is not None
        assert (case.classes == GARMENT).mean() > 0.02
        assert (case.interior == UNKNOWN).all()
        assert case.rgb.shape[:2] == case.classes.shape
        assert case.hint in ("auto", "upper", "lower")


def test_nobody_there_makes_no_case() -> None:
    """A photo without a garment is passed over."""
    empty = Street("nobody", np.zeros((60, 40, 3), np.uint8), np.zeros((60, 40), np.uint8))
    assert street_case(np.random.default_rng(0), empty) is None
    assert studio_case(np.random.default_rng(0), empty, passer_by()) is None


def test_cloth_goes_on_the_garment_alone() -> None:
    """Everything else stays as drawn."""
    case, cloth = drawn_case(), np.full((224, 224, 3), (200, 30, 30), np.uint8)
    worn = dressed(np.random.default_rng(0), case, cloth)
    assert (worn.rgb[:30] == case.rgb[:30]).all()
    assert worn.rgb[100, 75, 0] > 120 > worn.rgb[100, 75, 1]
