"""Edge-aware upsampling: a coarse mask takes over the edges of the photo."""

from __future__ import annotations

import cv2
import numpy as np

from services.inference.pipeline.arrays import F32, Bools
from services.inference.pipeline.regions import window_around

EPSILON = 1e-4
"""Variance of colour (0..1 squared) that is noise rather than an edge."""
_NEXT_CHANNEL = np.roll(np.eye(3, dtype=np.float32), 1, axis=1)
"""Turns (r, g, b) into (g, b, r)."""


def fit(guide: F32, mask: F32, near: Bools, radius: int) -> F32:
    """Alpha as a linear function of colour: the colour guided filter (He, Sun, Tang 2013, section 3.5).

    `guide` is float32 [h,w,3] in 0..1, `mask` float32 [h,w] in 0..1. Only pixels in `near` are solved: the
    mask must be constant within `radius` of all others, where the filter changes nothing. Returns float32
    [h,w,4]: the factors of r, g, b and a constant.
    """
    factors = np.zeros((*mask.shape, 4), np.float32)
    factors[..., 3] = mask
    window = window_around(near.view(np.uint8), 2 * radius + 1)
    factors[window] = _fit(guide[window], mask[window], near[window], radius)
    return factors


def _fit(guide: F32, mask: F32, near: Bools, radius: int) -> F32:
    slopes, constants = _solve_windows(guide, mask, near, radius)
    solved = np.zeros((*mask.shape, 4), np.float32)
    solved[..., 3] = mask
    solved[near] = np.column_stack([slopes, constants])
    return _box(solved, radius)


def _solve_windows(guide: F32, mask: F32, near: Bools, radius: int) -> tuple[F32, F32]:
    """Slopes [n,3] and constants [n] of the windows centred on the n pixels in `near`."""
    colour, level = _box(guide, radius)[near], _box(mask, radius)[near]
    squares = _box(guide * guide, radius)[near] - colour * colour
    turned = np.asarray(cv2.transform(guide, _NEXT_CHANNEL), np.float32)
    crossed = _box(guide * turned, radius)[near] - colour * np.roll(colour, -1, axis=1)
    with_mask = np.asarray(cv2.multiply(guide, cv2.merge([mask] * 3)), np.float32)
    covariances = _box(with_mask, radius)[near] - colour * level[:, None]
    slopes = _solve(squares, crossed, covariances)
    return slopes, level - np.einsum("nc,nc->n", slopes, colour)


def _solve(squares: F32, crossed: F32, covariances: F32) -> F32:
    """Slopes [n,3]: (Σ + εI)⁻¹ cov by the adjugate, in double; Σ comes as (rr, gg, bb) and (rg, gb, br)."""
    rr, gg, bb = (squares.astype(np.float64) + EPSILON).T
    rg, gb, br = crossed.astype(np.float64).T
    first = np.stack([gg * bb - gb * gb, br * gb - rg * bb, rg * gb - br * gg])
    second = np.stack([first[1], rr * bb - br * br, br * rg - rr * gb])
    third = np.stack([first[2], second[2], rr * gg - rg * rg])
    determinant = rr * first[0] + rg * first[1] + br * first[2]
    r, g, b = covariances.astype(np.float64).T
    return np.asarray(((first * r + second * g + third * b) / determinant).T, np.float32)


def _box(values: F32, radius: int) -> F32:
    side = 2 * radius + 1
    return np.asarray(cv2.blur(values, (side, side), borderType=cv2.BORDER_REFLECT_101), np.float32)
