"""How alike two masks are. All masks are bool [H,W]."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from services.inference.pipeline.arrays import F32, Bools

TOLERANCES = (0.001, 0.003, 0.01)
"""Of a photo's diagonal: how far contours may be apart."""


def iou(found: Bools, truth: Bools) -> float:
    """Intersection over union; 1 if both are empty."""
    union = np.logical_or(found, truth).sum()
    return float(np.logical_and(found, truth).sum() / union) if union else 1.0


def boundary_f(found: Bools, truth: Bools, tolerances: Sequence[float] = (0.003,)) -> list[float]:
    """Harmonic mean of the shares of each contour that lie close to the other, for each tolerance.

    As of DAVIS (Perazzi et al., 2016), whose tolerance is a disc around each pixel. What the photo's frame
    cuts off is no contour.
    """
    one, other = _contour(found), _contour(truth)
    if not one.any() or not other.any():
        return [float(one.any() == other.any())] * len(tolerances)
    diagonal = float(np.hypot(*truth.shape))
    there, back = _distance_to(other)[one], _distance_to(one)[other]
    reaches = [max(1, round(tolerance * diagonal)) for tolerance in tolerances]
    return [_harmonic(float((there <= reach).mean()), float((back <= reach).mean())) for reach in reaches]


def leak(found: Bools, foreign: Bools) -> float:
    """Share of what was found that is something else in truth; 0 if nothing was found."""
    return float((found & foreign).sum() / max(1, found.sum()))


def loss(found: Bools, truth: Bools) -> float:
    """Share of the truth that was not found; 0 if there is nothing to find."""
    return float((truth & ~found).sum() / max(1, truth.sum()))


def _harmonic(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _contour(mask: Bools) -> Bools:
    inner = cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return mask & ~inner


def _distance_to(contour: Bools) -> F32:
    distance = cv2.distanceTransform((~contour).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(distance, np.float32)
