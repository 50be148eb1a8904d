"""The garment's back edge over an opening: one smooth curve, whatever the interior map's own edge is like."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.inference.pipeline.arrays import F32, Bools
from services.inference.pipeline.hollow.evidence import Evidence, Frame, grown
from services.inference.pipeline.hollow.openings import Opening, Place
from services.inference.pipeline.hollow.upper_edge import UpperEdge

HANG = 0.07
"""How far (share of its width) a back neckline hangs below its ends where nothing better is known."""
HIGHEST, LOWEST = -0.12, 0.15
"""How far above and below its ends (shares of its width) the middle of a back neckline may lie."""
_WAIST_HANG = -0.04
_STRAP, _KNOWN_STRAP = 0.14, 0.25
"""Width (share of the opening's) up to which what holds a front is a strap; the second where the interior map
knows how high the back is."""
_STRAP_SHARE = 0.35
"""Share of a strap's height at which the back edge meets it: a back is cut lower than its straps reach."""
_SIDEWAYS = 0.5
"""How far beside what is known of an opening (share of its width) its ends may lie."""
_LEVEL, _END = 0.1, 0.15
"""How far (share of its width) a waist's corners may lie off the line of its upper edge, and which part of
that edge is its end."""
_LEAP = 0.25
"""A step outwards from row to row (share of the width) that leads to another part of the garment."""
_AGREEMENT = 0.12
"""Spread (share of the width) of the interior map's edge from which on it says nothing."""

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Rim:
    """A parabola between two ends (x, y in px); `hang` is how far its middle lies below their chord, px."""

    left: Point
    right: Point
    hang: float

    @property
    def width(self) -> float:
        return self.right[0] - self.left[0]

    @property
    def middle(self) -> Point:
        x = (self.left[0] + self.right[0]) / 2
        return x, (self.left[1] + self.right[1]) / 2 + self.hang

    def height_at(self, x: F32) -> F32:
        """y at each x [n]; beyond the ends as at them."""
        share = np.clip((x - self.left[0]) / max(1e-6, self.width), 0, 1)
        chord = self.left[1] + share * (self.right[1] - self.left[1])
        return np.asarray(chord + self.hang * 4 * share * (1 - share), np.float32)

    def slope_at(self, x: F32) -> F32:
        """dy/dx at each x [n]; 0 beyond the ends."""
        share = (x - self.left[0]) / max(1e-6, self.width)
        slope = (self.right[1] - self.left[1] + self.hang * 4 * (1 - 2 * share)) / max(1e-6, self.width)
        return np.where((share >= 0) & (share <= 1), slope, 0).astype(np.float32)

    def scaled(self, x: float, y: float) -> Rim:
        """The same curve in a picture so many times as large."""
        left, right = ((end[0] * x, end[1] * y) for end in (self.left, self.right))
        return Rim(left, right, self.hang * y)


def find_rim(evidence: Evidence, opening: Opening) -> Rim:
    """The back edge from end to end of the front edge; of a sleeve or hem a level line above it."""
    frame = Frame.around(opening.seed)
    if opening.place in (Place.SLEEVE, Place.HEM):
        return Rim((frame.left, frame.top - 2.0), (frame.right, frame.top - 2.0), 0.0)
    if opening.place is Place.WAIST:
        return _waist_rim(evidence, opening.seed, frame)
    left, right = _ends(evidence, opening.seed, frame)
    chord = Rim(left, right, 0.0)
    hang = _observed_hang(evidence, opening.seed, chord)
    hang = HANG * chord.width if hang is None else hang
    return Rim(left, right, float(np.clip(hang, HIGHEST * chord.width, LOWEST * chord.width)))


def _waist_rim(evidence: Evidence, seed: Bools, frame: Frame) -> Rim:
    """From corner to corner of the garment; a back waistband stands level or a little higher."""
    chord = Rim(*_corners(evidence.garment, frame), hang=0.0)
    seen = _observed_hang(evidence, seed, chord)
    hang = _WAIST_HANG * chord.width if seen is None else seen
    return Rim(chord.left, chord.right, float(np.clip(hang, HIGHEST * chord.width, 0.02 * chord.width)))


def _corners(garment: Bools, frame: Frame) -> tuple[Point, Point]:
    """The highest points near both ends of the garment's upper edge, as far as that is about one line."""
    edge = UpperEdge.beside(garment, frame)
    if edge is None:
        return (float(frame.left), float(frame.bottom)), (float(frame.right), float(frame.bottom))
    straight = np.flatnonzero(np.abs(edge.below) <= max(3.0, _LEVEL * frame.width))
    end = max(1, round(_END * len(straight)))
    first, last = straight[:end], straight[-end:][::-1]
    left, right = first[np.argmin(edge.below[first])], last[np.argmin(edge.below[last])]
    return (
        (float(edge.columns[left]), float(edge.heights[left]) + 1),
        (float(edge.columns[right]) + 1, float(edge.heights[right]) + 1),
    )


def _ends(evidence: Evidence, seed: Bools, frame: Frame) -> tuple[Point, Point]:
    """Where the front neckline meets the shoulders."""
    low = np.flatnonzero(seed[frame.bottom - max(1, frame.height // 4) : frame.bottom].any(axis=0))
    axis = int(np.median(low))
    side = max(3, round(_SIDEWAYS * frame.width))
    ceiling = max(0, frame.top - max(3, round(0.3 * frame.height)))
    known = bool((evidence.interior[seed] > 0.5).mean() > 0.5)
    left = evidence.garment[:, max(0, frame.left - side) : axis][:, ::-1]
    right = evidence.garment[:, axis : frame.right + side]
    ends = [_end(half, frame, ceiling, known) for half in (left, right)]
    extremes = _extremes(seed, frame)
    return (
        extremes[0] if ends[0] is None else (axis - 1.0 - ends[0][0], ends[0][1]),
        extremes[1] if ends[1] is None else (axis + ends[1][0], ends[1][1]),
    )


def _end(half: Bools, frame: Frame, ceiling: int, known: bool) -> Point | None:
    """Distance from the axis and y of a front edge's upper end; `half` [h,n] runs outwards from the axis."""
    if not half.shape[1]:
        return None
    reach = np.where(half.any(axis=1), np.argmax(half, axis=1), -1)
    top = _highest(reach, frame, ceiling)
    if top is None or top >= frame.bottom - 1:
        return None
    thick = _thickness(half, reach, top, frame.bottom) / frame.width
    if known and thick < _KNOWN_STRAP:
        top = _nearest(reach, max(top, frame.top))
    elif not known and thick < _STRAP:
        top = _nearest(reach, round(frame.bottom - (frame.bottom - top) * _STRAP_SHARE))
    return float(reach[top]), float(top) + 0.5


def _highest(reach: NDArray[np.intp], frame: Frame, ceiling: int) -> int | None:
    """The highest row up to which the front edge runs without a break."""
    start = min(frame.bottom, len(reach) - 1)
    flat = frame.bottom - frame.height // 4
    leap = max(4.0, _LEAP * frame.width)
    top = None
    for row in range(start, ceiling - 1, -1):
        breaks = reach[row] < 0 or (row < flat and top is not None and reach[row] > reach[top] + leap)
        if breaks and top is not None and top - row > 2:
            break
        top = top if breaks else row
    return top


def _nearest(reach: NDArray[np.intp], row: int) -> int:
    """The row nearest to `row` that has garment."""
    rows = np.flatnonzero(reach >= 0)
    return int(rows[np.argmin(np.abs(rows - row))])


def _thickness(half: Bools, reach: NDArray[np.intp], top: int, bottom: int) -> float:
    """How wide the garment is beside the upper half of its front edge, in the middle: a strap is narrow."""
    rows = [row for row in range(top, max(top + 1, (top + bottom) // 2)) if reach[row] >= 0]
    return float(np.median([_run(half[row, reach[row] :]) for row in rows]))


def _run(line: Bools) -> int:
    """How many pixels a line starts with."""
    return len(line) if line.all() else int(np.argmin(line))


def _extremes(seed: Bools, frame: Frame) -> tuple[Point, Point]:
    heights = [float(np.flatnonzero(seed[:, column]).mean()) for column in (frame.left, frame.right - 1)]
    return (float(frame.left), heights[0]), (float(frame.right), heights[1])


def _observed_hang(evidence: Evidence, seed: Bools, chord: Rim) -> float | None:
    """How far the middle of the interior map's upper edge hangs; None if that edge says nothing."""
    near = grown(seed, 2)
    near[Frame.around(seed).window] |= evidence.garment[Frame.around(seed).window]
    inner = near & (evidence.interior > 0.5)
    columns = np.flatnonzero(inner.any(axis=0))
    share = (columns - chord.left[0]) / max(1.0, chord.width)
    central = columns[np.abs(share - 0.5) < 0.3]
    if len(central) < 0.3 * chord.width:
        return None
    tops = np.argmax(inner[:, central], axis=0).astype(np.float32)
    shape = 4 * (share * (1 - share))[np.abs(share - 0.5) < 0.3]
    hangs = (tops - chord.height_at(central.astype(np.float32))) / shape
    spread = np.subtract(*np.percentile(hangs, [75, 25]))
    return float(np.median(hangs)) if spread < _AGREEMENT * chord.width else None
