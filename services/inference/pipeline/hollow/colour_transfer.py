"""Colours of one shot as the light of another shows them."""

from __future__ import annotations

import cv2
import numpy as np

from services.inference.pipeline.arrays import F32, U8

SAME_CLOTH = 32.0
"""Distance in CIELAB of two fabrics up to which only the light differs; beyond, it is a lining."""
STRETCH = (0.8, 1.25)
"""How far the spread of a channel may be changed."""
_FEWEST = 50


def transfer(pixels: F32, theirs: U8, ours: U8, their_ground: U8, our_ground: U8) -> F32:
    """RGB [h,w,3] (0..255) of the other shot in our light.

    `theirs` and `ours` [n,3] are the fabric in both: its middle and spread are matched in CIELAB, after
    Reinhard, Ashikhmin, Gooch and Shirley, "Color Transfer between Images" (2001). Where the fabrics differ
    for themselves, the grounds [n,3] tell the light.
    """
    if min(len(theirs), len(ours)) < _FEWEST:
        return pixels
    source, target = _lab(theirs), _lab(ours)
    shift = np.median(target, axis=0) - np.median(source, axis=0)
    if np.linalg.norm(shift) > SAME_CLOTH:
        return _balanced(pixels, their_ground, our_ground)
    gain = np.clip(_spread(target) / np.maximum(_spread(source), 1e-3), *STRETCH)
    middle = np.median(source, axis=0)
    changed = (_lab_of(pixels) - middle) * gain + middle + shift
    rgb = cv2.cvtColor(changed.astype(np.float32), cv2.COLOR_LAB2RGB)
    return np.asarray(np.clip(rgb, 0, 1) * 255, np.float32)


def _balanced(pixels: F32, theirs: U8, ours: U8) -> F32:
    if min(len(theirs), len(ours)) < _FEWEST:
        return pixels
    source, target = (np.median(ground, axis=0) for ground in (theirs, ours))
    gain = np.clip(target / np.maximum(source, 1.0), *STRETCH)
    return np.asarray(np.clip(pixels * gain, 0, 255), np.float32)


def _spread(lab: F32) -> F32:
    low, high = np.percentile(lab, [16, 84], axis=0)
    return np.asarray((high - low) / 2, np.float32)


def _lab(colours: U8) -> F32:
    return _lab_of(colours.astype(np.float32).reshape(1, -1, 3)).reshape(-1, 3)


def _lab_of(pixels: F32) -> F32:
    return np.asarray(cv2.cvtColor(pixels * np.float32(1 / 255), cv2.COLOR_RGB2LAB), np.float32)
