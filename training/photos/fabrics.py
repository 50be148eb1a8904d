"""Cloth: a base colour, a pattern, a weave; the same in every part that is cut from it."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from training.photos.arrays import Box, Colour, Image
from training.photos.colours import any_colour, cloth_colour
from training.photos.textures import clouds, grain

_PATTERNS = ("stripes", "checks", "dots", "blotches", "flowers", "gradient", "squares", "lace")
_TIDY = ("stripes", "stripes", "checks", "dots", "flowers")


@dataclass(frozen=True)
class Fabric:
    """A cloth; `period` (units of a head's height) and `angle` place its pattern."""

    colour: Colour
    second: Colour
    pattern: str
    period: float
    angle: float
    contrast: float
    weave: float
    seed: int

    def render(self, box: Box, unit: float) -> Image:
        """The cloth inside a pixel box, `unit` pixels to a head's height."""
        rng = np.random.default_rng(self.seed)
        picture = np.empty((box[3], box[2], 3), np.float32)
        picture[:] = self.colour
        if self.pattern != "plain":
            self._print(rng, picture, box, unit)
        if self.weave:
            picture *= (1 + grain(rng, picture.shape[:2], max(1.0, unit / 130)) * self.weave)[..., None]
        return np.clip(picture, 0, 1)

    def _print(self, rng: np.random.Generator, picture: Image, box: Box, unit: float) -> None:
        if self.pattern == "flowers":
            _flowers(rng, picture, self.period * unit)
            return
        u, v = self._grid(rng, box, unit)
        weight = _MOTIFS[self.pattern](rng, u, v)
        if unit * self.period > 12 and self.pattern != "gradient":
            weight = np.asarray(cv2.GaussianBlur(weight, (0, 0), 0.5 if unit < 150 else 0.9), np.float32)
        layer = (weight * self.contrast)[..., None]
        picture += (self.second - picture) * layer

    def _grid(self, rng: np.random.Generator, box: Box, unit: float) -> tuple[Image, Image]:
        """Pattern coordinates in periods, bent a little as cloth is."""
        x, y, width, height = box
        rows, columns = np.mgrid[y : y + height, x : x + width].astype(np.float32)
        bend = clouds(rng, (height, width), unit) * rng.uniform(0, 0.035) * unit
        cosine, sine, period = np.cos(self.angle), np.sin(self.angle), self.period * unit
        u = (columns * cosine + rows * sine + bend) / period
        v = (rows * cosine - columns * sine + bend) / period
        return u.astype(np.float32), v.astype(np.float32)


def draw_fabric(
    rng: np.random.Generator, colour: Colour, plain: float = 0.52, *, tidy: bool = False
) -> Fabric:
    """Any cloth of this colour; `plain` is the share without a pattern. A `tidy` one is finely woven."""
    patterns, weave = (_TIDY, 0.015) if tidy else (_PATTERNS, 0.1)
    pattern = "plain" if rng.random() < plain else str(rng.choice(patterns))
    return Fabric(
        colour=colour,
        second=cloth_colour(rng),
        pattern=pattern,
        period=float(rng.uniform(0.08, 0.25 if tidy else 0.6)),
        angle=float(
            rng.choice([0.0, np.pi / 2] if tidy else [0.0, np.pi / 2, np.pi / 4, rng.uniform(0, np.pi)])
        ),
        contrast=float(rng.uniform(0.35, 1.0)),
        weave=float(rng.uniform(0.1, 1.0) * weave) if rng.random() < 0.6 else 0.0,
        seed=int(rng.integers(2**31)),
    )


def _stripes(rng: np.random.Generator, u: Image, v: Image) -> Image:
    return (u % 1 < rng.uniform(0.15, 0.6)).astype(np.float32)


def _checks(rng: np.random.Generator, u: Image, v: Image) -> Image:
    share = rng.uniform(0.2, 0.6)
    tartan = ((u % 1 < share).astype(np.float32) + (v % 1 < share)) / 2
    return np.maximum(tartan, u % 1 < rng.choice([0.0, 0.07])).astype(np.float32)


def _dots(rng: np.random.Generator, u: Image, v: Image) -> Image:
    radius = rng.uniform(0.2, 0.38)
    return ((u % 1 - 0.5) ** 2 + (v % 1 - 0.5) ** 2 < radius**2).astype(np.float32)


def _blotches(rng: np.random.Generator, u: Image, v: Image) -> Image:
    field = clouds(rng, (u.shape[0], u.shape[1]), rng.uniform(0.06, 0.3) * max(u.shape))
    return (field > rng.uniform(-0.4, 1.0)).astype(np.float32)


def _gradient(rng: np.random.Generator, u: Image, v: Image) -> Image:
    span = np.ptp(v) + 1e-6
    return np.clip((v - v.min()) / span * rng.uniform(0.7, 1.5) - rng.uniform(0, 0.3), 0, 1).astype(
        np.float32
    )


def _squares(rng: np.random.Generator, u: Image, v: Image) -> Image:
    return ((np.floor(u) + np.floor(v)) % 2).astype(np.float32)


def _lace(rng: np.random.Generator, u: Image, v: Image) -> Image:
    net = np.sin(2 * np.pi * 3 * u) * np.sin(2 * np.pi * 3 * v)
    blooms = clouds(rng, (u.shape[0], u.shape[1]), max(u.shape) * 0.06)
    return (net + 0.8 * blooms > 0.3).astype(np.float32) * np.float32(0.5)


_MOTIFS: dict[str, Callable[[np.random.Generator, Image, Image], Image]] = {
    "stripes": _stripes,
    "checks": _checks,
    "dots": _dots,
    "blotches": _blotches,
    "gradient": _gradient,
    "squares": _squares,
    "lace": _lace,
}


def _flowers(rng: np.random.Generator, picture: Image, period: float) -> None:
    height, width = picture.shape[:2]
    count = int(min(160, height * width / max(period, 4) ** 2 * rng.uniform(0.5, 2.0)))
    palette = [any_colour(rng, (0.1, 0.9), (0.15, 1)).tolist() for _ in range(3)]
    for _ in range(count):
        centre = rng.uniform(0, (width, height))
        size, colour = period * rng.uniform(0.1, 0.4), palette[int(rng.integers(3))]
        for petal in centre + rng.normal(0, size * 0.8, (int(rng.integers(2, 6)), 2)):
            fixed = (round(petal[0] * 16), round(petal[1] * 16))
            cv2.circle(picture, fixed, max(8, round(size * 11)), colour, -1, cv2.LINE_AA, 4)
