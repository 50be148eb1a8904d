"""Where the shown garment lies in the photo."""

from __future__ import annotations

import math

import cv2
import numpy as np

from services.inference.pipeline.arrays import F32, U8
from services.inference.pipeline.crop import Window
from services.inference.pipeline.layers import Layers
from services.inference.pipeline.resample import reduced

VISIBLE = 12
"""Alpha (of 255) from which a pixel counts as part of the garment's outline."""
_CELLS = 400
"""Longest side of the raster in which the hull is searched."""


def garment_window(layers: Layers, visible: int = VISIBLE) -> Window | None:
    """The rectangle around garment and filling, from an alpha of `visible` on; None without either."""
    found = [_box(layers.matte.alpha, visible), _box(layers.filling.alpha, visible)]
    boxes = [box for box in found if box]
    return boxes[0].joined_with(boxes[-1]) if boxes else None


def hull(layers: Layers, window: Window) -> F32:
    """Corners float32 [n,2] (x, y in px of the photo) of the convex hull of what the window shows."""
    shown = cv2.max(window.of(layers.matte.alpha), window.of(layers.filling.alpha)) > 0
    step = math.ceil(max(window.size) / _CELLS)
    size = -(-window.width // step), -(-window.height // step)
    cells = reduced(np.asarray(shown * np.uint8(255), np.uint8), size)
    filled = cv2.findNonZero(cells)
    corners = np.concatenate([filled + offset for offset in ((0, 0), (1, 0), (0, 1), (1, 1))])
    scale = np.array(window.size, np.float32) / np.array(cells.shape[::-1], np.float32)
    around = np.asarray(cv2.convexHull(corners.astype(np.int32)), np.float32).reshape(-1, 2)
    return np.asarray(around * scale + np.array((window.left, window.top), np.float32), np.float32)


def _box(alpha: U8, visible: int) -> Window | None:
    left, top, width, height = cv2.boundingRect((alpha >= visible).view(np.uint8))
    return Window(left, top, width, height) if width and height else None
