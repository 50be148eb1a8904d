"""Where cloth folds: from shoulders, bust and armpits, at bent elbows and knees, and down to the hem."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.photos.arrays import Image, Points
from training.photos.studio.bodies import CHEST_Y, WAIST_Y, Shape
from training.photos.studio.relief import Fold
from training.photos.studio.stage import View


def trunk_folds(
    rng: np.random.Generator,
    shape: Shape,
    hem: float,
    hem_wide: float,
    fall: float,
    sleeved: bool,
    softness: float,
) -> list[Fold]:
    """Of a top's front; `softness`: 1 is an ordinary shirt's."""
    folds = [*_from_armpits(rng, shape, sleeved), *_from_shoulders(rng, shape)]
    folds += _to_hem(rng, shape, hem, hem_wide) + _at_waist(rng, shape, hem, fall)
    return [Fold(f.start, f.end, f.height * softness, f.wide, f.bow) for f in folds]


def _from_armpits(rng: np.random.Generator, shape: Shape, sleeved: bool) -> list[Fold]:
    folds = []
    for side in (-1, 1):
        for _ in range(4 if sleeved else 2):
            start = (side * (shape.chest - rng.uniform(-0.06, 0.06)), rng.uniform(1.98, 2.25))
            angle = rng.uniform(0.15, 1.25)
            size = rng.uniform(0.3, 0.65)
            end = (start[0] - side * np.cos(angle) * size, start[1] + np.sin(angle) * size)
            folds.append(Fold(start, (float(end[0]), float(end[1])), rng.uniform(0.014, 0.04),
                              (rng.uniform(0.025, 0.04), rng.uniform(0.05, 0.09)),
                              side * rng.uniform(0, 0.06)))  # fmt: skip
    return folds


def _from_shoulders(rng: np.random.Generator, shape: Shape) -> list[Fold]:
    folds = []
    for side in (-1, 1):
        for _ in range(2):
            x = rng.uniform(0.38, shape.shoulder - 0.12)
            end = (side * (x - rng.uniform(-0.05, 0.16)), rng.uniform(2.0, 2.3))
            folds.append(Fold((side * x, 1.58), end,
                              rng.uniform(0.006, 0.016), (0.04, 0.08), rng.uniform(-0.03, 0.03)))  # fmt: skip
    return folds


def _to_hem(rng: np.random.Generator, shape: Shape, hem: float, hem_wide: float) -> list[Fold]:
    """Long folds that hang from the bust or the waist, wider below."""
    folds = []
    count = int(rng.integers(5, 8))
    for x in np.linspace(-0.82, 0.82, count) + rng.normal(0, 0.07, count):
        top = rng.uniform(CHEST_Y + 0.1, WAIST_Y + 0.15)
        lean = rng.normal(0, 0.05)
        wide = 0.07 + 0.04 * (hem - 4) * (hem > 4.5)
        folds.append(Fold((float(x * shape.waist + lean), top), (float(x * hem_wide), hem + 0.3),
                          rng.uniform(0.02, 0.05), (rng.uniform(0.035, 0.06), rng.uniform(0.85, 1.5) * wide),
                          rng.normal(0, 0.05)))  # fmt: skip
    return folds


def _at_waist(rng: np.random.Generator, shape: Shape, hem: float, fall: float) -> list[Fold]:
    folds = []
    for side in (-1, 1):
        for _ in range(int(rng.integers(2, 5))):
            y = rng.uniform(2.7, min(3.4, hem - 0.3))
            reach = rng.uniform(0.4, 0.7)
            start = (side * (shape.waist + 0.03 + 0.1 * fall), y)
            folds.append(Fold(start, (start[0] - side * reach, y + rng.uniform(-0.1, 0.3)),
                              rng.uniform(0.008, 0.017), (rng.uniform(0.03, 0.045), 0.08),
                              rng.normal(0, 0.04)))  # fmt: skip
    return folds


def sleeve_folds(
    rng: np.random.Generator, line: Points, radii: Points, side: int, softness: float, share: float
) -> list[Fold]:
    """Diagonal folds that turn about the arm, crowded at the elbow and the cuff."""
    folds = []
    steps = np.hypot(*np.diff(line, axis=0).T)
    total = float(steps.sum())
    along = np.concatenate([[0], np.cumsum(steps)]) / total
    places = [*rng.uniform(0.08, 0.35, 4), *rng.normal(0.58, 0.06, 4), *rng.uniform(0.4, 0.8, 3)]
    if share > 0.7:
        places += [*rng.uniform(0.82, 0.96, 4)]
    if share < 0.5:
        places = [*rng.uniform(0.1, 0.95, 5)]
    for place in places:
        middle = np.array([np.interp(place, along, line[:, axis]) for axis in (0, 1)])
        ahead = np.array([np.interp(min(1, place + 0.08), along, line[:, axis]) for axis in (0, 1)]) - middle
        ahead /= np.hypot(*ahead) + 1e-6
        aside = np.array([ahead[1], -ahead[0]])
        radius = float(np.interp(place, along, radii))
        slant = rng.uniform(0.2, 1.1) * rng.choice([-1, 1])
        run = aside * radius * rng.uniform(0.6, 1.05) * rng.choice([-1, 1])
        start, end = (
            middle - run + ahead * radius * slant,
            middle + run * rng.uniform(0.2, 1) - ahead * radius * slant,
        )
        folds.append(Fold((float(start[0]), float(start[1])), (float(end[0]), float(end[1])),
                          softness * rng.uniform(0.01, 0.026),
                          (rng.uniform(0.02, 0.035), rng.uniform(0.035, 0.06)),
                          side * rng.normal(0, 0.03)))  # fmt: skip
    return folds


def hem_waves(rng: np.random.Generator, wide: float, y: float, sag: float, wave: float) -> Points:
    """A hem from right to left: it hangs lower in the middle, and runs in and out with the folds."""
    across = np.linspace(1, -1, 61)
    low = y + sag * (1 - across**2)
    for pitch in (2.3, 4.1, 6.7):
        low += wave / pitch * 2 * np.sin(across * pitch * np.pi + rng.uniform(0, 6)) * (1 - across**4)
    return np.stack([across * wide, low], 1).astype(np.float32)


@dataclass(frozen=True)
class Gores:
    """Cone-shaped folds that grow from a waist to a hem. terms: (waves over the front, phase, weight)."""

    terms: tuple[tuple[float, float, float], ...]
    height: float

    @classmethod
    def draw(cls, rng: np.random.Generator, height: float) -> Gores:
        waves = ((rng.uniform(4.5, 6), 1.0), (rng.uniform(7, 10), 0.7), (rng.uniform(12, 16), 0.25))
        return cls(tuple((k, rng.uniform(0, 6.3), w) for k, w in waves), height)

    def at(self, turn: Image) -> Image:
        """-1..1 about; `turn`: angle around the body, 0 in front."""
        total = np.zeros_like(turn)
        for waves, phase, weight in self.terms:
            total += weight * np.sin(turn * waves + phase + 0.5 * np.sin(turn * 2 + phase))
        return np.asarray(total, np.float32)

    def heights(self, view: View, widths: Image, top: float, hem: float) -> Image:
        """What to add to a depth (grid)."""
        turn = np.arcsin(np.clip(view.x / np.maximum(widths, 1e-3), -0.99, 0.99))
        share = np.clip((view.y - top) / (hem - top), 0, 1.15) ** np.float32(1.3)
        return np.asarray(self.at(turn.astype(np.float32)) * share * self.height, np.float32)

    def hem(self, wide: float, y: float, sag: float = 0.06) -> Points:
        """The hem from right to left: what comes forward hangs lower in the picture."""
        across = np.linspace(1, -1, 121)
        turn = np.arcsin(across * 0.99).astype(np.float32)
        low = y + sag * (1 - across**2) + self.at(turn) * self.height * 0.4 * (1 - across**4)
        return np.stack([across * wide, low], 1).astype(np.float32)


def trouser_folds(rng: np.random.Generator, legs: list[Points], hem: float, hip: float) -> list[Fold]:
    """Whiskers at the crotch, breaks at the knees, stacks above the hem."""
    folds = []
    for side, line in zip((-1, 1), legs, strict=True):
        for _ in range(4):
            y = rng.uniform(3.95, 4.3)
            end = (side * rng.uniform(0.3, hip - 0.05), y + rng.uniform(-0.35, 0.25))
            folds.append(Fold((side * rng.uniform(0.02, 0.08), y), end, rng.uniform(0.018, 0.04),
                              (0.03, 0.06), side * rng.uniform(-0.05, 0.05)))  # fmt: skip
        folds.append(Fold((side * 0.34, 3.9), (float(line[-1, 0]), hem), 0.018, (0.05, 0.05), 0.0))
        for y in [*rng.normal(5.55, 0.16, 4), *rng.uniform(hem - 0.5, hem - 0.08, 4)]:
            x = float(np.interp(y, line[:, 1], line[:, 0]))
            reach, slant = rng.uniform(0.12, 0.26), rng.normal(0, 0.12)
            start = rng.choice([-1, 1])
            end = (x + start * (0.25 - 2 * reach), y + slant)
            folds.append(Fold((x + start * 0.25, y), end, rng.uniform(0.016, 0.036),
                              (0.03, 0.055), rng.normal(0, 0.03)))  # fmt: skip
    return folds
