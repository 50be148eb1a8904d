"""Pictures for test keys: small, and marked all over, so that nobody can sell with them.

Everything is decided as for a live render first; this comes last, on the finished pixels.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from libs.common.contracts.options import PictureFields, RenderOptions
from services.inference.pipeline.arrays import F32, U8

LONGEST = 1024
"""Pixels of a test picture's longest side, at most."""
_TEXT = "TEST"
_FONT = cv2.FONT_HERSHEY_DUPLEX
_ANGLE = 30.0
_STEP_DOWN, _STEP_ACROSS = 0.22, 0.5
"""Between two marks, as shares of the longer side."""
_LETTERS = 0.11
"""Height of the letters as a share of the longer side."""
_COVER = 0.55
"""How much of a pixel the mark takes: light ink in a dark rim, one of which shows on any ground."""
_LIGHT, _DARK = 255.0, 32.0


class TrialOptions(RenderOptions):
    """The options of a render for a test key."""


def is_trial(options: PictureFields) -> bool:
    """Whether what is rendered gets the mark."""
    return isinstance(options, TrialOptions)


def trial(options: RenderOptions) -> TrialOptions:
    """The same options, for a test key."""
    fields = {name: getattr(options, name) for name in type(options).model_fields}
    return TrialOptions.model_construct(options.model_fields_set, **fields)


def marked(pixels: U8) -> U8:
    """A copy, at most `LONGEST` px a side, with the word all over it in diagonal rows.

    sRGB uint8 [H,W,3], or [H,W,4] with straight alpha: where it was transparent, the mark is opaque.
    """
    small = shrunk(pixels)
    ink, rim = _masks(small.shape[1], small.shape[0])
    cover = rim.astype(np.float32) * (_COVER / 255)
    level = _DARK + ink.astype(np.float32) * ((_LIGHT - _DARK) / 255)
    if small.shape[2] == 4:
        return _over_alpha(small, level, cover)
    weight = cover[..., None]
    return np.asarray(np.rint(small * (1 - weight) + level[..., None] * weight), np.uint8)


def shrunk(pixels: U8, *, classes: bool = False) -> U8:
    """At most `LONGEST` px a side; `classes`: numbers that can't be averaged."""
    height, width = pixels.shape[:2]
    scale = LONGEST / max(height, width)
    if scale >= 1:
        return pixels
    size = max(1, round(width * scale)), max(1, round(height * scale))
    kind = cv2.INTER_NEAREST if classes else cv2.INTER_AREA
    return np.asarray(cv2.resize(pixels, size, interpolation=kind), np.uint8)


def _over_alpha(rgba: U8, level: F32, cover: F32) -> U8:
    """The mark over a straight RGBA picture (Porter, Duff 1984); it is all there is where nothing was."""
    below = rgba[..., 3].astype(np.float32) / 255 * (1 - cover)
    total = cover + below
    weight = np.divide(cover, total, out=np.zeros_like(cover), where=total > 0)[..., None]
    colour = rgba[..., :3].astype(np.float32) * (1 - weight) + level[..., None] * weight
    return np.asarray(np.rint(np.dstack([colour, total * 255])), np.uint8)


@lru_cache(maxsize=8)
def _masks(width: int, height: int) -> tuple[U8, U8]:
    """Where ink is, and the ink with its rim, 0 to 255; the pattern is drawn level and then turned."""
    side = max(width, height)
    ink = np.zeros((2 * side, 2 * side), np.uint8)
    thickness = max(1, round(side * 0.012))
    scale = max(0.3, cv2.getFontScaleFromHeight(_FONT, max(6, round(side * _LETTERS)), thickness))
    for row, top in enumerate(_steps(side, _STEP_DOWN)):
        for left in _steps(side, _STEP_ACROSS, start=-(row % 2) * _STEP_ACROSS / 2):
            cv2.putText(ink, _TEXT, (left, top), _FONT, scale, 255, thickness, cv2.LINE_AA)
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * thickness + 1, 2 * thickness + 1))
    rim = np.asarray(cv2.dilate(ink, brush), np.uint8)
    return _turned(ink, width, height), _turned(rim, width, height)


def _steps(side: int, share: float, start: float = 0.0) -> range:
    step = max(8, round(side * share))
    return range(round(side * start), 2 * side + step, step)


def _turned(level: U8, width: int, height: int) -> U8:
    """The middle of the pattern, turned."""
    side = level.shape[0]
    turn = cv2.getRotationMatrix2D((side / 2, side / 2), _ANGLE, 1.0)
    turn[:, 2] -= (side - width) / 2, (side - height) / 2
    return np.asarray(cv2.warpAffine(level, turn, (width, height), flags=cv2.INTER_LINEAR), np.uint8)
