"""One outline laid onto another, smoothly: coherent point drift (Myronenko, Song: "Point Set Registration:
Coherent Point Drift", TPAMI 2010), in which points also want to face the same way, and some pairs are known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from services.inference.pipeline.on_model.contour import F64, Contour

_ROUNDS = 30
_OUTLIERS = 0.15
_FACING = 0.05
"""Weight of a pair of points that face opposite ways; of one that face alike it is 1."""
_SHARPEST = 1e-3
"""Least mean square distance (in units) at which pairs are still looked for: what is nearer is noise."""
_KNOWN = 2.0
"""How much a known pair weighs beside a found one."""


@dataclass(frozen=True, slots=True, eq=False)
class Drift:
    """A smooth displacement field: a sum of Gaussians about `centres` [n,2] with `weights` [n,2]."""

    centres: F64
    weights: F64
    reach: float

    def at(self, points: F64) -> F64:
        """Where points [m,2] go."""
        return np.asarray(points + _kernel(points, self.centres, self.reach) @ self.weights)


def drift(
    moving: Contour, fixed: Contour, pairs: tuple[F64, F64], *, reach: float, stiffness: float, unit: float
) -> Drift:
    """Moves one contour onto another. `pairs`: known places, from [k,2] to [k,2]. `reach`, `unit`: px.

    `reach` is how far neighbours move together, `unit` the size of what is moved; `stiffness` holds against
    moving at all.
    """
    start = np.concatenate([moving.points, pairs[0]]) / unit
    aim = fixed.points / unit
    kernel = _kernel(start, start, reach / unit)
    facing = np.clip(moving.normals @ fixed.normals.T, 0, 1) ** 2 * (1 - _FACING) + _FACING
    count = len(moving.points)
    weights = np.zeros_like(start)
    spread = _spread(start[:count], aim)
    for _ in range(_ROUNDS):
        now = start + kernel @ weights
        chance = _matched(now[:count], aim, facing, spread)
        mass = np.concatenate([chance.sum(1), np.full(len(pairs[0]), _KNOWN)])
        goal = np.concatenate([chance @ aim, _KNOWN * pairs[1] / unit])
        held = kernel * mass[:, None] + stiffness * spread * np.eye(len(start))
        weights = np.linalg.solve(held, goal - mass[:, None] * start)
        now = start + kernel @ weights
        apart = ((now[:count, None] - aim[None]) ** 2).sum(-1)
        spread = max(float((chance * apart).sum() / max(2 * chance.sum(), 1e-9)), _SHARPEST)
    return Drift(start * unit, weights * unit, reach)


def _kernel(points: F64, centres: F64, reach: float) -> F64:
    apart = ((points[:, None] - centres[None]) ** 2).sum(-1)
    return np.asarray(np.exp(-apart / (2 * reach**2)))


def _spread(points: F64, aim: F64) -> float:
    """A tenth of the mean square of all distances: both lie about upon each other already."""
    return float(((points[:, None] - aim[None]) ** 2).sum(-1).mean() / 2) * 0.1


def _matched(now: F64, aim: F64, facing: F64, spread: float) -> F64:
    """How likely each point of the one belongs to each of the other, [n,m]."""
    apart = ((now[:, None] - aim[None]) ** 2).sum(-1)
    likely = np.exp(-apart / (2 * spread)) * facing
    none = 2 * np.pi * spread * _OUTLIERS / (1 - _OUTLIERS) * len(now) / max(1, len(aim))
    return np.asarray(likely / (likely.sum(0) + none))
