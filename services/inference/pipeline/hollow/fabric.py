"""The garment's own fabric near an opening: its colour, and a piece of it as texture."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from services.inference.pipeline.arrays import F32, U8, Bools
from services.inference.pipeline.hollow.evidence import Frame
from services.inference.pipeline.resample import reduced, within

SEARCH_SIDE = 160
"""Longest side (px) at which the piece of fabric is chosen."""
SIZES = (0.9, 0.6, 0.4, 0.25, 0.15)
"""Sides of the piece, as shares of the opening's width; the largest that fits is taken."""
LOUDEST = 40.0
"""Difference from the fabric's colour (0..255) up to which a pattern shows through to the other side."""
_SLOW_SIDE = 48
_CLEAR = 3
"""Distance (px at the search's size) from the garment's edge, where seams and shadows are."""
_FEWEST = 30
_AS_GOOD, _NOISE = 1.25, 1.5
"""A larger piece may differ from the fabric's colour so many times as much, and by so much more (0..765)."""


@dataclass(frozen=True, slots=True, eq=False)
class Fabric:
    """`colour` is RGB float32 [3], 0..255; `grain` float32 [h,w,3], what of a piece of it is not smooth."""

    colour: F32
    grain: F32

    def grain_over(self, size: tuple[int, int]) -> F32:
        """The grain continued by mirroring over width × height px: [h,w,3]."""
        width, height = size
        rows, columns = self.grain.shape[:2]
        right, bottom = max(0, width - columns), max(0, height - rows)
        tiled = cv2.copyMakeBorder(self.grain, 0, bottom, 0, right, cv2.BORDER_REFLECT)
        return np.asarray(tiled[:height, :width], np.float32)


def find_fabric(rgb: U8, alpha: U8, around: Frame) -> Fabric | None:
    """The fabric next to a part of a photo [H,W,3] with the garment's matte [H,W]; None if there is none."""
    frame = around.grown(0.4 * around.width, 1.2 * max(around.width, around.height), alpha.shape)
    size = within(frame.width, frame.height, SEARCH_SIDE)
    small = reduced(np.ascontiguousarray(rgb[frame.window]), size).astype(np.float32)
    solid = reduced(np.ascontiguousarray(alpha[frame.window]), size) == 255
    clear = _clear(solid)
    if clear.sum() < _FEWEST:
        return _plain(small, solid)
    colour = _robust_mean(small[clear])
    piece = _best_piece(small, clear, colour, around.width * size[0] / frame.width)
    if piece is None:
        return Fabric(colour, np.zeros((1, 1, 3), np.float32))
    part = piece.scaled(frame.width / size[0], frame.height / size[1])
    rows, columns = part.window
    return Fabric(colour, _grain(rgb[frame.window][rows, columns]))


def _plain(small: F32, solid: Bools) -> Fabric | None:
    if not solid.any():
        return None
    return Fabric(_robust_mean(small[solid]), np.zeros((1, 1, 3), np.float32))


def _clear(solid: Bools) -> Bools:
    square = np.ones((2 * _CLEAR + 1, 2 * _CLEAR + 1), np.uint8)
    return np.asarray(cv2.erode(solid.view(np.uint8), square, borderValue=0), np.uint8) > 0


def _robust_mean(colours: F32) -> F32:
    """The mean [3] of colours [n,3] without the darkest and lightest: no shadows, buttons or letters."""
    light = colours.sum(axis=1)
    low, high = np.percentile(light, [20, 85], method="nearest")
    return np.asarray(colours[(light >= low) & (light <= high)].mean(axis=0), np.float32)


def _best_piece(small: F32, clear: Bools, colour: F32, width: float) -> Frame | None:
    """The largest piece of nothing but fabric that is hardly less like the rest than the best smaller one."""
    unlike = np.abs(small - colour).sum(axis=2)
    sides = [2 * int(width * share / 2) + 1 for share in SIZES]
    found = [piece for side in sides if (piece := _piece(unlike, clear, side)) is not None]
    if not found:
        return None
    limit = _AS_GOOD * min(score for score, _ in found) + _NOISE
    return next(piece for score, piece in found if score <= limit)


def _piece(unlike: F32, clear: Bools, side: int) -> tuple[float, Frame] | None:
    """The square of this side whose mean difference from the fabric's colour is smallest, and that mean."""
    if side < 5 or side > min(clear.shape):
        return None
    square = np.ones((side, side), np.uint8)
    whole = np.asarray(cv2.erode(clear.view(np.uint8), square, borderValue=0), np.uint8) > 0
    if not whole.any():
        return None
    score = np.where(whole, cv2.blur(unlike, (side, side)), np.inf)
    row, column = (int(index) for index in np.unravel_index(int(np.argmin(score)), score.shape))
    half = side // 2
    return float(score[row, column]), Frame(column - half, row - half, column + half + 1, row + half + 1)


def _grain(piece: U8) -> F32:
    """What remains of a piece without its slow changes: folds and light belong to where it was."""
    pixels = piece.astype(np.float32)
    full = (piece.shape[1], piece.shape[0])
    size = within(*full, _SLOW_SIDE)
    slow = cv2.GaussianBlur(reduced(pixels, size), (0, 0), _SLOW_SIDE / 6)
    rest = pixels - np.asarray(cv2.resize(slow, full, interpolation=cv2.INTER_LINEAR), np.float32)
    usual = min(LOUDEST, float(np.percentile(np.abs(rest[::3, ::3]), 97)))
    return np.asarray(np.clip(rest, -usual, usual), np.float32)
