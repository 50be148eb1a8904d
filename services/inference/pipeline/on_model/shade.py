"""The light on a person's torso, given to the garment; and the shadow that a hem or a collar casts."""

from __future__ import annotations

import cv2
import numpy as np

from services.inference.pipeline.arrays import F32, U8, Bools

STRENGTH = 0.4
DARKEST, LIGHTEST = 0.8, 1.15
_PLAIN = 9.0
"""Spread (standard deviation) of the old garment's two colour axes in CIELAB, beyond which it has a print."""
_MIDTONES = (22.0, 96.0)
"""Lightness between which an old garment shows light and shadow at all."""
_SMOOTH = 0.16
"""Standard deviation of the smoothing, in shoulder widths."""
SHADOW = 0.3


def torso_light(rgb: U8, old: Bools, unit: float) -> F32:
    """float32 [h,w] around 1: how much lighter or darker the worn garment is than in its middle, smoothly.

    1 everywhere where that says nothing of the light: a print, black, burnt-out white, too little of it.
    `rgb` [h,w,3] small; `unit`: the shoulders' width, px.
    """
    flat = np.ones(old.shape, np.float32)
    if old.sum() < unit * unit * 0.25:
        return flat
    lab = np.asarray(cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)
    worn = lab[old]
    if worn[:, 1:].std(0).max() > _PLAIN or not _MIDTONES[0] < np.median(worn[:, 0]) < _MIDTONES[1]:
        return flat
    weight = old.astype(np.float32)
    total = cv2.GaussianBlur(weight, (0, 0), _SMOOTH * unit)
    smooth = cv2.GaussianBlur(lab[..., 0] * weight, (0, 0), _SMOOTH * unit) / np.maximum(total, 1e-3)
    ratio = np.where(total > 0.02, smooth / np.median(smooth[old]), 1)
    return np.asarray(np.clip(1 + STRENGTH * (ratio - 1), DARKEST, LIGHTEST), np.float32)


def lit(rgb: U8, light: F32, alpha: U8) -> U8:
    """Colours uint8 [H,W,3] in that light [H,W], whose median over the garment is taken as 1: so its middle
    tones stay as they were.
    """
    inside = alpha > 127
    if not inside.any() or float(np.ptp(light)) < 1e-3:
        return rgb
    gain = light / np.float32(np.median(light[inside]))
    return np.asarray(cv2.multiply(rgb, cv2.merge([gain] * 3), dtype=cv2.CV_8U), np.uint8)


def contact_shadow(alpha: U8, onto: U8, unit: float) -> F32:
    """Density 0..1 [H,W] of what the garment darkens beside it, on the person alone (`onto` uint8 [H,W])."""
    # Seen small: a shadow is smooth.
    size = (max(1, alpha.shape[1] // 4), max(1, alpha.shape[0] // 4))
    small = np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA), np.float32) / 255
    spread = max(0.6, 0.022 * unit / 4)
    down = np.roll(small, round(spread), axis=0)
    soft = cv2.resize(
        cv2.GaussianBlur(down, (0, 0), spread), alpha.shape[::-1], interpolation=cv2.INTER_LINEAR
    )
    free = (255 - alpha.astype(np.float32)) / 255 * (onto.astype(np.float32) / 255)
    density = SHADOW * np.asarray(soft, np.float32) * free
    return np.asarray(np.where(density < 0.02, 0, density), np.float32)
