"""A believable inner back out of the garment's own fabric: band, texture, depth and the front's shadow."""

from __future__ import annotations

import cv2
import numpy as np

from services.inference.pipeline.arrays import F32
from services.inference.pipeline.hollow.collar import Band
from services.inference.pipeline.hollow.fabric import Fabric
from services.inference.pipeline.hollow.hole import Hole

TOP_LIGHT, LOW_LIGHT = 0.86, 0.64
"""How bright the inner back is at its upper edge and at the deepest point, beside the front."""
CONTRAST = 0.55
"""Of the fabric's grain, seen from its other side."""
BAND_LIGHT = 0.06
INSIDE_LIGHT = 0.8
SHADOW = 0.25
"""How much the front edge darkens what lies right behind it."""
SHADOW_REACH, SEAM = 0.07, 0.006
"""As shares of the opening's width: how far that shadow reaches, and how thick a seam is."""
FOLD_LIGHT, SEAM_DARK = 0.07, 0.16
_DARK = 70.0
"""Luma below which a fabric would turn into a black hole: it is darkened less and its edges show."""
_LIFT = 14.0


def weave(hole: Hole, fabric: Fabric, band: Band | None) -> F32:
    """The inner back of an opening, float32 [h,w,3] in 0..255; without a band the dark inside of a sleeve."""
    size = (hole.frame.width, hole.frame.height)
    cloth = fabric.colour + fabric.grain_over(size) * np.float32(CONTRAST)
    light = _depth_light(hole) * _front_shadow(hole)
    if band is not None:
        in_band = _in_band(hole, band)
        cloth = cloth + in_band[..., None] * (band.colour - fabric.colour)
        light = light + in_band * np.float32(BAND_LIGHT) - _seam(hole, band) + _fold(hole)
    else:
        light = light * np.float32(INSIDE_LIGHT)
    return _lit(cloth, light, fabric.colour)


def _lit(cloth: F32, light: F32, colour: F32) -> F32:
    """Darkened cloth; a dark one is darkened less, and keeps enough light to show its shape."""
    luma = float(colour @ np.array([0.299, 0.587, 0.114], np.float32))
    dark = np.float32(np.clip(1 - luma / _DARK, 0, 1))
    light = light + dark * (1 - light) * np.float32(0.35)
    lift = dark * np.float32(_LIFT) * (light - np.float32(0.55))
    return np.asarray(np.clip(cloth * _tinted(light, colour) + lift[..., None], 0, 255), np.float32)


def _tinted(light: F32, colour: F32) -> F32:
    """Light by channel [h,w,3]: inside a garment it comes from its own cloth, so shade is more saturated."""
    exponents = 1.2 - 0.3 * colour / max(1.0, float(colour.max()))
    logarithm = np.log(np.clip(light, 0.05, None))
    return np.asarray(cv2.exp(cv2.merge([logarithm * factor for factor in exponents])), np.float32)


def _depth_light(hole: Hole) -> F32:
    deep = np.clip(hole.depth / max(1.0, hole.size[1]), 0, 1)
    return np.asarray(TOP_LIGHT + (LOW_LIGHT - TOP_LIGHT) * deep, np.float32)


def _front_shadow(hole: Hole) -> F32:
    """Light from above: it darkens the low parts along the front edge more than the sides."""
    deep = np.clip(hole.depth / max(1.0, hole.size[1]), 0, 1)
    near = np.exp(-hole.front / np.float32(max(1.0, SHADOW_REACH * hole.size[0])))
    return np.asarray(1 - SHADOW * near * (0.45 + 0.55 * deep), np.float32)


def _in_band(hole: Hole, band: Band) -> F32:
    soft = max(1.0, 0.5 * SEAM * hole.size[0])
    return np.asarray(np.clip((band.width - hole.depth) / soft + 0.5, 0, 1), np.float32)


def _seam(hole: Hole, band: Band) -> F32:
    thick = max(1.0, SEAM * hole.size[0])
    return np.asarray(SEAM_DARK * np.exp(-(((hole.depth - band.width) / thick) ** 2)), np.float32)


def _fold(hole: Hole) -> F32:
    """The upper edge is a fold: it catches light."""
    thick = max(1.0, 1.2 * SEAM * hole.size[0])
    return np.asarray(FOLD_LIGHT * np.exp(-np.clip(hole.depth, 0, None) / thick), np.float32)
