"""The matte holds the garment whole, nothing else, and no colour of what was behind it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from services.inference.pipeline.arrays import F32, U8
from services.inference.pipeline.decode import Picture
from services.inference.pipeline.guided import fit
from services.inference.pipeline.matte import Matte, matte
from services.inference.pipeline.regions import without_pinholes, without_specks
from services.inference.pipeline.segment import segment
from tests.unit.picture_samples import GARMENT, GROUND, ColourSegmenter, draw_photo, garment_mask


def matte_of(photo: U8) -> Matte:
    picture = Picture(photo)
    return matte(picture, segment(picture, ColourSegmenter()))


@pytest.mark.parametrize("size", [(300, 400), (750, 1000), (1500, 2000), (701, 333)])
def test_the_garment_is_found_to_the_pixel(size: tuple[int, int]) -> None:
    """Overlap with the drawn shape, at any size, though the model answers in 128 by 96."""
    photo = draw_photo(*size)
    found, drawn = matte_of(photo).alpha > 127, garment_mask(photo)
    assert (found & drawn).sum() / (found | drawn).sum() > 0.985


def test_alpha_is_exact_away_from_the_edge() -> None:
    """255 inside and 0 outside, without exception; in between only within a few pixels of the outline."""
    photo = draw_photo(600, 800)
    alpha = matte_of(photo).alpha
    drawn = cv2.morphologyEx(garment_mask(photo).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3)))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (25, 25))
    assert (alpha[cv2.erode(drawn, disc) > 0] == 255).all()
    assert (alpha[cv2.dilate(drawn, disc) == 0] == 0).all()
    assert 0 < ((alpha > 0) & (alpha < 255)).mean() < 0.03


def test_the_edge_takes_the_garments_colour() -> None:
    """Mixed pixels lose the wall's share of their colour: no light rim on a dark ground."""
    photo = draw_photo(600, 800)
    found = matte_of(photo)
    mixed = photo.reshape(-1, 3)[found.edge].astype(float)
    fabric, wall = np.array(GARMENT, float), np.array(GROUND, float)
    tint_before = ((mixed - fabric) @ (wall - fabric)).mean() / ((wall - fabric) @ (wall - fabric))
    tint_after = ((found.colours - fabric) @ (wall - fabric)).mean() / ((wall - fabric) @ (wall - fabric))
    assert tint_before > 0.2
    assert abs(tint_after) < 0.06


def test_the_edge_is_listed_completely() -> None:
    """Every mixed pixel has a colour, and only they have one."""
    found = matte_of(draw_photo())
    flat = found.alpha.reshape(-1)
    assert np.array_equal(found.edge, np.flatnonzero((flat > 0) & (flat < 255)))
    assert found.colours.shape == (len(found.edge), 3)


def test_the_photos_own_transparency_stays() -> None:
    """What was cut away before is not filled again."""
    photo = draw_photo()
    own = np.full(photo.shape[:2], 255, np.uint8)
    own[200:, :] = 0
    picture = Picture(photo, own)
    alpha = matte(picture, segment(picture, ColourSegmenter())).alpha
    assert (alpha[200:] == 0).all()
    assert (alpha[150:190, 140:160] == 255).all()


@pytest.mark.parametrize("size", [(1, 1), (1, 90), (300, 2), (64, 64)])
def test_a_photo_without_a_garment_gives_nothing(size: tuple[int, int]) -> None:
    """Of any shape."""
    found = matte_of(np.full((size[1], size[0], 3), GROUND, np.uint8))
    assert not found.alpha.any()
    assert len(found.edge) == 0


def test_a_photo_of_nothing_but_garment_is_kept_whole() -> None:
    """There is no edge to refine and no colour of a ground to learn."""
    assert (matte_of(np.full((90, 60, 3), GARMENT, np.uint8)).alpha == 255).all()


def test_the_same_photo_gives_the_same_matte() -> None:
    """Though k-means inside GrabCut starts at random."""
    photo = draw_photo(450, 600, seed=3)
    assert np.array_equal(matte_of(photo).alpha, matte_of(photo).alpha)


def test_specks_go_and_parts_stay() -> None:
    """A 1 % speck is dropped, a second part of a fifth of the size is kept."""
    mask = np.zeros((100, 100), np.uint8)
    mask[10:60, 10:60], mask[70:92, 70:92], mask[2:6, 90:94] = 1, 1, 1
    kept = without_specks(mask)
    assert kept[30, 30] == 1
    assert kept[80, 80] == 1
    assert kept[3, 92] == 0


def test_pinholes_close_only_where_the_model_half_believes_in_them() -> None:
    """Two holes of one size; one is the segmenter's doubt, the other is clearly not garment."""
    mask = np.ones((100, 100), np.uint8)
    mask[:10] = mask[20:23, 20:23] = mask[60:63, 60:63] = mask[80:95, 40:60] = 0
    belief: F32 = mask.astype(np.float32)
    belief[20:23, 20:23] = belief[80:95, 40:60] = 0.4
    closed = without_pinholes(mask, belief)
    assert closed[21, 21] == 1
    assert closed[61, 61] == 0
    assert closed[90, 50] == 0


def test_the_guided_filter_solves_the_published_equations() -> None:
    """The same as plain matrices window by window, away from the border."""
    rng = np.random.default_rng(1)
    guide = rng.random((24, 24, 3), dtype=np.float32)
    mask = (rng.random((24, 24)) > 0.5).astype(np.float32)
    factors = fit(guide, mask, np.ones((24, 24), np.bool_), 2)
    assert np.allclose(factors[12, 12], _window_mean(guide, mask, 12, 12, 2), atol=2e-3)


def _window_mean(guide: F32, mask: F32, row: int, column: int, radius: int) -> F32:
    reach = range(-radius, radius + 1)
    solved = [_one_window(guide, mask, row + y, column + x, radius) for y in reach for x in reach]
    return np.asarray(np.mean(solved, axis=0), np.float32)


def _one_window(guide: F32, mask: F32, row: int, column: int, radius: int) -> F32:
    part = np.s_[row - radius : row + radius + 1, column - radius : column + radius + 1]
    colours, values = guide[part].reshape(-1, 3).astype(float), mask[part].reshape(-1).astype(float)
    spread = np.cov(colours.T, bias=True) + 1e-4 * np.eye(3)
    slopes = np.linalg.solve(spread, (colours * values[:, None]).mean(0) - colours.mean(0) * values.mean())
    return np.asarray([*slopes, values.mean() - slopes @ colours.mean(0)], np.float32)
