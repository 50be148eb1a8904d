"""Errors of an alpha matte in the unknown band; all mattes are float32 [H,W], 0..1.

After Rhemann et al., "A perceptually motivated online benchmark for image matting" (CVPR 2009).
"""

from __future__ import annotations

import cv2
import numpy as np

from services.inference.pipeline.arrays import F32, Bools

_BAND = 0.005
"""Reach of the unknown band around the pixels that are partly garment, of a photo's diagonal."""
_SIGMA = 1.4
_STEPS = np.linspace(0, 1, 11)[1:]
_CONNECTED = 0.15
_THOUSAND = 1000


def unknown_band(truth: F32) -> Bools:
    """Where a matte is to be judged: on and close to the pixels that are partly garment."""
    mixed = ((truth > 0) & (truth < 1)).astype(np.uint8)
    reach = max(1, round(_BAND * float(np.hypot(*truth.shape))))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return np.asarray(cv2.dilate(mixed, disc) > 0, np.bool_)


def alpha_errors(found: F32, truth: F32) -> dict[str, float]:
    """`sad`, `gradient` and `connectivity` in thousands of pixels, and `mse` as a mean; 0 is perfect."""
    band = unknown_band(truth)
    off = (found - truth)[band]
    return {
        "sad": float(np.abs(off).sum()) / _THOUSAND,
        "mse": float((off**2).mean()) if off.size else 0.0,
        "gradient": float(((_slope(found) - _slope(truth))[band] ** 2).sum()) / _THOUSAND,
        "connectivity": _connectivity(found, truth, band) / _THOUSAND,
    }


def _slope(alpha: F32) -> F32:
    """Magnitude of the gradient by a Gaussian's first derivatives."""
    reach = np.arange(-4, 5, dtype=np.float32)
    smooth = np.exp(-(reach**2) / (2 * _SIGMA**2)).astype(np.float32)
    smooth /= smooth.sum()
    slope = (-reach / _SIGMA**2 * smooth).astype(np.float32)
    across = cv2.sepFilter2D(alpha, cv2.CV_32F, slope, smooth, borderType=cv2.BORDER_REPLICATE)
    down = cv2.sepFilter2D(alpha, cv2.CV_32F, smooth, slope, borderType=cv2.BORDER_REPLICATE)
    return np.hypot(across, down).astype(np.float32)


def _connectivity(found: F32, truth: F32, band: Bools) -> float:
    """Sum of how differently strongly pixels hang together with the region that both mattes agree on."""
    level = _connected_up_to(found, truth)
    return float(np.abs(_degree(found, level) - _degree(truth, level))[band].sum())


def _connected_up_to(found: F32, truth: F32) -> F32:
    """The highest level at which each pixel still belongs to the largest region of both mattes."""
    level = np.zeros_like(truth)
    for step in _STEPS:
        common = ((found >= step) & (truth >= step)).astype(np.uint8)
        count, regions, stats, _ = cv2.connectedComponentsWithStats(common, connectivity=4)
        if count > 1:
            largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
            level[regions == largest] = step
    return level


def _degree(alpha: F32, level: F32) -> F32:
    above = alpha - level
    return np.asarray(1 - above * (above >= _CONNECTED), np.float32)
