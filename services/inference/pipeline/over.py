"""Straight alpha: one picture over another, touching only the pixels where both show (Porter, Duff 1984)."""

from __future__ import annotations

import cv2
import numpy as np

from services.inference.pipeline.arrays import F32, U8
from services.inference.pipeline.matte import mixed_pixels

_ONE, _ALMOST = np.array([1]), np.array([254])


def lay_under(rgba: U8, alpha: U8, rgb: U8 | None = None) -> None:
    """Puts a layer under a straight RGBA picture [h,w,4], in place; `rgb` [h,w,3] is black if absent.

    Pixels of full alpha stay bit for bit, those of none become the layer's.
    """
    own = np.asarray(cv2.extractChannel(rgba, 3), np.uint8)
    layer = _with_alpha(alpha, rgb)
    soft = np.asarray(cv2.inRange(own, _ONE, _ALMOST), np.uint8)
    mixed = np.divmod(np.flatnonzero(soft & alpha), own.shape[1])
    mixture = _over(rgba[mixed], layer[mixed])
    cv2.copyTo(layer, (own == 0) * alpha, rgba)
    rgba[mixed] = mixture


def lay_over(ground: U8, rgba: U8) -> None:
    """Puts a straight RGBA picture [h,w,4] over an opaque ground [h,w,3], in place."""
    alpha = np.asarray(cv2.extractChannel(rgba, 3), np.uint8)
    over = np.asarray(cv2.cvtColor(rgba, cv2.COLOR_RGBA2RGB), np.uint8)
    mixed = mixed_pixels(alpha)
    weight = _floats(alpha.reshape(-1, 1)[mixed]) / 255
    below = np.ascontiguousarray(ground).reshape(-1, 3)[mixed]
    above = over.reshape(-1, 3)
    above[mixed] = np.rint(above[mixed] * weight + below * (1 - weight))
    cv2.copyTo(over, alpha, ground)


def _with_alpha(alpha: U8, rgb: U8 | None) -> U8:
    if rgb is None:
        nothing = np.zeros_like(alpha)
        return np.asarray(cv2.merge([nothing, nothing, nothing, alpha]), np.uint8)
    rgba = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2RGBA), np.uint8)
    cv2.insertChannel(alpha, rgba, 3)
    return rgba


def _over(above: U8, below: U8) -> U8:
    """Straight pixels [n,4] over others, neither of them empty."""
    weight = _floats(above[:, 3:]) / 255
    rest = _floats(below[:, 3:]) / 255 * (1 - weight)
    total = weight + rest
    colour = (_floats(above[:, :3]) * weight + _floats(below[:, :3]) * rest) / total
    return np.asarray(np.rint(np.concatenate([colour, total * 255], axis=1)), np.uint8)


def _floats(levels: U8) -> F32:
    return levels.astype(np.float32)
