"""The garment's pixels brought onto the person: resampled once, and smoothed first where they get smaller."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from services.inference.pipeline.arrays import F32, U8
from services.inference.pipeline.on_model.fit import Fit
from services.inference.pipeline.resample import reduced

_SMALLER = 1.25
"""How many px of the source may fall on one before the source is reduced by area first."""


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """The garment in the person's frame: `rgb` uint8 [H,W,3], `alpha` and `filled` uint8 [H,W].

    `filled` is what of the alpha was invented before. `enlarged`: how many px of the result there are for one
    of the garment's photo, along a side, in the median.
    """

    rgb: U8
    alpha: U8
    filled: U8
    enlarged: float


def place_on(rgba: U8, filled: U8, fit: Fit, size: tuple[int, int]) -> Placed:
    """`rgba` straight uint8 [h,w,4] and `filled` [h,w] of the garment's photo; `size`: of the person's."""
    step = _step(fit, size)
    factor = step if step > _SMALLER else 1.0
    weighted = _premultiplied(rgba)
    small = (max(1, round(rgba.shape[1] / factor)), max(1, round(rgba.shape[0] / factor)))
    scale = np.array([small[0] / rgba.shape[1], small[1] / rgba.shape[0]], np.float32)
    source = _at_full_size((fit.source + np.float32(0.5)) * scale - np.float32(0.5), size)
    if factor > 1:
        weighted, filled = reduced(weighted, small), reduced(filled, small)
    smooth = _remapped(weighted, source, cv2.INTER_LINEAR)
    alpha = np.ascontiguousarray(smooth[..., 3])
    rgb = _straight(smooth)
    inner = cv2.erode(alpha, np.ones((5, 5), np.uint8)) == 255
    cv2.copyTo(_remapped(weighted, source, cv2.INTER_CUBIC)[..., :3], inner.view(np.uint8), rgb)
    invented = _remapped(filled, source, cv2.INTER_LINEAR)
    return Placed(rgb, alpha, np.minimum(invented, alpha), 1 / max(step, 1e-6))


def _step(fit: Fit, size: tuple[int, int]) -> float:
    """Px of the source for one of the result, along a side, in the median over the garment."""
    (x_down, x_across), (y_down, y_across) = (np.gradient(fit.source[..., axis]) for axis in (0, 1))
    area = np.abs(x_across * y_down - y_across * x_down)
    share = (fit.garment.shape[1] / size[0]) * (fit.garment.shape[0] / size[1])
    inside = area[fit.garment]
    return float(np.sqrt(np.median(inside) * share)) if len(inside) else 1.0


def _at_full_size(source: F32, size: tuple[int, int]) -> F32:
    return np.asarray(cv2.resize(source, size, interpolation=cv2.INTER_LINEAR), np.float32)


def _remapped(pixels: U8, source: F32, how: int) -> U8:
    x, y = np.ascontiguousarray(source[..., 0]), np.ascontiguousarray(source[..., 1])
    return np.asarray(cv2.remap(pixels, x, y, how, borderMode=cv2.BORDER_CONSTANT, borderValue=0), np.uint8)


def _premultiplied(rgba: U8) -> U8:
    weight = np.asarray(cv2.merge([rgba[..., 3]] * 3), np.uint8)
    colour = cv2.multiply(np.ascontiguousarray(rgba[..., :3]), weight, scale=1 / 255)
    return np.dstack([np.asarray(colour, np.uint8), rgba[..., 3]])


def _straight(weighted: U8) -> U8:
    """Colours without their weight; those of full alpha are as they came."""
    rgb = np.ascontiguousarray(weighted[..., :3])
    soft = np.flatnonzero((weighted[..., 3] > 0) & (weighted[..., 3] < 255))
    weight = weighted[..., 3].reshape(-1, 1)[soft].astype(np.float32)
    colours = rgb.reshape(-1, 3)
    colours[soft] = np.clip(np.rint(colours[soft].astype(np.float32) * 255 / weight), 0, 255)
    return rgb
