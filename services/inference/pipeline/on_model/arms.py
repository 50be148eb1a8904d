"""How far along an arm each bare pixel of a figure is: what a sleeve may cover, and where the hand begins."""

from __future__ import annotations

import cv2
import numpy as np

from services.inference.pipeline.arrays import F32, Bools
from services.inference.pipeline.on_model.contour import F64

HAND = 0.78
"""Share of the way from a shoulder to the fingertips at which a hand begins."""
ELBOW = 0.42
_FULL = 1.15
"""Length of an arm, in shoulder widths, from which all of it is seen; less is a part, without a hand."""
_STEPS, _COVERED = 20, 0.4
"""Steps along an arm, and the share of each that a sleeve covers at least."""
_CUBE = np.ones((3, 3), np.uint8)


def along_arms(bare: Bools, shoulders: F64, unit: float) -> F32:
    """float32 [h,w]: 0 at the shoulder to 1 at the fingertips; NaN where there is no arm.

    `bare` [h,w]: skin below the shoulders; `shoulders` [2,2] (x, y) and `unit`, their distance: px. Each
    part of `bare` is the arm of the shoulder that is nearer to it.
    """
    found = np.full(bare.shape, np.nan, np.float32)
    count, labels = cv2.connectedComponents(bare.view(np.uint8), connectivity=8)
    for number in range(1, count):
        part = np.asarray(labels == number, np.bool_)
        if part.sum() > (0.1 * unit) ** 2:
            found[part] = _along(part, shoulders, unit)[part]
    return found


def exposed(arms: F32, garment: Bools) -> Bools:
    """Bare arm beside a sleeve, [h,w]: what is open above where most of an arm's width is open."""
    known = ~np.isnan(arms)
    steps = np.clip(np.nan_to_num(arms) * _STEPS, 0, _STEPS - 1).astype(np.intp)
    there = np.bincount(steps[known], minlength=_STEPS)
    covered = np.bincount(steps[known & garment], minlength=_STEPS)
    bare = np.flatnonzero((there > 0) & (covered < _COVERED * there))
    end = int(bare[0]) if len(bare) else _STEPS
    return np.asarray(known & ~garment & (steps < end), np.bool_)


def _along(part: Bools, shoulders: F64, unit: float) -> F32:
    rows, columns = np.nonzero(part)
    points = np.stack([columns, rows], axis=1)
    away = np.linalg.norm(points[:, None] - shoulders[None], axis=-1)
    nearest = int(away.min(0).argmin())
    first = float(away[:, nearest].min())
    start = np.zeros_like(part)
    near = away[:, nearest] <= first + 2
    start[rows[near], columns[near]] = True
    length = first + _walked(part, start)
    full = float(length[part].max())
    return np.asarray(length / max(full, _FULL * unit), np.float32)


def _walked(part: Bools, start: Bools) -> F32:
    """Steps within a part from where one starts, [h,w]."""
    steps = np.zeros(part.shape, np.float32)
    reached, mask = start.view(np.uint8).copy(), part.view(np.uint8)
    step = 0
    while True:
        grown = np.asarray(cv2.dilate(reached, _CUBE), np.uint8) & mask
        new = grown > reached
        if not new.any():
            steps[part & (reached == 0)] = step
            return steps
        step += 1
        steps[new] = step
        reached = grown
