"""The picture that a generative model is sent: the photo on a sheet of proportions that it can draw."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from libs.common.contracts.options import ImageFormat, PictureFields
from services.inference.pipeline.arrays import U8
from services.inference.pipeline.crop import Window
from services.inference.pipeline.decode import Picture
from services.inference.pipeline.encode import encode
from services.inference.pipeline.resample import reduced, within
from services.inference.pipeline.segment import on_white
from services.inference.providers.proportions import nearest

MAX_SIDE = 2048
"""Longest side (px) of a sheet: every provider takes it, and none draws larger."""
MAX_BYTES = 6_000_000
_QUALITIES = (92, 80, 60, 40)
_GROUND = "#ffffff"


@dataclass(frozen=True, slots=True)
class Sheet:
    """An encoded picture of `size` (width, height; px), and where on it the photo lies."""

    data: bytes = field(repr=False)
    media_type: str
    size: tuple[int, int]
    photo: Window


def lay_on_sheet(picture: Picture, max_side: int = MAX_SIDE) -> Sheet:
    """The upright photo in sRGB, no larger than allowed, centred on a sheet of the nearest proportions.

    Around it there is what is most of its border. It carries no metadata.
    """
    rgb = on_white(picture)
    small = reduced(rgb, within(picture.width, picture.height, max_side))
    height, width = small.shape[:2]
    sheet = _sheet_size(width, height)
    left, top = (sheet[0] - width) // 2, (sheet[1] - height) // 2
    edges = (top, sheet[1] - height - top, left, sheet[0] - width - left)
    laid = cv2.copyMakeBorder(small, *edges, cv2.BORDER_CONSTANT, value=_border(small))
    scale = min(1.0, max_side / max(sheet))
    size = (round(sheet[0] * scale), round(sheet[1] * scale))
    photo = Window(*(round(side * scale) for side in (left, top, width, height)))
    return Sheet(_jpeg(reduced(np.asarray(laid, np.uint8), size)), ImageFormat.JPEG.media_type, size, photo)


def _sheet_size(width: int, height: int) -> tuple[int, int]:
    """The smallest sheet of the nearest proportions that holds the photo."""
    ratio = nearest(width, height).ratio
    return max(width, round(height * ratio)), max(height, round(width / ratio))


def _border(rgb: U8) -> tuple[float, ...]:
    edge = np.concatenate([rgb[0], rgb[-1], rgb[:, 0], rgb[:, -1]])
    return tuple(float(level) for level in np.median(edge, axis=0))


def _jpeg(rgb: U8) -> bytes:
    """As good as it may be large."""
    for quality in _QUALITIES:
        asked = PictureFields(format=ImageFormat.JPEG, background=_GROUND, quality=quality)
        data = encode(rgb, asked)
        if len(data) <= MAX_BYTES:
            break
    return data
