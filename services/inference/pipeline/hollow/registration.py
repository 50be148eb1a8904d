"""Where the garment of one photo lies in another photo of it: by the outline, which both sides share."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from services.inference.pipeline.arrays import F32, Bools
from services.inference.pipeline.hollow.evidence import Evidence, Frame, grown

UPPER = 0.7
"""The upper part of a garment that is compared: a turned-out hem hangs as it likes."""
TURN, STRETCH = 15.0, 1.25
"""Largest turn (degrees) and change of scale between two shots of one camera."""
_RAMP = (24.0, 8.0, 3.0)
"""How far (px of the evidence) an outline is felt, coarse then fine."""
_ROUNDS = (60, 1e-5)


@dataclass(frozen=True, slots=True, eq=False)
class Registration:
    """`matrix` float32 [2,3] takes px of the front to px of the other photo; `confidence` is 0..1.

    The confidence is the overlap (intersection over union) of both outlines' upper parts.
    """

    matrix: F32
    confidence: float


def register(front: Evidence, other: Evidence, unknown: Bools) -> Registration:
    """Finds the garment of `front` in `other`. What lies in `unknown` (the front's size) is not compared."""
    if not front.garment.any() or not other.garment.any():
        return Registration(np.eye(2, 3, dtype=np.float32), 0.0)
    compared = _upper(front.garment) & ~grown(unknown, 6)
    small = _start(front.garment, other.garment)
    for ramp in _RAMP:
        small = _refined(front.garment, other.garment, compared, small, ramp)
    confidence = _overlap(front.garment, other.garment, compared, small) if _is_plausible(small) else 0.0
    return Registration(_at_photo_size(small, front.scale, other.scale), confidence)


def _upper(garment: Bools) -> Bools:
    """The rows of a garment's upper part, with the ground beside it."""
    frame = Frame.around(garment)
    rows = np.zeros(garment.shape, np.bool_)
    rows[max(0, frame.top - frame.height // 10) : frame.top + round(UPPER * frame.height)] = True
    return rows


def _start(front: Bools, other: Bools) -> F32:
    """A shift and a scale by the landmarks that every outline has: its shoulders, left, right and top."""
    ours, theirs = Frame.around(_part(front)), Frame.around(_part(other))
    scale = float(np.clip(theirs.width / max(1, ours.width), 1 / STRETCH, STRETCH))
    x = theirs.centre[0] - scale * ours.centre[0]
    y = theirs.top - scale * ours.top
    return np.array([[scale, 0, x], [0, scale, y]], np.float32)


def _part(garment: Bools) -> Bools:
    return np.asarray(garment & _upper(garment), np.bool_)


def _refined(front: Bools, other: Bools, compared: Bools, start: F32, ramp: float) -> F32:
    """By correlation (ECC; Evangelidis, Psarakis 2008) of the two outlines; as it was if that fails."""
    criteria = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, *_ROUNDS)
    ours, theirs = _hills(front, ramp), _hills(other, ramp)
    mask = _warped(compared.astype(np.float32), _inverse(start), theirs.shape) > 0.5
    try:
        # The mask of this function is the second picture's.
        found = cv2.findTransformECC(
            ours, theirs, start.copy(), cv2.MOTION_AFFINE, criteria, mask.view(np.uint8), 3
        )[1]
    except cv2.error:
        return start
    refined = np.asarray(found, np.float32)
    before = _overlap(front, other, compared, start)
    return refined if _overlap(front, other, compared, refined) >= before else start


def _hills(mask: Bools, ramp: float) -> F32:
    """Distance from the outline (px, inside positive), level beyond the ramp."""
    inside = cv2.distanceTransform(mask.view(np.uint8), cv2.DIST_L2, 3)
    outside = cv2.distanceTransform((~mask).view(np.uint8), cv2.DIST_L2, 3)
    return np.asarray(np.clip(inside - outside, -ramp, ramp), np.float32)


def _overlap(front: Bools, other: Bools, compared: Bools, matrix: F32) -> float:
    theirs = _warped(other.astype(np.float32), matrix, front.shape) > 0.5
    union = (front | theirs) & compared
    return float((front & theirs & compared).sum() / max(1, int(union.sum())))


def _warped(plane: F32, matrix: F32, shape: tuple[int, ...]) -> F32:
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(plane, matrix, (shape[1], shape[0]), flags=flags), np.float32)


def _inverse(matrix: F32) -> F32:
    return np.asarray(cv2.invertAffineTransform(matrix), np.float32)


def _is_plausible(matrix: F32) -> bool:
    """Whether the same camera could have taken it: hardly turned, scaled or sheared."""
    linear = matrix[:, :2].astype(np.float64)
    large, low = np.linalg.svd(linear, compute_uv=False)
    turn = np.degrees(np.arctan2(linear[1, 0] - linear[0, 1], linear[0, 0] + linear[1, 1]))
    return bool(1 / STRETCH <= low <= large <= STRETCH and large / low < 1.15 and abs(turn) <= TURN)


def _at_photo_size(small: F32, front: tuple[float, float], other: tuple[float, float]) -> F32:
    """The transform between evidences as one between photos: half a pixel lies between their origins."""
    there = _between(1 / other[0], 1 / other[1]) @ _square(small) @ _between(front[0], front[1])
    return np.asarray(there[:2], np.float32)


def _between(x: float, y: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1]])


def _square(matrix: F32) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.vstack([matrix.astype(np.float64), [0, 0, 1]])
