"""Which pixels are background, garment and body: one model's answer for one photo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import cv2
import numpy as np

from libs.common.contracts.options import GarmentChoice
from services.inference.pipeline.arrays import F32, U8
from services.inference.pipeline.decode import Picture
from services.inference.pipeline.resample import reduced
from services.inference.pipeline.zoom import Box, merged, window_of

CLASSES = ("background", "garment", "body", "other")
BACKGROUND, GARMENT, BODY, OTHER = range(4)
"""Classes of a segmenter. Body is whatever the garment is on: skin, shell, hair, stand, hanger."""
INTERIOR = "interior"


class Hint(StrEnum):
    """Which garment a segmenter is asked for; in the order of a conditioned model's input."""

    AUTO = "auto"
    UPPER = "upper"
    LOWER = "lower"
    FULL = "full"


class Fit(StrEnum):
    """How a photo is laid into a segmenter's input: in its proportions, or over all of it."""

    LETTERBOX = "letterbox"
    STRETCH = "stretch"


_HINTS = {
    GarmentChoice.AUTO: Hint.AUTO,
    GarmentChoice.TOP: Hint.UPPER,
    GarmentChoice.OUTERWEAR: Hint.UPPER,
    GarmentChoice.DRESS: Hint.FULL,
    GarmentChoice.BOTTOM: Hint.LOWER,
    GarmentChoice.ALL: Hint.AUTO,
}


def hint_of(choice: GarmentChoice) -> Hint:
    """What to ask a segmenter for when a customer chose this garment."""
    return _HINTS[choice]


@dataclass(frozen=True, slots=True, eq=False)
class Maps:
    """What a segmenter says of one photo, at its own resolution and exactly over the photo.

    `classes` is float32 [4,h,w], a softmax over CLASSES. `interior` is float32 [h,w], 0..1: how likely the
    garment's inner back would show there if the body were taken away. All 0 where the model knows none.
    """

    classes: F32
    interior: F32


class Segmenter(Protocol):
    """Finds garment and body in photos. Safe to call from several threads at once."""

    @property
    def name(self) -> str:
        """The model, as `name@version`."""
        ...

    @property
    def input_size(self) -> tuple[int, int]:
        """Height and width (px) that a batch must have; both even."""
        ...

    @property
    def fit(self) -> Fit:
        """How a photo is laid into that."""
        ...

    def maps(self, batch: U8, hints: Sequence[Hint]) -> F32:
        """float32 [N,5,h,w] of an sRGB uint8 batch [N,H,W,3] and a hint for each: CLASSES, then INTERIOR.

        The output has the input's size or half of it.
        """
        ...


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a photo lies in the model's input (px); all even, so that halves of them are whole."""

    left: int
    top: int
    width: int
    height: int


def segment(picture: Picture, segmenter: Segmenter, hint: Hint = Hint.AUTO) -> Maps:
    """What the segmenter says of the photo; a garment that is small in it is looked at twice."""
    rgb = on_white(picture)
    planes = _look(rgb, segmenter, hint)
    window = window_of(planes[GARMENT])
    if window is not None:
        planes = merged(planes, _look(_part(rgb, window, planes), segmenter, hint), window)
    return Maps(planes[: len(CLASSES)], planes[len(CLASSES)])


def _look(rgb: U8, segmenter: Segmenter, hint: Hint) -> F32:
    lay = letterbox if segmenter.fit is Fit.LETTERBOX else stretched
    sheet, placement = lay(rgb, *segmenter.input_size)
    return cut_out(segmenter.maps(sheet[None], [hint])[0], placement, segmenter.input_size)


def _part(rgb: U8, window: Box, planes: F32) -> U8:
    """The part of the photo that a window of the planes shows."""
    across, down = rgb.shape[1] / planes.shape[2], rgb.shape[0] / planes.shape[1]
    rows = _stretch(window[1] * down, window[3] * down, rgb.shape[0])
    return rgb[rows, _stretch(window[0] * across, window[2] * across, rgb.shape[1])]


def _stretch(start: float, end: float, length: int) -> slice:
    """From px to px, and at least the last one: a photo can be narrower than the planes."""
    first = min(round(start), length - 1)
    return slice(first, max(round(end), first + 2))


def letterbox(rgb: U8, height: int, width: int) -> tuple[U8, Placement]:
    """The photo as large as fits into [height,width,3], centred, its edge pixels repeated around it."""
    placement = _place(rgb.shape[1], rgb.shape[0], width, height)
    small = reduced(rgb, (placement.width, placement.height))
    right = width - placement.left - placement.width
    bottom = height - placement.top - placement.height
    sheet = cv2.copyMakeBorder(
        small, placement.top, bottom, placement.left, right, borderType=cv2.BORDER_REPLICATE
    )
    return np.asarray(sheet, np.uint8), placement


def stretched(rgb: U8, height: int, width: int) -> tuple[U8, Placement]:
    """The photo over all of [height,width,3], in other proportions than its own."""
    return reduced(rgb, (width, height)), Placement(0, 0, width, height)


def cut_out(maps: F32, placement: Placement, input_size: tuple[int, int]) -> F32:
    """The part of the model's output [5,h,w] that shows the photo."""
    step = input_size[0] // maps.shape[1]
    rows = slice(placement.top // step, (placement.top + placement.height) // step)
    columns = slice(placement.left // step, (placement.left + placement.width) // step)
    return np.ascontiguousarray(maps[:, rows, columns])


def on_white(picture: Picture) -> U8:
    """The photo as it shows on white: what lies under full transparency is no part of it."""
    if picture.alpha is None:
        return picture.rgb
    weight = cv2.merge([picture.alpha] * 3)
    shown = cv2.multiply(picture.rgb, weight, scale=1 / 255)
    return np.asarray(cv2.add(shown, cv2.bitwise_not(weight)), np.uint8)


def _place(width: int, height: int, sheet_width: int, sheet_height: int) -> Placement:
    scale = min(sheet_width / width, sheet_height / height)
    placed_width = min(sheet_width, max(2, 2 * round(width * scale / 2)))
    placed_height = min(sheet_height, max(2, 2 * round(height * scale / 2)))
    left = (sheet_width - placed_width) // 4 * 2
    top = (sheet_height - placed_height) // 4 * 2
    return Placement(left, top, placed_width, placed_height)
