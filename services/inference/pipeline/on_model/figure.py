"""A person at the small size at which bodies are measured: who is there, and what of them is what."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from services.inference.pipeline.arrays import F32, Bools
from services.inference.pipeline.resample import within
from services.inference.pipeline.segment import BODY, GARMENT, OTHER, Maps

SIDE = 320
"""Longest side (px) at which bodies are measured."""
LIKELY = 0.5
_PART = 0.25
"""Share of the largest part of a figure from which another part is somebody else, or the rest of it."""


@dataclass(frozen=True, slots=True, eq=False)
class Figure:
    """Masks [h,w] of one photo: `garment` (the worn one), `body` (skin and hair), `other` (further things
    worn), `whole` (all of them). A px of the figure is `scale` (x, y) px of the photo.
    """

    garment: Bools
    body: Bools
    other: Bools
    whole: Bools
    scale: tuple[float, float]

    @classmethod
    def of(cls, maps: Maps, width: int, height: int) -> Figure:
        """From what a segmenter said of a photo of this size (px)."""
        size = within(width, height, SIDE)
        planes = np.stack([_resized(plane, size) for plane in maps.classes])
        whole = _large_parts(np.asarray(planes[[GARMENT, BODY, OTHER]].sum(0) > LIKELY, np.bool_))
        likeliest = planes.argmax(0)
        garment, body, other = (
            np.asarray(whole & (likeliest == kind), np.bool_) for kind in (GARMENT, BODY, OTHER)
        )
        return cls(garment, body, other, whole, (width / size[0], height / size[1]))

    @property
    def clothes(self) -> Bools:
        """Everything that is worn."""
        return self.garment | self.other

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width, px."""
        return self.whole.shape[0], self.whole.shape[1]

    def photo(self, x: float, y: float) -> tuple[float, float]:
        """The middle of a px, in px of the photo."""
        return round((x + 0.5) * self.scale[0], 2), round((y + 0.5) * self.scale[1], 2)

    def people(self) -> int:
        """How many large parts there are: more than one is more than one person."""
        _, _, stats, _ = cv2.connectedComponentsWithStats(self.whole.view(np.uint8), connectivity=8)
        areas = stats[1:, cv2.CC_STAT_AREA]
        return int((areas >= _PART * areas.max()).sum()) if len(areas) else 0


def ends_near(row: Bools, middle: float) -> tuple[int, int] | None:
    """The first and last px of the stretch of a row that is nearest to a column; None for an empty row."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], row, [False]])))
    if not len(edges):
        return None
    starts, ends = edges[::2], edges[1::2] - 1
    away = np.maximum(np.maximum(starts - middle, middle - ends), 0)
    nearest = int(np.argmin(away - 1e-3 * (ends - starts)))
    return int(starts[nearest]), int(ends[nearest])


def _large_parts(mask: Bools) -> Bools:
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8)
    areas = stats[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    return np.asarray((areas >= max(1.0, 0.05 * areas.max()))[labels], np.bool_)


def _resized(plane: F32, size: tuple[int, int]) -> F32:
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.float32)
