"""What photo, matte and segmenter say about openings, at one small working size."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from services.inference.pipeline.arrays import F32, Bools
from services.inference.pipeline.matte import Matte
from services.inference.pipeline.resample import reduced, within
from services.inference.pipeline.segment import BACKGROUND, BODY, OTHER, Maps

SIDE = 384
"""Longest side (px) at which openings are looked for; their upper edge is drawn at the photo's own size."""
_SOLID = 128
_PIECE = 0.25
"""Share of the largest piece from which a piece is garment: an open front has two of them."""
_SMALL = 4
"""Radius (px) up to which a square will do."""


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """Maps of h×w px over the whole photo; a photo's pixel is `scale` (x, y) of theirs.

    `garment` is what the matte shows, its small pieces left out. `interior`, `covered` (by a body or other
    things) and `ground` are 0..1.
    """

    garment: Bools
    interior: F32
    covered: F32
    ground: F32
    scale: tuple[float, float]

    @classmethod
    def of(cls, maps: Maps, matte: Matte) -> Evidence:
        height, width = matte.alpha.shape
        size = within(width, height, SIDE)
        covered = maps.classes[BODY] + maps.classes[OTHER]
        return cls(
            garment=_pieces(np.asarray(reduced(matte.alpha, size) >= _SOLID, np.bool_)),
            interior=_resized(maps.interior, size),
            covered=_resized(covered, size),
            ground=_resized(maps.classes[BACKGROUND], size),
            scale=(size[0] / width, size[1] / height),
        )

    @property
    def shape(self) -> tuple[int, int]:
        return self.garment.shape[0], self.garment.shape[1]


@dataclass(frozen=True, slots=True)
class Frame:
    """A rectangle of a picture, px; `right` and `bottom` lie outside."""

    left: int
    top: int
    right: int
    bottom: int

    @classmethod
    def around(cls, mask: Bools) -> Frame:
        """The smallest that holds all of a mask [h,w]; empty for an empty one."""
        left, top, width, height = cv2.boundingRect(mask.view(np.uint8))
        return cls(left, top, left + width, top + height)

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def centre(self) -> tuple[float, float]:
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    @property
    def window(self) -> tuple[slice, slice]:
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def grown(self, x: float, y: float, shape: tuple[int, ...]) -> Frame:
        """With so many px more on each side, inside a picture of this shape [h,w,...]."""
        return Frame(
            max(0, int(self.left - x)),
            max(0, int(self.top - y)),
            min(shape[1], int(self.right + x + 1)),
            min(shape[0], int(self.bottom + y + 1)),
        )

    def scaled(self, x: float, y: float) -> Frame:
        """The same rectangle in a picture that is so many times as large; never smaller than exact."""
        return Frame(
            int(self.left * x), int(self.top * y), int(np.ceil(self.right * x)), int(np.ceil(self.bottom * y))
        )


def grown(mask: Bools, radius: float) -> Bools:
    """The mask [h,w] with everything within `radius` px of it; a large radius costs no more."""
    if radius <= _SMALL:
        square = np.ones((2 * round(radius) + 1,) * 2, np.uint8)
        return np.asarray(cv2.dilate(mask.view(np.uint8), square), np.uint8) > 0
    return np.asarray(distance_to(mask) <= radius, np.bool_)


def shrunk(mask: Bools, radius: float) -> Bools:
    """The mask [h,w] without what lies within `radius` px of its edge; the picture's border is no edge."""
    return np.asarray(distance_to(~mask) > radius, np.bool_)


def distance_to(mask: Bools) -> F32:
    """Distance (px) of each pixel from the nearest of a mask [h,w]; far away if there is none."""
    if not mask.any():
        return np.full(mask.shape, np.float32(sum(mask.shape)))
    away = (~mask).view(np.uint8)
    return np.asarray(cv2.distanceTransform(away, cv2.DIST_L2, cv2.DIST_MASK_3), np.float32)


def _pieces(mask: Bools) -> Bools:
    """The large connected parts of a mask: hair taken for garment must not decide what is a neck."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8)
    if count < 3:
        return mask
    areas = stats[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    return np.asarray((areas >= _PIECE * areas.max())[labels], np.bool_)


def _resized(plane: F32, size: tuple[int, int]) -> F32:
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR), np.float32)
