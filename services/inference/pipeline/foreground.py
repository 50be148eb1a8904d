"""The garment's own colour under a soft edge, so that no tint of the old background comes along."""

from __future__ import annotations

import cv2
import numpy as np

from services.inference.pipeline.arrays import F32
from services.inference.pipeline.regions import window_around

FAR, CLOSE = 0.045, 0.004
"""Radii of the two passes, as shares of the longest side: as far as pure colours are, then close by."""


def local_colours(rgb: F32, alpha: F32) -> tuple[F32, F32]:
    """Smooth estimates of garment and ground, float32 [h,w,3] each, from colours and alpha [h,w] in 0..1.

    They are for the mixed pixels; far from all of them they are the photo's own colours. Two passes of blur
    fusion (Forte, "Approximate Fast Foreground Colour Estimation", ICIP 2021).
    """
    longest = max(alpha.shape)
    far, close = _radius(longest * FAR), _radius(longest * CLOSE)
    window = window_around(((alpha > 0) & (alpha < 1)).view(np.uint8), far + close + 2)
    garment, ground = rgb.copy(), rgb.copy()
    garment[window], ground[window] = _local_colours(rgb[window], alpha[window], far, close)
    return garment, ground


def _local_colours(rgb: F32, alpha: F32, far: int, close: int) -> tuple[F32, F32]:
    weight = np.asarray(cv2.merge([alpha] * 3), np.float32)
    garment = _weighted_mean(rgb, weight, far)
    ground = _weighted_mean(rgb, 1 - weight, far)
    garment = fuse(rgb, weight, garment, ground)
    return _weighted_mean(garment, weight, close), _weighted_mean(ground, 1 - weight, close)


def fuse(rgb: F32, weight: F32, garment: F32, ground: F32) -> F32:
    """Garment colour [...,3] of mixed pixels: the local estimate, and what the photo says beyond the mixture.

    `weight` is alpha in 0..1, of a shape that goes with the colours'.
    """
    left_over = rgb - weight * garment - (1 - weight) * ground
    return np.asarray(np.clip(garment + weight * left_over, 0, 1), np.float32)


def _radius(pixels: float) -> int:
    return max(1, round(pixels))


def _weighted_mean(colour: F32, weight: F32, radius: int) -> F32:
    side = 2 * radius + 1
    weighted = cv2.blur(colour * weight, (side, side), borderType=cv2.BORDER_REFLECT)
    total = cv2.blur(weight, (side, side), borderType=cv2.BORDER_REFLECT)
    return np.asarray(weighted / (total + np.float32(1e-5)), np.float32)
