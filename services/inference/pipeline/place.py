"""One picture's place on another, as slices."""

from __future__ import annotations

Slices = tuple[slice, slice]


def place(part: tuple[int, ...], corner: tuple[int, int], canvas: tuple[int, ...]) -> tuple[Slices, Slices]:
    """Where a part [h,w,…] goes whose corner is (left, top), and what of it: beyond the canvas it is cut."""
    across, across_part = _overlap(corner[0], part[1], canvas[1])
    down, down_part = _overlap(corner[1], part[0], canvas[0])
    return (down, across), (down_part, across_part)


def _overlap(start: int, length: int, room: int) -> tuple[slice, slice]:
    first, last = max(0, start), max(0, min(room, start + length))
    return slice(first, max(first, last)), slice(first - start, max(first, last) - start)
