"""The shadow that a garment casts on its new ground, drawn small and enlarged: it has no edges."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from libs.common.contracts.options import Shadow
from services.inference.pipeline.arrays import F32, U8
from services.inference.pipeline.crop import Layout
from services.inference.pipeline.place import place
from services.inference.pipeline.resample import reduced, within

_SIDE = 320
"""Longest side (px) at which the shadow is drawn."""
_TAIL = 0.02
"""Density that counts as none, so that the ground away from the garment keeps its colour exactly."""
SOFT_DENSITY, SOFT_BLUR, SOFT_DROP = 0.34, 0.018, 0.016
"""Of the soft shadow: blur (sigma) and drop as shares of the garment's longest side."""
CONTACT_DENSITY, CONTACT_BLUR, CONTACT_HEIGHT, CONTACT_BAND = 0.5, 0.03, 0.009, 0.04
"""Of the contact shadow: blur along the floor, its height, and how much of the hem touches the floor."""


def cast_shadow(alpha: U8, layout: Layout, kind: Shadow) -> U8:
    """Density uint8 [H,W] of the shadow on a ground of the layout's `outer` size, 255 being black.

    `alpha` is the garment's, of the layout's `inner` size.
    """
    small = within(*layout.outer, _SIDE)
    sheet = _on_sheet(alpha, layout, small)
    box = cv2.boundingRect((sheet > 127).view(np.uint8))
    if not box[2]:
        return np.zeros(layout.outer[::-1], np.uint8)
    density = _soft(sheet, box) if kind is Shadow.SOFT else _contact(sheet, box)
    levels = np.rint(np.clip((density - _TAIL) / (1 - _TAIL), 0, 1) * 255).astype(np.uint8)
    return np.asarray(cv2.resize(levels, layout.outer, interpolation=cv2.INTER_LINEAR), np.uint8)


def _on_sheet(alpha: U8, layout: Layout, small: tuple[int, int]) -> U8:
    """The garment's alpha where it will stand, on the small ground."""
    across, down = small[0] / layout.outer[0], small[1] / layout.outer[1]
    size = max(1, round(layout.inner[0] * across)), max(1, round(layout.inner[1] * down))
    sheet = np.zeros(small[::-1], np.uint8)
    part = reduced(alpha, size)
    to, of = place(
        part.shape, (round(layout.corner[0] * across), round(layout.corner[1] * down)), sheet.shape
    )
    sheet[to] = part[of]
    return sheet


def _soft(sheet: U8, box: Sequence[int]) -> F32:
    longest = max(box[2:])
    dropped = np.zeros_like(sheet)
    drop = max(1, round(SOFT_DROP * longest))
    dropped[drop:] = sheet[:-drop]
    cover = np.asarray(dropped / np.float32(255 / SOFT_DENSITY), np.float32)
    return _blurred(cover, SOFT_BLUR * longest)


def _contact(sheet: U8, box: Sequence[int]) -> F32:
    """Darkest along the lowest edge: where the hem would touch the floor, and fading away from there."""
    _, top, _, height = box
    floor = top + height
    band = sheet[floor - max(1, round(CONTACT_BAND * height)) : floor].max(0)
    touching = np.asarray(band[None] / np.float32(255), np.float32)
    sigma = max(0.5, CONTACT_BLUR * height)
    reach = 2 * round(3 * sigma) + 1
    along = cv2.GaussianBlur(touching, (reach, 1), sigma, borderType=cv2.BORDER_CONSTANT)[0]
    away = (np.arange(sheet.shape[0], dtype=np.float32) - floor) / max(1.0, CONTACT_HEIGHT * height)
    near, far = np.exp(-(away**2) / 2), np.exp(-((away / 3) ** 2) / 2)
    return np.asarray(np.outer(0.6 * near + 0.4 * far, along) * CONTACT_DENSITY, np.float32)


def _blurred(values: F32, sigma: float) -> F32:
    blurred = cv2.GaussianBlur(values, (0, 0), max(0.5, sigma), borderType=cv2.BORDER_CONSTANT)
    return np.asarray(blurred, np.float32)
