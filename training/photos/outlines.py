"""Closed outlines from few points: splines, tubes and ellipses, in any unit."""

import numpy as np

from training.photos.arrays import Points


def spline(points: object, steps: int = 7, closed: bool = True) -> Points:
    """Catmull-Rom curve through `points`, `steps` points a segment (Catmull and Rom, 1974)."""
    knots = np.asarray(points, np.float32)
    index = np.arange(len(knots) if closed else len(knots) - 1)
    before, start, end, after = (_knot(knots, index + offset, closed) for offset in (-1, 0, 1, 2))
    t = np.linspace(0, 1, steps, endpoint=False, dtype=np.float32)[None, :, None]
    linear, square = end - before, 2 * before - 5 * start + 4 * end - after
    cube = 3 * start - before - 3 * end + after
    curve = start[:, None] + 0.5 * (linear[:, None] * t + square[:, None] * t**2 + cube[:, None] * t**3)
    curve = curve.reshape(-1, 2)
    return curve if closed else np.concatenate([curve, knots[-1:]])


def _knot(knots: Points, index: np.ndarray, closed: bool) -> Points:
    return knots[index % len(knots)] if closed else knots[np.clip(index, 0, len(knots) - 1)]


def tube(centre: object, radii: object, smooth: bool = True) -> list[Points]:
    """A limb: quads along a centre line whose radius runs through `radii`, with round joints."""
    line, width = np.asarray(centre, np.float32), np.asarray(radii, np.float32)
    if smooth and len(line) > 2:
        line, width = _resample(line, width)
    quads = [_quad(line[i], line[i + 1], width[i], width[i + 1]) for i in range(len(line) - 1)]
    joints = [ellipse(line[i], width[i], width[i], 22) for i in range(1, len(line) - 1)]
    return quads + joints


def _resample(line: Points, width: Points) -> tuple[Points, Points]:
    steps = 5
    curve = spline(line, steps, closed=False)
    at = np.linspace(0, len(width) - 1, len(curve))
    return curve, np.interp(at, np.arange(len(width)), width).astype(np.float32)


def _quad(start: Points, end: Points, first: float, last: float) -> Points:
    along = end - start
    normal = np.array([-along[1], along[0]], np.float32) / (np.hypot(*along) + 1e-6)
    return np.array(
        [start + normal * first, end + normal * last, end - normal * last, start - normal * first]
    )


def ellipse(centre: object, radius_x: float, radius_y: float, sides: int = 36) -> Points:
    """A polygon close to an ellipse."""
    angle = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    ring = np.stack([np.cos(angle) * radius_x, np.sin(angle) * radius_y], 1)
    return (np.asarray(centre, np.float32) + ring).astype(np.float32)


def rectangle(left: float, top: float, right: float, bottom: float) -> Points:
    """Four corners."""
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)


def mirrored(half: object) -> Points:
    """An outline from its right half (top to bottom): the left half is added, bottom to top."""
    right = np.asarray(half, np.float32)
    return np.concatenate([right, right[::-1] * np.array([-1, 1], np.float32)])


def edged(half: object, sag: float = 0.0, steps: int = 9) -> Points:
    """A symmetric outline whose right edge is a smooth curve (top to bottom) with sharp corners at its ends.

    The lower edge hangs `sag` lower in the middle; the upper one is straight.
    """
    right = spline(half, steps, closed=False)
    across = np.linspace(1, -1, 9, dtype=np.float32)[1:-1]
    low = right[-1]
    hem = np.stack([across * low[0], low[1] + sag * (1 - across**2)], 1)
    left = right[::-1] * np.array([-1, 1], np.float32)
    return np.concatenate([right, hem, left]).astype(np.float32)
