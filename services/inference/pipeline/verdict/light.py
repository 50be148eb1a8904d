"""The photo itself: sharpness and light."""

from __future__ import annotations

import cv2
import numpy as np

from services.inference.pipeline.arrays import F32, U8, Bools, Indices
from services.inference.pipeline.verdict.blobs import grown
from services.inference.pipeline.verdict.reasons import Reason
from services.inference.pipeline.verdict.view import SHOWN, Evidence, Findings, View

_RISE_WITHIN = np.ones((9, 9), np.uint8)
_PEAK_WITHIN = np.ones((5, 5), np.uint8)
_CONTRAST = 24.0
"""Levels that an edge must rise by within 9 px to say something about sharpness."""
_AMONG_BEST = 0.5
"""Share of the strongest edges' rise that the others must have: folds are soft in the sharpest photo."""
_FLAT = np.float32(0.06)
"""Share of the rise in a single px up to which a peak lies beside an edge, not on it."""
_SHARPEST = 90
"""Percentile of steepness: the sharpest edges of a direction decide."""
_BLURRED = 0.27
"""Share of an edge's whole rise in a single px from which it is sharp; 0.5 is as sharp as can be."""
_DIRECTIONS = 4
_FEWEST = 10
"""Edges of a direction below which it says nothing."""
_LIGHTEST = 98
"""Percentile of the luma that counts as the lightest parts."""
_DARK = 97.0
"""Luma (0..255) that the lightest parts of a photo should have at least."""


def blur(view: View) -> Findings:
    """Unsharp edges on and in the garment. Amount: 1 where the steepest are at the limit; more is softer.

    Edges of each direction by themselves: a moved camera blurs some and leaves others sharp.
    """
    grey = np.asarray(cv2.cvtColor(view.rgb, cv2.COLOR_RGB2GRAY), np.uint8)
    steepness, direction = _edges(grey, grown(view.own > SHOWN, 4))
    softest = 0.0
    for turn in range(_DIRECTIONS):
        edges = steepness[direction == turn]
        if len(edges) >= _FEWEST:
            softest = max(softest, _BLURRED / max(float(np.percentile(edges, _SHARPEST)), 1e-3))
    return {Reason.BLURRED: Evidence(softest)}


def darkness(view: View) -> Findings:
    """Missing light. Amount: 1 where the lightest parts of the photo are at the limit; more is darker."""
    lightest = float(np.percentile(cv2.cvtColor(view.rgb, cv2.COLOR_RGB2GRAY), _LIGHTEST))
    return {Reason.TOO_DARK: Evidence(_DARK / max(lightest, 1.0))}


def _edges(grey: U8, where: Bools) -> tuple[F32, Indices]:
    """The photo's strong edges: what share of its rise each makes in one px, and its direction; [n] each."""
    rise = cv2.subtract(cv2.dilate(grey, _RISE_WITHIN), cv2.erode(grey, _RISE_WITHIN))
    across = cv2.Sobel(grey, cv2.CV_32F, 1, 0, ksize=1, scale=0.5)
    down = cv2.Sobel(grey, cv2.CV_32F, 0, 1, ksize=1, scale=0.5)
    slope = np.asarray(cv2.magnitude(across, down), np.float32)
    if not where.any():
        return np.empty(0, np.float32), np.empty(0, np.intp)
    enough = max(_CONTRAST, _AMONG_BEST * float(np.percentile(rise[where], 98)))
    peaks = where & (rise > enough) & (slope >= cv2.dilate(slope, _PEAK_WITHIN)) & (slope > rise * _FLAT)
    turn = np.arctan2(down[peaks], across[peaks]) * (_DIRECTIONS / np.pi)
    return slope[peaks] / rise[peaks], np.rint(turn).astype(np.intp) % _DIRECTIONS
