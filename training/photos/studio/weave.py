"""Cloth close up: colour, weave or stitches, and patterns that lie on its own coordinates."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import cv2
import numpy as np

from training.photos.arrays import Bytes, Colour, Image
from training.photos.outlines import ellipse
from training.photos.studio.stage import Layer, Make, Stage
from training.photos.textures import clouds, grain

_TILE = 256


class Weave(StrEnum):
    """How the cloth is made."""

    JERSEY = "jersey"
    POPLIN = "poplin"
    LINEN = "linen"
    DENIM = "denim"
    KNIT = "knit"
    WOOL = "wool"
    CORD = "cord"
    FLEECE = "fleece"
    RIB = "rib"


class Pattern(StrEnum):
    """What is printed on it or woven in."""

    PLAIN = "plain"
    BRETON = "breton"
    PINSTRIPE = "pinstripe"
    CHECK = "check"
    FLORAL = "floral"


@dataclass(frozen=True)
class _Nature:
    """make; depth of the relief, its tile's side and the unevenness of the dye; body: 0 limp, 1 stiff."""

    make: Make
    relief: float
    period: float
    uneven: float
    body: float


_NATURES = {
    Weave.JERSEY: _Nature(Make(0.02, 0.25), 0.0012, 0.16, 0.02, 0.4),
    Weave.POPLIN: _Nature(Make(0.06, 0.08), 0.0008, 0.12, 0.015, 0.75),
    Weave.LINEN: _Nature(Make(0.02, 0.12), 0.0022, 0.22, 0.05, 0.9),
    Weave.DENIM: _Nature(Make(0.03, 0.1), 0.0020, 0.16, 0.06, 1.0),
    Weave.KNIT: _Nature(Make(0.0, 0.5), 0.0060, 0.36, 0.03, 0.3),
    Weave.WOOL: _Nature(Make(0.0, 0.6), 0.0018, 0.22, 0.045, 0.6),
    Weave.CORD: _Nature(Make(0.03, 0.5), 0.0090, 0.36, 0.03, 0.8),
    Weave.RIB: _Nature(Make(0.0, 0.4), 0.0080, 0.34, 0.02, 0.4),
    Weave.FLEECE: _Nature(Make(0.0, 0.45), 0.0016, 0.3, 0.03, 0.55),
}


@dataclass(frozen=True)
class Cloth:
    """A weave in a colour (sRGB), with a pattern in a second colour at a scale (heads a repeat)."""

    weave: Weave
    colour: Colour
    pattern: Pattern = Pattern.PLAIN
    second: Colour | None = None
    repeat: float = 0.5

    @property
    def make(self) -> Make:
        return _NATURES[self.weave].make

    @property
    def body(self) -> float:
        """0: it hangs like silk; 1: it stands like denim."""
        return _NATURES[self.weave].body


def linear(colour: object) -> Image:
    """sRGB to linear light."""
    return np.asarray(np.clip(np.asarray(colour, np.float32), 0, 1) ** np.float32(2.2), np.float32)


def lay_cloth(
    rng: np.random.Generator,
    stage: Stage,
    cover: Bytes,
    surface: tuple[Image, Image, Image],
    cloth: Cloth,
    label: int,
    relief: Image | None = None,
    shade: float = 1.0,
) -> None:
    """A piece of cloth; `surface`: its depth and coordinates on the grid; `relief`: seams and stitches."""
    if not cover.any():
        return
    view, nature = stage.view, _NATURES[cloth.weave]
    rows, columns, *grid = view.box(cover)
    across, along = (view.fine(plane, grid[0], grid[1], cv2.INTER_LINEAR) for plane in surface[1:])
    colour = _dyed(rng, cloth, across, along) * np.float32(shade)
    fine = np.zeros(cover.shape, np.float32) if relief is None else relief
    strength = nature.relief * float(np.clip(nature.period * view.unit / 40, 0, 1))
    height = _sampled(_relief_tile(cloth.weave), across, along, nature.period)
    fine[rows, columns] += (height - 0.5) * np.float32(strength)
    colour *= (1 + (height - 0.5) * np.float32(min(0.5, nature.relief * 45)))[..., None]
    stage.lay(Layer(cover, surface[0], colour, cloth.make, label, fine))


def _dyed(rng: np.random.Generator, cloth: Cloth, across: Image, along: Image) -> Image:
    nature = _NATURES[cloth.weave]
    if cloth.pattern is Pattern.PLAIN:
        colour = np.broadcast_to(linear(cloth.colour), (*across.shape, 3)).copy()
    else:
        second = cloth.second if cloth.second is not None else cloth.colour * np.float32(0.6)
        tile = linear(_pattern_tile(cloth.pattern, tuple(cloth.colour), tuple(second)))
        colour = _sampled(tile, across, along, cloth.repeat)
    uneven = grain(rng, (across.shape[0], across.shape[1]), 1.3) * np.float32(nature.uneven * 0.7)
    if nature.uneven > 0.04:
        uneven += clouds(rng, (across.shape[0], across.shape[1]), 9) * np.float32(nature.uneven * 0.5)
    return np.asarray(colour * (1 + uneven[..., None]), np.float32)


def _sampled(tile: Image, across: Image, along: Image, period: float) -> Image:
    scale = np.float32(tile.shape[0] / period)
    picked = cv2.remap(tile, across * scale, along * scale, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    return np.asarray(picked, np.float32)


@lru_cache(maxsize=16)
def _relief_tile(weave: Weave) -> Image:
    """0..1, repeats at its sides."""
    side = 128
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) / side
    wave = 2 * np.pi
    own = np.random.default_rng(5)
    if weave is Weave.KNIT:
        column = np.mod(x * 10, 1)
        slant = np.abs(column - 0.5) * 1.1
        field = 0.5 + 0.5 * np.sin(wave * (y * 14 + slant))
        field = field * 0.55 + 0.45 * np.sqrt(np.clip(np.sin(np.pi * column), 0, 1))
    elif weave in (Weave.CORD, Weave.RIB):
        field = np.sqrt(np.abs(np.sin(wave * x * 5.5))) + 0.1 * own.random((side, side))
    elif weave is Weave.DENIM:
        field = 0.5 + 0.5 * np.sin(wave * (x * 14 + y * 14)) + 0.9 * _threads(own, side, 0)
    elif weave is Weave.JERSEY:
        field = 0.5 + 0.5 * np.sin(wave * x * 14) * (0.7 + 0.3 * np.sin(wave * (y * 20 + x * 7)))
    elif weave in (Weave.WOOL, Weave.FLEECE):
        field = _tiled_blur(own.random((side, side)).astype(np.float32), 1.2)
    else:
        field = 0.5 * _threads(own, side, 0) + 0.5 * _threads(own, side, 1)
    field = np.asarray(field, np.float32)
    return np.asarray((field - field.min()) / (np.ptp(field) + 1e-6), np.float32)


def _threads(own: np.random.Generator, side: int, axis: int) -> Image:
    """Threads of uneven thickness."""
    noise = own.random((side, side)).astype(np.float32)
    long = np.concatenate([noise, noise, noise], axis)
    size = (1, 31) if axis == 0 else (31, 1)
    soft = np.asarray(cv2.blur(long, size), np.float32)
    cut = soft[side : 2 * side] if axis == 0 else soft[:, side : 2 * side]
    return np.asarray((cut - cut.mean()) / cut.std() * 0.25 + 0.5, np.float32)


def _tiled_blur(noise: Image, sigma: float) -> Image:
    side = noise.shape[0]
    soft = np.asarray(cv2.GaussianBlur(np.tile(noise, (3, 3)), (0, 0), sigma), np.float32)
    return soft[side : 2 * side, side : 2 * side]


@lru_cache(maxsize=32)
def _pattern_tile(
    pattern: Pattern, ground: tuple[float, float, float], ink: tuple[float, float, float]
) -> Image:
    tile = np.full((_TILE, _TILE, 3), ground, np.float32)
    colour = np.array(ink, np.float32)
    if pattern is Pattern.BRETON:
        tile[: _TILE // 3] = colour
    elif pattern is Pattern.PINSTRIPE:
        for left in range(0, _TILE, 64):
            tile[:, left : left + 20] = colour
    elif pattern is Pattern.CHECK:
        for axis in (0, 1):
            bands = np.zeros((_TILE, 1, 1) if axis == 0 else (1, _TILE, 1), np.float32)
            spans = (((0, 90), 0.5), ((120, 130), 0.55), ((206, 216), 0.55))
            for (low, high), share in spans:
                if axis == 0:
                    bands[low:high] = share
                else:
                    bands[:, low:high] = share
            tile = tile * (1 - bands) + colour * bands
    else:
        tile = _scattered(tile, colour)
    return np.asarray(cv2.GaussianBlur(np.tile(tile, (3, 3, 1)), (0, 0), 0.8), np.float32)[
        _TILE : 2 * _TILE, _TILE : 2 * _TILE
    ]


def _scattered(tile: Image, colour: Image) -> Image:
    """Small flowers, one in each field of a slanted grid, that go on over the tile's sides."""
    own = np.random.default_rng(9)
    for i, j in np.ndindex(3, 3):
        x, y = i * 85 + 20 + j * 37 + int(own.integers(-14, 15)), j * 85 + 40 + int(own.integers(-30, 31))
        turn, size = float(own.uniform(0, 6)), float(own.uniform(15, 27))
        tone = colour * np.float32(own.uniform(0.75, 1.15))
        for right, down in np.ndindex(3, 3):
            _blossom(tile, (x % _TILE + (right - 1) * _TILE, y + (down - 1) * _TILE), turn, size, tone)
    return tile


def _blossom(tile: Image, place: tuple[int, int], turn: float, size: float, colour: Image) -> None:
    centre = np.array(place, np.float32)
    leaf = centre + np.array([np.cos(turn + 0.6), np.sin(turn + 0.6)]) * size * 1.5
    green = colour * np.float32(0.4) + np.array([0.1, 0.2, 0.08], np.float32)
    cv2.ellipse(tile, (int(leaf[0]), int(leaf[1])), (int(size * 0.8), int(size * 0.3)),
                float(np.degrees(turn + 0.6)), 0, 360, green.tolist(), -1)  # fmt: skip
    for petal in range(5):
        angle = turn + petal * 2 * np.pi / 5
        middle = centre + np.array([np.cos(angle), np.sin(angle)]) * size * 0.55
        ring = ellipse(middle, size * 0.5, size * 0.5, 12).astype(np.int32)
        cv2.fillPoly(tile, [ring], (colour * np.float32(0.88 + 0.06 * (petal % 3))).tolist(), cv2.LINE_AA)
    cv2.circle(tile, place, int(size * 0.28), (0.75, 0.6, 0.25), -1, cv2.LINE_AA)
