"""What a garment is put on: one colour, or a gradient without bands."""

from __future__ import annotations

import cv2
import numpy as np

from services.inference.pipeline.arrays import F32, U8
from services.inference.pipeline.crop import Size

_ORDER = np.array([[0, 2], [3, 1]])
"""Bayer's 2×2 matrix, of which larger ones are made (Bayer 1973)."""


def draw_ground(background: str, size: Size) -> U8:
    """sRGB uint8 [H,W,3] of a `#rrggbb`, exactly, or of a gradient `#rrggbb..#rrggbb` from top to bottom.

    A gradient of 8 bits has bands where it rises slowly, and the eye finds them: ordered dither hides
    them, and is the same each time.
    """
    first, _, last = background.partition("..")
    if last:
        return _gradient(_colour(first), _colour(last), size)
    levels = [np.full(size[::-1], level, np.uint8) for level in _colour(first)]
    return np.asarray(cv2.merge(levels), np.uint8)


def _gradient(top: U8, bottom: U8, size: Size) -> U8:
    width, height = size
    share = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    levels = top.astype(np.float32) * (1 - share) + bottom.astype(np.float32) * share
    pattern = _thresholds()
    rows = np.resize(pattern, (height, 8))
    eight = np.floor(levels[:, None, :] + rows[..., None]).astype(np.uint8)
    return np.asarray(cv2.repeat(eight, 1, -(-width // 8))[:, :width], np.uint8)


def _thresholds() -> F32:
    """Bayer's 8×8 matrix as numbers between 0 and 1, evenly spaced."""
    four = np.block([[4 * _ORDER + add for add in row] for row in _ORDER])
    eight = np.block([[4 * four + add for add in row] for row in _ORDER])
    return np.asarray((eight + 0.5) / 64, np.float32)


def _colour(code: str) -> U8:
    return np.frombuffer(bytes.fromhex(code[1:]), np.uint8)
