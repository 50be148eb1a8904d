"""A result and its photo, reduced to the size at which they are judged."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from libs.common.contracts.inference import Box
from libs.common.contracts.options import GarmentChoice, OptionFields, Shadow
from services.inference.pipeline.arrays import F32, U8, Bools
from services.inference.pipeline.layers import Layers
from services.inference.pipeline.resample import reduced, within
from services.inference.pipeline.segment import BACKGROUND, BODY, GARMENT, OTHER, Maps
from services.inference.pipeline.verdict.blobs import grown
from services.inference.pipeline.verdict.reasons import Reason

SIDE = 500
"""Longest side (px) of what is looked at closely: outlines, sharpness, light."""
COARSE_SIDE = 208
"""Longest side (px) at which whole regions are looked at, if the segmenter's maps are as fine as that."""
SHOWN = 127
"""Alpha above which a pixel counts as shown."""


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """How much of a fault there is, and where: a mask of any size that lies over the photo exactly."""

    amount: float
    where: Bools | None = None


Findings = Mapping[Reason, Evidence]


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A photo and what is shown of it: closely (longest side `SIDE`), and coarsely (at most `COARSE_SIDE`).

    Closely: `rgb` is the photo; `own` and `filled` are the alpha of the visible garment and of what was put
    under it; `result` is the finished picture, if it has the photo's frame, and `sampled` the photo, both
    with px left out rather than averaged. Coarsely: `maps`, and `colours`, `shown` and `hollow` from `rgb`,
    `own` and `filled`. `area` is the number of coarse px shown, at least 1.
    """

    rgb: U8
    own: U8
    filled: U8
    result: U8 | None
    sampled: U8
    maps: Maps
    colours: U8
    shown: Bools
    hollow: Bools
    options: OptionFields
    photo: tuple[int, int]

    @property
    def area(self) -> int:
        return max(1, int(np.count_nonzero(self.shown)))

    @property
    def background(self) -> F32:
        return np.asarray(self.maps.classes[BACKGROUND], np.float32)

    @property
    def garment(self) -> F32:
        return np.asarray(self.maps.classes[GARMENT], np.float32)

    @property
    def body(self) -> F32:
        return np.asarray(self.maps.classes[BODY], np.float32)

    @property
    def other(self) -> F32:
        return np.asarray(self.maps.classes[OTHER], np.float32)

    @property
    def one_is_meant(self) -> bool:
        """Whether a single garment was asked for."""
        return self.options.garment is not GarmentChoice.ALL

    def closely(self, plane: F32) -> Bools:
        """Where a coarse probability is over a half, at the close view's size."""
        small = np.rint(plane * 255).astype(np.uint8)
        size = (self.own.shape[1], self.own.shape[0])
        return np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_LINEAR), np.uint8) > SHOWN

    def outside(self) -> Bools:
        """What nothing is shown of, nor right beside it, at the close view's size."""
        return ~grown(cv2.max(self.own, self.filled) > 0, 2)

    def ground(self) -> U8 | None:
        """The one colour of the result's ground, uint8 [3], if it has one and nothing is laid on it."""
        asked = self.options.background
        if len(asked) != len("#rrggbb") or self.options.shadow is not Shadow.NONE:
            return None
        return np.frombuffer(bytes.fromhex(asked[1:]), np.uint8)

    def box(self, where: Bools) -> Box | None:
        """The rectangle of the photo that holds a mask, px."""
        left, top, width, height = cv2.boundingRect(where.view(np.uint8))
        if not width:
            return None
        across, down = self.photo[0] / where.shape[1], self.photo[1] / where.shape[0]
        x, y = int(left * across), int(top * down)
        right, bottom = math.ceil((left + width) * across), math.ceil((top + height) * down)
        return Box(left=x, top=y, width=min(right, self.photo[0]) - x, height=min(bottom, self.photo[1]) - y)


def view_of(layers: Layers, maps: Maps, options: OptionFields, result: U8 | None = None) -> View:
    """The view of a result. `result`: its finished pixels [H,W,3 or 4], if there are any to look at."""
    picture = layers.picture
    size = within(picture.width, picture.height, SIDE)
    coarse = within(maps.interior.shape[1], maps.interior.shape[0], COARSE_SIDE)
    rgb, own = reduced(picture.rgb, size), reduced(layers.matte.alpha, size)
    filled = reduced(layers.filling.alpha, size)
    return View(
        rgb=rgb,
        own=own,
        filled=filled,
        result=None if result is None else _sampled(result, size),
        sampled=_sampled(picture.rgb, size),
        maps=_maps_at(maps, coarse),
        colours=_coarsely(rgb, coarse),
        shown=_coarsely(own, coarse) > SHOWN,
        hollow=_coarsely(filled, coarse) > SHOWN,
        options=options,
        photo=(picture.width, picture.height),
    )


def _sampled(pixels: U8, size: tuple[int, int]) -> U8:
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_NEAREST), np.uint8)


def _maps_at(maps: Maps, size: tuple[int, int]) -> Maps:
    if size == (maps.interior.shape[1], maps.interior.shape[0]):
        return maps
    planes = (
        cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR) for plane in (*maps.classes, maps.interior)
    )
    stacked = np.stack(list(planes))
    return Maps(stacked[:-1], stacked[-1])


def _coarsely(pixels: U8, size: tuple[int, int]) -> U8:
    """By the four nearest px: what is learned from single ones here is blurred anyway."""
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_LINEAR), np.uint8)
