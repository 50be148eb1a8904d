"""Where each pixel of a dressed person comes from in the garment's photo: a smooth map that never folds.

First a similarity from torso to torso; then the outline that the garment is to have on this person is drifted
onto the garment's own one, which bends sleeves along the arms as far as both go alike. Several outlines and
stiffnesses are tried; of those that keep cloth believable, the one wins that has most of the outline for
least stretching, and if none is worth it, the garment is not bent at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np

from services.inference.pipeline.arrays import F32, Bools
from services.inference.pipeline.on_model.contour import F64, contour_of
from services.inference.pipeline.on_model.register import Drift, drift

GRID = 8
"""Px of the figure from one point of the map to the next."""
LEAST_AREA, MOST_AREA = 0.28, 3.4
"""How much of the cloth's area may be left or made of it anywhere: beyond, it is creased or smeared."""
MOST_SHEAR = 2.6
"""How many times longer cloth may get one way than the other."""
_COST = 0.2
"""Overlap that a unit of strain is worth."""
_UNLIKE = 0.2
_POINTS = 150
_REACH = 0.8
"""In shoulder widths."""
_STIFFNESSES = (64.0, 192.0, 768.0)


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """`source` float32 [h,w,2] (x, y): for each px of the figure, the garment photo's px that shows there.

    `garment` [h,w] is where that is garment. `overlap`: 0..1, how well it has the outline it was to have;
    `strain`: how unevenly cloth is stretched, in the mean (0: nowhere), and how far from its natural size.
    `drifted`: whether it was bent, rather than only moved, turned and enlarged.
    """

    source: F32
    garment: Bools
    overlap: float
    strain: float = 0.0
    drifted: bool = False

    @property
    def merit(self) -> float:
        """By what fits are compared: the outline, less what it cost the cloth."""
        return self.overlap - _COST * self.strain


@dataclass(frozen=True, slots=True, eq=False)
class Cloth:
    """The garment in its own photo, small: `mask` [h,w], a px of which is `scale` (x, y) px of the photo."""

    mask: Bools
    scale: tuple[float, float]


def fit(cloth: Cloth, start: F64, targets: list[Bools], pairs: tuple[F64, F64], unit: float) -> Fit:
    """The best fit on a figure. `start` [2,3]: from its px to the garment's (both small); `targets` [h,w]:
    outlines that the garment may take; `pairs`: places on the figure and on the garment (px) that belong
    together; `unit`: the shoulders' width on the figure.
    """
    shape = targets[0].shape
    plain = _fit(cloth, _grid(shape), start, None, targets)
    best = plain
    for found in _bent(cloth, plain, start, targets, pairs, unit):
        if found.merit > best.merit:
            best = found
    return best


def _bent(
    cloth: Cloth, plain: Fit, start: F64, targets: list[Bools], pairs: tuple[F64, F64], unit: float
) -> Iterator[Fit]:
    """For each outline and stiffness the fit, if it keeps cloth believable."""
    back = _inverted(start)
    fixed = contour_of(cloth.mask, _POINTS).moved(back)
    anchors = pairs[0], pairs[1] @ back[:, :2].T + back[:, 2]
    grid = _grid(targets[0].shape)
    for target in _worth_trying(targets, plain):
        moving = contour_of(target, _POINTS)
        if len(moving.points) < 20 or len(fixed.points) < 20:
            continue
        for stiffness in _STIFFNESSES:
            bend = drift(moving, fixed, anchors, reach=_REACH * unit, stiffness=stiffness, unit=unit)
            found = _fit(cloth, grid, start, bend, [target])
            strain = strain_of(bend, found.garment, grid)
            if strain is not None:
                yield replace(found, strain=strain)


def _worth_trying(targets: list[Bools], plain: Fit) -> list[Bools]:
    """The outlines that are something like the unbent garment's; the likeliest one in any case."""
    alike = [_overlap(plain.garment, target) for target in targets]
    return [target for target, much in zip(targets, alike, strict=True) if much > max(alike) - _UNLIKE]


def strain_of(bend: Drift, garment: Bools, grid: F64) -> float | None:
    """How unevenly the map stretches the garment; None where it folds, or creases or smears the cloth."""
    placed = bend.at(grid.reshape(-1, 2)).reshape(grid.shape)
    jacobian = np.stack(np.gradient(placed, GRID, axis=(1, 0)), axis=-1)
    inside = cv2.resize(garment.view(np.uint8), grid.shape[1::-1], interpolation=cv2.INTER_NEAREST) > 0
    cells = jacobian[inside]
    if not len(cells):
        return None
    area = np.linalg.det(cells)
    long, short = np.maximum(np.linalg.svd(cells, compute_uv=False), 1e-6).T
    creased = area.min() <= 0 or np.percentile(area, 2) < LEAST_AREA or np.percentile(area, 98) > MOST_AREA
    if creased or np.percentile(long / short, 98) > MOST_SHEAR:
        return None
    uneven = np.log(long / short).mean() + np.log(area).std()
    return float(uneven + abs(np.log(area.mean())))


def least_squares(start: F64, end: F64) -> F64:
    """The similarity [2,3] that brings points [n,2] nearest to others (Umeyama, TPAMI 1991, no mirroring)."""
    a, b = start - start.mean(0), end - end.mean(0)
    spread = max(float((a**2).sum()), 1e-9)
    cos = float((a * b).sum()) / spread
    sin = float((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum()) / spread
    turn = np.array([[cos, -sin], [sin, cos]])
    return np.column_stack([turn, end.mean(0) - turn @ start.mean(0)])


def _fit(cloth: Cloth, grid: F64, start: F64, bend: Drift | None, targets: list[Bools]) -> Fit:
    shape = targets[0].shape
    placed = grid if bend is None else bend.at(grid.reshape(-1, 2)).reshape(grid.shape)
    small = np.asarray(placed @ start[:, :2].T + start[:, 2], np.float32)
    whole = _enlarged(small, shape)
    garment = cv2.remap(cloth.mask.astype(np.float32), *_maps(whole), cv2.INTER_LINEAR) > 0.5
    mask = np.asarray(garment, np.bool_)
    overlap = max(_overlap(mask, target) for target in targets)
    source = (whole + np.float32(0.5)) * np.array(cloth.scale, np.float32) - np.float32(0.5)
    return Fit(np.asarray(source, np.float32), mask, overlap, drifted=bend is not None)


def _maps(source: F32) -> tuple[F32, F32]:
    """As OpenCV wants them."""
    return np.ascontiguousarray(source[..., 0]), np.ascontiguousarray(source[..., 1])


def _grid(shape: tuple[int, ...]) -> F64:
    """Points every GRID px, the last ones beyond the edge, float64 [m,n,2]."""
    columns = np.arange(0, shape[1] + GRID, GRID, dtype=np.float64)
    rows = np.arange(0, shape[0] + GRID, GRID, dtype=np.float64)
    return np.stack(np.meshgrid(columns, rows), axis=-1)


def _enlarged(small: F32, shape: tuple[int, ...]) -> F32:
    """A map given every GRID px, for every px: linear in between."""
    x, y = np.meshgrid(np.arange(shape[1], dtype=np.float32), np.arange(shape[0], dtype=np.float32))
    return np.asarray(cv2.remap(small, x / GRID, y / GRID, cv2.INTER_LINEAR), np.float32)


def _overlap(one: Bools, other: Bools) -> float:
    both = int((one | other).sum())
    return float((one & other).sum()) / both if both else 0.0


def _inverted(matrix: F64) -> F64:
    turn = np.linalg.inv(matrix[:, :2])
    return np.column_stack([turn, -turn @ matrix[:, 2]])
