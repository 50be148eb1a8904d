"""Where a garment is open: necklines, the inner back behind them, waists, cuffs and hems (heads)."""

from __future__ import annotations

import numpy as np

from training.photos.arrays import Points
from training.photos.outlines import ellipse
from training.photos.poses import SHOULDER_Y

NECK_POINT_Y = SHOULDER_Y - 0.2
"""Where the shoulder seam meets the neck."""


def neck_hole(style: str, wide: float, deep: float, y: float = NECK_POINT_Y) -> Points:
    """What the front leaves open between neck points at height `y`, `wide` from the middle: "round", "vee",
    "square" or "boat", from well above the shoulders down to its lowest point."""
    top = y - 0.25
    if style == "vee":
        low = SHOULDER_Y + 0.1 + deep * 1.6
        return np.array([[-wide, top], [wide, top], [wide, y], [wide * 0.5, (y + low) / 2 + 0.03], [0, low],
                         [-wide * 0.5, (y + low) / 2 + 0.03], [-wide, y]], np.float32)  # fmt: skip
    if style == "square":
        low, inner = SHOULDER_Y + 0.05 + deep, wide * 0.88
        return np.array([[-wide, top], [wide, top], [wide, y], [inner, low - 0.06], [inner - 0.05, low],
                         [0.05 - inner, low], [-inner, low - 0.06], [-wide, y]], np.float32)  # fmt: skip
    return ellipse((0, y), wide, (0.1 if style == "boat" else 0.16) + deep)


def open_front(wide: float, y: float, gaps: tuple[float, float], hem: float) -> Points:
    """The gap of an open coat, from the neck points through the hem; `gaps`: half widths at chest, hem."""
    top, low = y - 0.25, hem + 0.3
    return np.array([[-wide, top], [wide, top], [wide, y], [gaps[0], y + 0.75], [gaps[1], low],
                     [-gaps[1] * 0.8, low], [-gaps[0] * 0.9, y + 0.75], [-wide, y]], np.float32)  # fmt: skip


def inner_back(wide: float, deep: float, dip: float, y: float = NECK_POINT_Y) -> Points:
    """The back of a neckline: a shallow arc `dip` below the neck points, and the cloth below it."""
    steps = np.linspace(-1, 1, 15, dtype=np.float32)
    arc = np.stack([steps * wide, y + dip * (1 - steps**2)], 1)
    low = SHOULDER_Y + 0.16 + deep * 1.6
    return np.concatenate([arc, [[wide * 0.9, low], [-wide * 0.9, low]]]).astype(np.float32)


def waist_hole(wide: float, y: float, sag: float) -> Points:
    """A lens between the back waistband (nearly level) and the front one, which hangs lower."""
    steps = np.linspace(-1, 1, 15, dtype=np.float32)
    front = np.stack([steps * wide, y + sag * (1 - steps**2)], 1)
    back = np.stack([steps[::-1] * wide, y - 0.15 * sag * (1 - steps**2)], 1)
    return np.concatenate([front, back]).astype(np.float32)


def above(wide: float, y: float, sag: float) -> Points:
    """All that a front waistband of `waist_hole` leaves free above it."""
    steps = np.linspace(-1, 1, 15, dtype=np.float32)
    front = np.stack([steps * wide, y + sag * (1 - steps**2)], 1)
    return np.concatenate([front, [[wide, y - 0.4], [-wide, y - 0.4]]]).astype(np.float32)


def limb_end(line: Points, radius: float, depth: float) -> Points:
    """The open end of a sleeve or leg: an ellipse across the last part of its centre line."""
    along = line[-1] - line[-2]
    along = along / (np.hypot(*along) + 1e-6)
    ring = ellipse((0, 0), depth, radius, 20)
    turn = np.array([[along[0], along[1]], [-along[1], along[0]]], np.float32)
    return (line[-1] + ring @ turn).astype(np.float32)
