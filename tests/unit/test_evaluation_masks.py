"""The scores of masks and mattes, on shapes whose scores are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from services.inference.pipeline.arrays import F32, Bools
from training.evaluation.alphas import alpha_errors, unknown_band
from training.evaluation.masks import TOLERANCES, boundary_f, iou, leak, loss

masks = arrays(np.bool_, (12, 9), elements=st.booleans())
pairs = st.tuples(masks, masks)


def square(left: int = 50, side: int = 100) -> Bools:
    """A square in a picture of 200×200, whose diagonal is 283 px."""
    mask = np.zeros((200, 200), np.bool_)
    mask[50 : 50 + side, left : left + side] = True
    return mask


def disc(softness: float = 3, shift: float = 0) -> F32:
    """A disc with an edge that fades over so many px."""
    rows, columns = np.ogrid[:120, :120]
    distance = np.hypot(rows - 60, columns - 60 - shift)
    return np.asarray(np.clip((40 - distance) / softness + 0.5, 0, 1), np.float32)


@given(pairs)
def test_no_side_is_favoured(pair: tuple[Bools, Bools]) -> None:
    """IoU and boundary F are the same whichever mask is called the truth."""
    found, truth = pair
    assert iou(found, truth) == iou(truth, found)
    assert boundary_f(found, truth) == pytest.approx(boundary_f(truth, found))


@given(masks)
def test_a_mask_is_exactly_like_itself(mask: Bools) -> None:
    """Also an empty one."""
    assert iou(mask, mask) == 1
    assert boundary_f(mask, mask, TOLERANCES) == [1, 1, 1]
    assert leak(mask, ~mask) == loss(mask, mask) == 0


@given(pairs)
def test_a_wider_tolerance_forgives_more(pair: tuple[Bools, Bools]) -> None:
    """And everything lies between 0 and 1."""
    scores = boundary_f(*pair, (0.001, 0.1, 0.5))
    assert scores == sorted(scores)
    assert 0 <= scores[0] <= scores[2] <= 1


def test_overlap_is_counted_in_pixels() -> None:
    """A square moved by a quarter of its side shares 3 of 5 quarters."""
    assert iou(square(75), square(50)) == pytest.approx(0.6)
    assert loss(square(75), square(50)) == pytest.approx(0.25)
    assert leak(square(75), ~square(50)) == pytest.approx(0.25)
    assert iou(np.zeros((200, 200), np.bool_), square()) == 0


def test_a_contour_within_reach_is_found() -> None:
    """Moved by 2 px, the upright sides miss at 1 px and hit at 3 px; the level ones hit but at their ends."""
    tight, wide = boundary_f(square(52), square(50), (1 / 283, 3 / 283))
    assert wide == 1
    assert 0.49 < tight < 0.52


def test_the_frame_is_no_contour() -> None:
    """A garment that leaves the picture is not scored along the picture's edge."""
    half = np.zeros((200, 200), np.bool_)
    half[:, :100] = True
    assert boundary_f(half, half) == [1]
    assert boundary_f(np.ones_like(half), half) == [0]


def test_a_mask_without_a_contour_matches_only_its_like() -> None:
    """Nothing found where nothing is counts as right."""
    empty = np.zeros((200, 200), np.bool_)
    assert boundary_f(empty, empty) == [1]
    assert boundary_f(empty, square()) == [0]


def test_a_perfect_matte_has_no_errors() -> None:
    """Whatever lies outside the unknown band is not judged."""
    truth = disc()
    elsewhere = truth.copy()
    elsewhere[:10, :10] = 1
    assert not unknown_band(truth)[:10, :10].any()
    assert set(alpha_errors(elsewhere, truth).values()) == {0.0}


def test_the_errors_of_a_constant_difference_are_its_sums() -> None:
    """0.25 too much on every pixel of the band: SAD counts it, MSE squares it."""
    truth = np.where(disc() > 0, np.float32(0.5), np.float32(0))
    band = unknown_band(truth)
    errors = alpha_errors(np.where(band, truth + np.float32(0.25), truth), truth)
    assert errors["sad"] == pytest.approx(0.25 * band.sum() / 1000, rel=1e-5)
    assert errors["mse"] == pytest.approx(0.0625, rel=1e-5)


def test_a_blurred_edge_is_seen_by_the_gradient() -> None:
    """An edge of another width has another slope; one as wide in the same place has the same."""
    assert alpha_errors(disc(9), disc(3))["gradient"] > 10 * alpha_errors(disc(3.2), disc(3))["gradient"]


def test_a_loose_island_is_seen_by_connectivity() -> None:
    """The same sum of errors costs more where it hangs together with nothing."""
    truth = disc()
    grown, island = truth.copy(), truth.copy()
    band = unknown_band(truth) & (truth == 0)
    island[band] = 1
    grown[band] = 0.14
    assert alpha_errors(island, truth)["connectivity"] > 0
    assert alpha_errors(grown, truth)["connectivity"] == 0
