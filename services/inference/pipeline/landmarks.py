"""Where the garment's shoulders, neck, waist and hem are, from its outline alone."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from libs.common.contracts.inference import Landmarks
from services.inference.pipeline.arrays import F32, Bools, Indices
from services.inference.pipeline.layers import Layers
from services.inference.pipeline.resample import reduced, within
from services.inference.pipeline.segment import BODY, OTHER, Maps

SIDE = 256
"""Longest side (px) at which the outline is looked at."""
_SMALLEST = 0.003
"""Share of the frame below which there is no garment to measure."""
_PART = 0.1
"""Share of its largest piece that a piece of the garment has at least."""
_CORNER = 1.5
"""How many px outwards make up for one down: a shoulder's slope is flatter than that, a sleeve's steeper."""
_TORSO_ABOVE, _NOTHING_ABOVE = 0.55, 0.1
"""Shares of a garment's width that a body has just above it: a torso above a waist, a neck above a collar."""
_STRAIGHT = 0.85
"""Width just below the upper edge, of the width further down, from which an edge is a waist."""
_TORSO_AND_STRAIGHT = 0.93
"""Hair beside a collar is as wide as a torso; then the edge itself must not be narrow either."""
_LONG = 1.9
"""Heights in shoulder widths from which a garment has its waist in its upper half."""
_CHEST = (0.22, 0.27, 0.32, 0.37, 0.42)
"""Heights, from the top, at which a garment is as wide as its wearer's chest."""
_INNERMOST, _OUTERMOST = 0.3, 0.6
"""Where a shoulder can end: distance from the middle, in widths at the chest."""
_MIDDLE = 0.12
"""How far from the middle, in shoulder widths, the neckline's lowest point is looked for."""
_NECK_DEEPEST = 0.45
Point = tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class _Outline:
    """The garment small: all of it with its openings filled, what is seen of it, its front, and the body."""

    whole: Bools
    seen: Bools
    front: Bools
    body: Bools
    scale: tuple[float, float]
    top: int
    height: int

    def photo(self, x: float, y: float) -> Point:
        """The middle of a px, in px of the photo."""
        return round((x + 0.5) * self.scale[0], 2), round((y + 0.5) * self.scale[1], 2)

    def row(self, share: float) -> int:
        """The row at a share of the height."""
        return self.top + min(self.height - 1, round(share * self.height))


def find_landmarks(layers: Layers, maps: Maps) -> Landmarks:
    """Landmarks in px of the photo, left and right as seen; a part that the garment does not have is None.

    Trousers and skirts have no shoulders and no neck; their waist is the ends of their upper edge.
    """
    outline = _outline(layers, maps)
    if outline is None:
        return Landmarks()
    return _of_lower(outline) if _hangs_from_waist(outline) else _of_upper(outline)


def _outline(layers: Layers, maps: Maps) -> _Outline | None:
    picture = layers.picture
    size = within(picture.width, picture.height, SIDE)
    own = _parts(reduced(layers.matte.alpha, size) > 127)
    if own.mean() < _SMALLEST:
        return None
    whole = own | (reduced(layers.filling.alpha, size) > 127)
    inside, body = (
        _resized(plane, size) > 0.5 for plane in (maps.interior, maps.classes[[BODY, OTHER]].sum(0))
    )
    rows = np.flatnonzero(own.any(1))
    scale = (picture.width / size[0], picture.height / size[1])
    return _Outline(
        whole, own, own & ~inside, body & ~whole, scale, int(rows[0]), int(rows[-1] - rows[0] + 1)
    )


def _hangs_from_waist(outline: _Outline) -> bool:
    """Whether its upper edge is a waist: a torso goes on above it, or it is straight and nothing does."""
    left, right = _ends(outline.seen[outline.row(0.15)])
    above = outline.body[max(0, outline.row(-0.08)) : max(0, outline.row(-0.02)) + 1, left : right + 1]
    covered = float(above.mean()) if above.size else 0.0
    upper = _ends(outline.seen[outline.row(0.03)])
    straight = (upper[1] - upper[0]) / max(1, right - left)
    if covered > _NOTHING_ABOVE:
        return covered > _TORSO_ABOVE and covered + straight / 2 > _TORSO_AND_STRAIGHT
    return straight > _STRAIGHT


def _of_upper(outline: _Outline) -> Landmarks:
    left, right = _shoulders(outline)
    shoulders = outline.photo(*left), outline.photo(*right)
    middle, width = (left[0] + right[0]) / 2, max(1.0, right[0] - left[0])
    neck = _neck(outline, round(middle - _MIDDLE * width), round(middle + _MIDDLE * width))
    low = _hem_row(outline, middle, width)
    band = (0.28, 0.6) if outline.height > _LONG * width else (0.55, 0.9)
    waist = _waist(outline, middle, [outline.row(share) for share in band], low)
    hem = _ends_at(outline, middle, low)
    return Landmarks(
        left_shoulder=shoulders[0],
        right_shoulder=shoulders[1],
        neck=neck,
        left_waist=waist[0],
        right_waist=waist[1],
        left_hem=hem[0],
        right_hem=hem[1],
    )


def _of_lower(outline: _Outline) -> Landmarks:
    y = outline.row(0.03)
    left, right = _ends(outline.seen[y])
    hems = _corners(outline.seen, from_top=False)
    return Landmarks(
        left_waist=outline.photo(left, y),
        right_waist=outline.photo(right, y),
        left_hem=outline.photo(*hems[0]),
        right_hem=outline.photo(*hems[1]),
    )


def _shoulders(outline: _Outline) -> tuple[Point, Point]:
    """The outer ends of the shoulders' slope; a collar or hood on them is too near to the middle."""
    seen, rows = outline.seen, [outline.row(share) for share in _CHEST]
    ends = _ends(np.asarray(seen[: rows[-1] + 1].any(0), np.bool_))
    # Between the two parts of a bikini there is nothing to measure.
    runs = [_run(outline.whole[row], sum(ends) / 2) for row in rows if outline.whole[row].any()] or [ends]
    left, right = np.median(runs, axis=0)  # one row alone may be broken by a hand
    middle, width = (left + right) / 2, right - left
    across = np.abs(np.arange(seen.shape[1]) - middle)
    slope = seen & (across >= _INNERMOST * width) & (across <= _OUTERMOST * width)
    return _corners(slope if slope.any() else seen, from_top=True)


def _corners(seen: Bools, *, from_top: bool) -> tuple[Point, Point]:
    """The outermost points of the upper (or lower) edge, before it turns down (or up) steeply: x, y."""
    columns = np.flatnonzero(seen.any(0))
    rows = seen[:, columns] if from_top else seen[::-1, columns]
    depth = rows.argmax(0)
    middle = (columns[0] + columns[-1]) / 2
    found = []
    for side in (-1, 1):
        best = np.where(side * (columns - middle) >= 0, side * columns - _CORNER * depth, -np.inf)
        at = np.flatnonzero(best >= best.max() - 0.01)
        y = float(depth[at].mean())
        found.append((float(columns[at].mean()), y if from_top else seen.shape[0] - 1 - y))
    return found[0], found[1]


def _neck(outline: _Outline, left: int, right: int) -> Point | None:
    """The lowest point of the front's upper edge between two columns; None for a front open all the way."""
    front = outline.front[:, max(0, left) : right + 1]
    columns = np.flatnonzero(front.any(0))
    if not len(columns):
        return None
    edge = front[:, columns].argmax(0)
    high = edge <= outline.row(_NECK_DEEPEST)
    if high.mean() < 0.5:
        return None
    lowest = edge[high].max()
    at = columns[high][edge[high] >= lowest - 1]
    return outline.photo(float(at.mean()) + max(0, left), float(lowest))


def _waist(outline: _Outline, middle: float, band: list[int], low: int) -> tuple[Point, Point]:
    """The ends of the narrowest row within a band of rows that ends at the hem."""
    rows = range(min(band[0], low), min(band[1], low) + 1)
    runs = np.array([_run(outline.whole[row], middle) for row in rows], np.float32)
    widths = _smoothed(runs[:, 1] - runs[:, 0])
    at = int(np.median(np.flatnonzero(widths <= widths.min() + 0.01)))
    return _ends_at(outline, middle, rows[at])


def _hem_row(outline: _Outline, middle: float, width: float) -> int:
    """Just above the lower edge of what hangs below the shoulders' middle; sleeves may hang lower."""
    first = max(0, round(middle - 0.3 * width))
    body = outline.whole[:, first : round(middle + 0.3 * width) + 1]
    body = body if body.any() else outline.whole
    columns = body[:, body.any(0)]
    lowest = columns.shape[0] - 1 - columns[::-1].argmax(0)
    return max(outline.top, round(float(np.median(lowest)) - 0.02 * outline.height))


def _ends_at(outline: _Outline, middle: float, row: int) -> tuple[Point, Point]:
    left, right = _run(outline.whole[row], middle)
    return outline.photo(left, row), outline.photo(right, row)


def _run(row: Bools, middle: float) -> tuple[int, int]:
    """The ends of the stretch of a row that is nearest to a column."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], row, [False]])))
    if not len(edges):
        return round(middle), round(middle)
    starts, ends = edges[::2], edges[1::2] - 1
    away = np.maximum(np.maximum(starts - middle, middle - ends), 0)
    nearest = int(np.argmin(away - 1e-3 * (ends - starts)))
    return int(starts[nearest]), int(ends[nearest])


def _ends(row: Bools) -> tuple[int, int]:
    at: Indices = np.flatnonzero(row)
    return (int(at[0]), int(at[-1])) if len(at) else (0, 0)


def _parts(mask: Bools) -> Bools:
    """The mask without small pieces apart."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8)
    areas = stats[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    keep = areas >= max(1.0, _PART * areas.max())
    return np.asarray(keep[labels], np.bool_)


def _smoothed(widths: F32) -> F32:
    padded = np.pad(widths, 2, mode="edge")
    return np.asarray(np.convolve(padded, np.full(5, 0.2), "valid"), np.float32)


def _resized(plane: F32, size: tuple[int, int]) -> F32:
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR), np.float32)
