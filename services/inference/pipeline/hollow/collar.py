"""The band along the back edge, taken from the front neckline's own band."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from services.inference.pipeline.arrays import F32, U8, Bools
from services.inference.pipeline.hollow.evidence import Frame, distance_to
from services.inference.pipeline.hollow.fabric import Fabric
from services.inference.pipeline.hollow.hole import Hole

WIDTH = 0.055
"""Width of a band (share of the opening's) where the front has none of its own colour."""
WIDEST = 0.2
DIFFERENT = 14.0
"""Distance in CIELAB (0..255 a channel) from which a band has a colour of its own."""
_SAMPLED_WIDTH = 160
_EDGE = 0.07
"""Share of `WIDEST` next to the edge in which colours are mixed with what was behind it."""
_STEPS = 24
_BEHIND = 0.4


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """`width` in px; `colour` RGB float32 [3], 0..255; `own` if the front shows a band of that colour."""

    width: float
    colour: F32
    own: bool


def find_band(rgb: U8, alpha: U8, hole: Hole, fabric: Fabric) -> Band:
    """The band of a front neckline in a photo [H,W,3] with the garment's matte [H,W]."""
    wide = hole.size[0]
    frame = hole.frame.grown(WIDEST * wide, WIDEST * wide, alpha.shape)
    step = max(1, round(wide / _SAMPLED_WIDTH))
    share = _distance_to(hole, frame, step) / np.float32(WIDEST * wide)
    solid = alpha[frame.window][::step, ::step] == 255
    near = solid & (share > _EDGE) & (share < 1)
    profile = _profile(rgb[frame.window][::step, ::step][near], share[near])
    width = _band_share(profile, fabric.colour)
    if width is None:
        return Band(WIDTH * wide, fabric.colour, own=False)
    inside = profile[: max(1, round(width * _STEPS))]
    return Band(width * WIDEST * wide, np.asarray(np.nanmedian(inside, axis=0), np.float32), own=True)


def _distance_to(hole: Hole, frame: Frame, step: int) -> F32:
    """Distance (px of the photo) of every `step`-th pixel of a larger frame from what is open."""
    inner = hole.frame
    top, left = inner.top - frame.top, inner.left - frame.left
    is_open = np.zeros((frame.height, frame.width), np.bool_)
    is_open[top : top + inner.height, left : left + inner.width] = (hole.alpha > 127) & (hole.front > 0)
    return distance_to(np.ascontiguousarray(is_open[::step, ::step])) * np.float32(step)


def _profile(colours: U8, share: F32) -> F32:
    """Median colour [_STEPS,3] by distance from the front edge (0..1); NaN where nothing is seen."""
    steps = np.minimum((share * _STEPS).astype(np.intp), _STEPS - 1)
    rows = [colours[steps == step] for step in range(_STEPS)]
    medians = [np.median(row, axis=0) if len(row) >= 8 else np.full(3, np.nan) for row in rows]
    return np.asarray(medians, np.float32)


def _band_share(profile: F32, fabric: F32) -> float | None:
    """Where (0..1) a band of another colour gives way to the fabric; None if there is no such band."""
    seen: Bools = ~np.isnan(profile[:, 0])
    far = slice(-_STEPS // 4, None)
    if seen[:4].sum() < 2 or not seen[far].any():
        return None
    lab = _lab(np.where(seen[:, None], profile, fabric))
    beyond = np.median(lab[far][seen[far]], axis=0)
    differs = np.linalg.norm(lab - beyond, axis=1)
    edge = np.median(differs[:4][seen[:4]])
    if edge < DIFFERENT:
        return None
    back = np.flatnonzero(seen & (differs < _BEHIND * edge))
    return float(back[0] / _STEPS) if len(back) and seen[: back[0]].sum() >= 2 else None


def _lab(colours: F32) -> F32:
    row = np.clip(colours, 0, 255).astype(np.uint8)[None]
    return np.asarray(cv2.cvtColor(row, cv2.COLOR_RGB2LAB)[0], np.float32)
