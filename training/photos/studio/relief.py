"""Heights: round bodies, sleeves along a curve, and the folds of cloth that hangs on them (heads)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from training.photos.arrays import Image, Points
from training.photos.outlines import spline
from training.photos.studio.stage import View
from training.photos.textures import SIDE, clouds

_RIM = 0.97
_FAR = -3.0


@dataclass(frozen=True)
class Surface:
    """Depth, and the cloth's own coordinates there (heads): across and along; all of the grid's size."""

    z: Image
    across: Image
    along: Image


def profile(view: View, knots: Sequence[Sequence[float]], steps: int = 8) -> Image:
    """Hx1: the values of (y, value) knots through the grid's rows, as a smooth curve."""
    curve = spline(knots, steps, closed=False)
    return np.interp(view.y, curve[:, 0], curve[:, 1]).astype(np.float32)


def loft(view: View, widths: Image, depths: Image, centre: Image | float = 0.0) -> Surface:
    """A body of elliptic sections; `widths`, `depths`, `centre` are Hx1."""
    u = (view.x - centre) / np.maximum(widths, 1e-3)
    inside = np.clip(u, -_RIM, _RIM)
    z = depths * np.sqrt(1 - inside * inside) - (np.abs(u) - np.abs(inside)) * widths * 2.5
    across = widths * (np.arcsin(inside) + (u - inside))
    return Surface(_f32(z), _f32(across), _f32(np.broadcast_to(view.y, z.shape)))


def tube(view: View, line: Points, radii: Points, flat: float = 0.9, back: Points | float = 0.0) -> Surface:
    """A limb along `line`; `flat`: its depth to its width; `back`: how far its axis lies behind z = 0."""
    z, across, along = (np.full(view.coarse, value, np.float32) for value in (_FAR, 0, 0))
    reach = float(radii.max()) * 2 + 0.1
    low = (line.min(0) - reach - [view.left, view.top]) * view.pitch
    high = (line.max(0) + reach - [view.left, view.top]) * view.pitch
    x0, x1 = (int(np.clip(value, 0, view.coarse[1])) for value in (low[0], high[0]))
    y0, y1 = (int(np.clip(value, 0, view.coarse[0])) for value in (low[1], high[1]))
    if x0 < x1 and y0 < y1:
        behind = np.broadcast_to(np.asarray(back, np.float32), len(line))
        near, side, run, wide, deep = _along(view.x[:, x0:x1], view.y[y0:y1], line, radii, behind)
        inside = np.minimum(near, _RIM)
        z[y0:y1, x0:x1] = wide * flat * np.sqrt(1 - inside * inside) - (near - inside) * wide * 2.5 - deep
        z[y0:y1, x0:x1] = cv2.GaussianBlur(z[y0:y1, x0:x1], (0, 0), max(0.3, 0.035 * view.pitch))
        across[y0:y1, x0:x1], along[y0:y1, x0:x1] = side + line[0, 0], run + line[0, 1]
    return Surface(z, across, along)


def _along(x: Image, y: Image, line: Points, radii: Points, back: Points) -> tuple[Image, ...]:
    """Of the nearest piece of the line: distance in radii, signed distance, length so far, radius, depth."""
    best = np.full((y.shape[0], x.shape[1]), 9.0, np.float32)
    side, run, wide, deep = (np.zeros_like(best) for _ in range(4))
    lengths = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    for i in range(len(line) - 1):
        (ax, ay), step = line[i], line[i + 1] - line[i]
        size = float(np.hypot(*step)) + 1e-6
        ex, ey = float(step[0]) / size, float(step[1]) / size
        share = np.clip(((x - ax) * ex + (y - ay) * ey) / size, 0 if i else -9, 1 if i < len(line) - 2 else 9)
        distance = np.hypot(x - ax - share * float(step[0]), y - ay - share * float(step[1]))
        held = np.clip(share, 0, 1)
        radius = radii[i] + (radii[i + 1] - radii[i]) * held
        better = distance < best * radius
        best[better] = (distance / radius)[better]
        side[better] = (np.sign((x - ax) * ey - (y - ay) * ex) * distance)[better]
        run[better] = (lengths[i] + share * size)[better]
        wide[better] = radius[better]
        deep[better] = (back[i] + (back[i + 1] - back[i]) * held)[better]
    return best, side, run, wide, deep


def ribbon(line: Points, radii: Points) -> Points:
    """The outline of a limb along a smooth line, with straight ends."""
    run = np.gradient(line, axis=0)
    run /= np.hypot(run[:, 0], run[:, 1])[:, None] + 1e-6
    aside = np.stack([run[:, 1], -run[:, 0]], 1) * np.asarray(radii)[:, None]
    return np.concatenate([line + aside, (line - aside)[::-1]]).astype(np.float32)


def joined(one: Surface, other: Surface, blend: float = 0.07) -> Surface:
    """The nearer of two surfaces, with a soft fold between them."""
    share = np.clip(0.5 + 0.5 * (one.z - other.z) / blend, 0, 1)
    rest = 1 - share
    z = one.z * share + other.z * rest + blend * share * rest
    across, along = one.across * share + other.across * rest, one.along * share + other.along * rest
    return Surface(_f32(z), _f32(across), _f32(along))


@dataclass(frozen=True)
class Fold:
    """A ridge with a valley at its side, from where the cloth is gathered to where it spreads.

    `bow`: how far its middle is bent aside; `wide`: its half widths at both ends.
    """

    start: tuple[float, float]
    end: tuple[float, float]
    height: float
    wide: tuple[float, float]
    bow: float = 0.0


def add_folds(view: View, z: Image, folds: Sequence[Fold]) -> None:
    """Raise `z` in place."""
    for fold in folds:
        _add_fold(view, z, fold)


def _add_fold(view: View, z: Image, fold: Fold) -> None:
    ends = np.array([fold.start, fold.end], np.float32)
    margin = max(fold.wide) * 3.2 + abs(fold.bow)
    low = (ends.min(0) - margin - [view.left, view.top]) * view.pitch
    high = (ends.max(0) + margin - [view.left, view.top]) * view.pitch
    x0, x1 = (int(np.clip(v, 0, view.coarse[1])) for v in (low[0], high[0] + 1))
    y0, y1 = (int(np.clip(v, 0, view.coarse[0])) for v in (low[1], high[1] + 1))
    if x0 >= x1 or y0 >= y1:
        return
    x, y = view.x[:, x0:x1] - ends[0, 0], view.y[y0:y1] - ends[0, 1]
    run = ends[1] - ends[0]
    size = float(np.hypot(*run)) + 1e-6
    ex, ey = float(run[0]) / size, float(run[1]) / size
    place = (x * ex + y * ey) / size
    held = np.clip(place, 0, 1)
    aside = x * ey - y * ex - fold.bow * 4 * held * (1 - held)
    wide = fold.wide[0] + (fold.wide[1] - fold.wide[0]) * held
    q = aside / wide
    fade = _eased(place / 0.34 + 0.12) * _eased((1.06 - place) / 0.5)
    z[y0:y1, x0:x1] += fold.height * fade * (np.exp(-q * q) - 0.7 * np.exp(-((q - 1.7) ** 2) * 0.7))


def wrinkles(
    rng: np.random.Generator, across: Image, along: Image, wide: float, stretch: float, lean: float = 0.0
) -> Image:
    """Fine folds of deviation 1 along the cloth's grain, `wide` heads apart and `stretch` times as long."""
    bank = _bank(rng)
    scale = SIDE / 12 / wide
    shift = rng.uniform(0, SIDE, 2)
    turned, run = across + lean * along, along - lean * across
    map_x = _f32(turned * scale + shift[0])
    map_y = _f32(run * scale / stretch + shift[1])
    picked = cv2.remap(bank, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(picked, np.float32)


_BANKS: dict[int, Image] = {}


def _bank(rng: np.random.Generator) -> Image:
    """One of a few height fields with twelve billows across, made when first asked for."""
    number = int(rng.integers(6))
    if number not in _BANKS:
        own = np.random.default_rng([31, number])
        bend = clouds(own, (SIDE, SIDE), 60) * 7
        rows, columns = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
        field = np.zeros((SIDE, SIDE), np.float32)
        for feature, weight in ((34, 1.0), (15, 0.3)):
            noise = clouds(own, (SIDE, SIDE), feature)
            noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), feature / 7), np.float32)
            field += weight * (1 - np.sqrt((noise / noise.std()) ** 2 + 0.05))
        field = np.asarray(cv2.remap(field, columns + bend, rows + bend[::-1], cv2.INTER_LINEAR,
                                     borderMode=cv2.BORDER_REFLECT), np.float32)  # fmt: skip
        _BANKS[number] = _f32((field - field.mean()) / field.std())
    return _BANKS[number]


def _eased(share: Image) -> Image:
    held = np.clip(share, 0, 1)
    return np.asarray(held * held * (3 - 2 * held), np.float32)


def _f32(values: np.ndarray) -> Image:
    return np.ascontiguousarray(values, np.float32)
