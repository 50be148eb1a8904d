"""Which pixels are background, garment and body: one model's answer for one photo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from services.inference.pipeline.arrays import F32, U8
from services.inference.pipeline.decode import Picture
from services.inference.pipeline.resample import reduced

BACKGROUND, GARMENT, BODY = 0, 1, 2
"""Classes of a segmenter, in the order of its output."""


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

    def probabilities(self, batch: U8) -> F32:
        """Softmax over (background, garment, body), float32 [N,3,h,w], of an sRGB uint8 batch [N,H,W,3].

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


def segment(picture: Picture, segmenter: Segmenter) -> F32:
    """Probabilities float32 [3,h,w] that cover the photo exactly, at the model's resolution."""
    sheet, placement = letterbox(on_white(picture), *segmenter.input_size)
    return cut_out(segmenter.probabilities(sheet[None])[0], placement, segmenter.input_size)


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


def cut_out(maps: F32, placement: Placement, input_size: tuple[int, int]) -> F32:
    """The part of the model's output [3,h,w] that shows the photo."""
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
