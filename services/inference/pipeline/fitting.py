"""The cut-out garment at the size, and as straight, as its layout wants it."""

from __future__ import annotations

import math

import cv2
import numpy as np

from services.inference.pipeline.arrays import U8
from services.inference.pipeline.crop import Layout, Size, scaled
from services.inference.pipeline.matte import mixed_pixels
from services.inference.pipeline.resample import reduced

_KERNELS = (cv2.INTER_LINEAR, cv2.INTER_CUBIC)
"""Smooth and sharp."""


def fitted(rgba: U8, layout: Layout) -> U8:
    """A straight RGBA window as large and as straight as its layout wants it.

    Resampled by weight of alpha, so that what lies outside the garment colours none of it.
    """
    if layout.keeps_pixels:
        return rgba
    weighted = _premultiplied(rgba)
    if not layout.turn:
        return _straight(_resized(weighted, layout.inner))
    return _straight(_turned(weighted, layout))


def _resized(weighted: U8, size: Size) -> U8:
    if size[0] <= weighted.shape[1] and size[1] <= weighted.shape[0]:
        return reduced(weighted, size)
    smooth, sharp = (
        np.asarray(cv2.resize(weighted, size, interpolation=kernel), np.uint8) for kernel in _KERNELS
    )
    return _sharper_inside(smooth, sharp, max(size[0] / weighted.shape[1], size[1] / weighted.shape[0]))


def _turned(weighted: U8, layout: Layout) -> U8:
    """Resized, then turned about its middle into the layout's `inner`."""
    size = scaled(layout.window.size, layout.scale)
    sized = _resized(weighted, size)
    turning = cv2.getRotationMatrix2D(((size[0] - 1) / 2, (size[1] - 1) / 2), -layout.turn, 1)
    moved = np.subtract(layout.inner, size) / 2
    turning = np.column_stack([turning[:, :2], turning[:, 2] + moved])
    smooth, sharp = (
        np.asarray(cv2.warpAffine(sized, turning, layout.inner, flags=kernel), np.uint8)
        for kernel in _KERNELS
    )
    return _sharper_inside(smooth, sharp, 1)


def _sharper_inside(smooth: U8, sharp: U8, enlarged: float) -> U8:
    """The sharp kernel's pixels where all that it reaches is garment, the smooth one's along the edge.

    A sharp kernel overshoots, and at an edge colours and alpha clip at different places: a rim.
    """
    reach = math.ceil(enlarged) + 1
    square = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    inside = cv2.erode(cv2.extractChannel(smooth, 3), square)
    cv2.copyTo(sharp, (inside == 255).view(np.uint8), smooth)
    return smooth


def _premultiplied(rgba: U8) -> U8:
    alpha = cv2.extractChannel(rgba, 3)
    weight = cv2.merge([alpha, alpha, alpha, np.full_like(alpha, 255)])
    return np.asarray(cv2.multiply(rgba, weight, scale=1 / 255), np.uint8)


def _straight(premultiplied: U8) -> U8:
    flat = premultiplied.reshape(-1, 4)
    alpha = flat[:, 3]
    mixed = mixed_pixels(np.asarray(cv2.extractChannel(premultiplied, 3), np.uint8))
    weight = alpha[mixed, None].astype(np.float32) / 255
    flat[mixed, :3] = np.rint(np.minimum(flat[mixed, :3] / weight, 255))
    return premultiplied
