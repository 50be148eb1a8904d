"""Whether a drawing shows the garment of the photo: by what is visible of it in both."""

from __future__ import annotations

import cv2
import numpy as np

from services.inference.pipeline.arrays import F32, U8, Bools
from services.inference.pipeline.decode import Picture
from services.inference.pipeline.hollow.colour_transfer import SAME_CLOTH, transfer
from services.inference.pipeline.hollow.evidence import SIDE, shrunk
from services.inference.pipeline.hollow.inside_shot import Aligned
from services.inference.pipeline.resample import reduced, within

COVERED = 0.9
"""Share of the visible garment that must be drawn, too."""
TYPICAL, MOST = 7.0, 24.0
"""Distances in CIELAB, colours matched and details smoothed, that half and nine tenths of it may have."""
_SOLID = 250
_RIM = 3.0
_FEWEST = 200
_SMOOTH = 1.5


def agree(photo: Picture, alpha: U8, drawing: Aligned) -> bool:
    """Whether the visible garment (alpha [H,W] 255) looks alike in the photo and in the drawing behind it."""
    size = within(photo.width, photo.height, SIDE)
    ours = reduced(photo.rgb, size)
    theirs, drawn = _fetched(drawing, (photo.width, photo.height), size)
    garment = shrunk(np.asarray(reduced(alpha, size) >= _SOLID, np.bool_), _RIM)
    both = garment & (drawn >= _SOLID)
    if garment.sum() < _FEWEST or both.sum() < COVERED * garment.sum():
        return False
    return _same_cloth(ours[both], theirs[both]) and _look_alike(ours, theirs, both)


def _fetched(drawing: Aligned, photo: tuple[int, int], size: tuple[int, int]) -> tuple[U8, U8]:
    """RGB and alpha of the drawing under the photo, reduced to `size` (width, height)."""
    theirs = within(drawing.picture.width, drawing.picture.height, SIDE)
    there = _scaling(theirs[0] / drawing.picture.width, theirs[1] / drawing.picture.height)
    back = _scaling(photo[0] / size[0], photo[1] / size[1])
    matrix = (there @ np.vstack([drawing.registration.matrix, [0, 0, 1]]) @ back)[:2]
    rgb, alpha = (
        cv2.warpAffine(reduced(plane, theirs), matrix, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        for plane in (drawing.picture.rgb, drawing.alpha)
    )
    return np.asarray(rgb, np.uint8), np.asarray(alpha, np.uint8)


def _scaling(x: float, y: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """From px to px of a picture that is so many times as large."""
    return np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1]])


def _same_cloth(ours: U8, theirs: U8) -> bool:
    """Whether no more than the light differs."""
    middles = [np.median(_lab(colours.reshape(1, -1, 3))[0], axis=0) for colours in (ours, theirs)]
    return bool(np.linalg.norm(middles[0] - middles[1]) <= SAME_CLOTH)


def _look_alike(ours: U8, theirs: U8, both: Bools) -> bool:
    nothing = np.empty((0, 3), np.uint8)
    matched = transfer(theirs.astype(np.float32), theirs[both], ours[both], nothing, nothing)
    levels = np.asarray(np.clip(np.rint(matched), 0, 255), np.uint8)
    apart = np.linalg.norm(_smooth(_lab(ours), both) - _smooth(_lab(levels), both), axis=-1)[both]
    return bool(np.median(apart) <= TYPICAL and np.percentile(apart, 90) <= MOST)


def _smooth(lab: F32, mask: Bools) -> F32:
    """Smoothed within a mask alone: what lies beside the garment is not compared."""
    weight = mask.astype(np.float32)
    total = cv2.GaussianBlur(lab * weight[..., None], (0, 0), _SMOOTH)
    return np.asarray(
        total / np.maximum(cv2.GaussianBlur(weight, (0, 0), _SMOOTH), 1e-3)[..., None], np.float32
    )


def _lab(rgb: U8) -> F32:
    return np.asarray(
        cv2.cvtColor(rgb.astype(np.float32) * np.float32(1 / 255), cv2.COLOR_RGB2LAB), np.float32
    )
