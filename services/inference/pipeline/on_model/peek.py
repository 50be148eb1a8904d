"""What still shows of the person's old garment: thin rests are painted over, thick ones are told of."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from services.inference.pipeline.arrays import F32, U8, Bools
from services.inference.pipeline.resample import reduced, within

_THIN = 0.055
"""Widest rest, in shoulder widths, that its surroundings are drawn over."""
_SIDE = 320
"""Longest side (px) at which surroundings are smoothed."""
_SEEN = 40


@dataclass(frozen=True, slots=True, eq=False)
class Rest:
    """`painted` uint8 [H,W]: weight with which `rgb` [H,W,3] lies over the photo; `visible` [H,W]: what is
    still seen of the old garment; `share`: that of all of it.
    """

    painted: U8
    rgb: U8
    visible: Bools
    share: float


def old_garment(rgb: U8, old: U8, covered: U8, front: U8, unit: float) -> Rest:
    """`old`: the worn garment's alpha, `covered` the new one's, `front` that of what lies before both [H,W].

    `unit`: the shoulders' width, px.
    """
    left = np.asarray((old > _SEEN) & (covered < 128) & (front < 128), np.uint8)
    size = max(3, round(_THIN * unit) | 1)
    thick = cv2.morphologyEx(left, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
    thick = np.asarray(cv2.dilate(thick, np.ones((5, 5), np.uint8)), np.uint8) & left
    whole = max(1, int((old > 127).sum()))
    visible = np.asarray((thick > 0) & (old > _SEEN), np.bool_)
    share = float(visible.sum()) / whole
    thin = np.asarray((left > 0) & (thick == 0), np.uint8) * np.uint8(255)
    if not thin.any():
        return Rest(thin, rgb, visible, share)
    soft = cv2.GaussianBlur(cv2.dilate(thin, np.ones((5, 5), np.uint8)), (0, 0), 1.2)
    weight = np.where(thick > 0, 0, np.minimum(soft, 255 - front)).astype(np.uint8)
    away = np.asarray((old > 8) | (covered > 8) | (front > 8), np.bool_)
    return Rest(weight, _surroundings(rgb, away, unit), visible, share)


def _surroundings(rgb: U8, away: Bools, unit: float) -> U8:
    """The photo with what is to go away replaced by what lies around it, nearer things weighing more."""
    size = within(rgb.shape[1], rgb.shape[0], _SIDE)
    known = reduced(np.where(away, np.uint8(0), np.uint8(255)), size).astype(np.float32) / 255
    known = np.where(known > 0.99, np.float32(1), np.float32(0))
    small = reduced(rgb, size).astype(np.float32)
    near = max(1.0, 0.03 * unit * size[0] / rgb.shape[1])
    filled = small * 0
    total = np.zeros(known.shape, np.float32)
    for spread, weight in ((near, 1.0), (4 * near, 1e-3), (16 * near, 1e-6)):
        filled += weight * _blurred(np.asarray(small * known[..., None], np.float32), spread)
        total += weight * _blurred(np.asarray(known, np.float32), spread)
    colours = np.clip(filled / np.maximum(total, 1e-9)[..., None], 0, 255).astype(np.uint8)
    return np.asarray(cv2.resize(colours, rgb.shape[1::-1], interpolation=cv2.INTER_LINEAR), np.uint8)


def _blurred(plane: F32, spread: float) -> F32:
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), spread), np.float32)
