"""The finished picture of a dressed person in the frame and size that the options ask for.

With a person there is no ground to choose: of the options of a picture, background, shadow and margin without
crop say nothing here. `crop` and `fill` frame the person, `aspect` takes the largest such part of the photo
around the garment, and nothing is ever added around it.
"""

from __future__ import annotations

import cv2
import numpy as np

from libs.common.contracts.formats import ratio
from libs.common.contracts.options import PictureFields
from services.inference.pipeline.arrays import U8, Bools
from services.inference.pipeline.crop import Window, scale_to, scaled
from services.inference.pipeline.resample import reduced


def shown(rgb: U8, window: Window, asked: PictureFields) -> U8:
    """That part of the picture [H,W,3]; its pixels as they are unless a size is asked for."""
    part = np.ascontiguousarray(window.of(rgb))
    size = scaled(window.size, scale_to(window.size, asked))
    if size == window.size:
        return part
    if size[0] <= window.width and size[1] <= window.height:
        return reduced(part, size)
    return np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_CUBIC), np.uint8)


def framed(photo: tuple[int, int], person: Window, garment: Window, asked: PictureFields) -> Window:
    """Which part of a photo (width, height) is shown."""
    window = Window(0, 0, *photo)
    if asked.crop or asked.fill is not None:
        window = _around(person, asked, window)
    return window if asked.aspect is None else _of_aspect(window, garment, ratio(asked.aspect))


def window_of(mask: Bools, scale: tuple[float, float], photo: tuple[int, int]) -> Window:
    """The rectangle of the photo (width, height) around a small mask; the whole photo around an empty one."""
    left, top, width, height = cv2.boundingRect(mask.view(np.uint8))
    if not width:
        return Window(0, 0, *photo)
    x, y = int(left * scale[0]), int(top * scale[1])
    right = min(photo[0], round((left + width) * scale[0]))
    bottom = min(photo[1], round((top + height) * scale[1]))
    return Window(x, y, max(1, right - x), max(1, bottom - y))


def _around(person: Window, asked: PictureFields, photo: Window) -> Window:
    longest = max(person.size)
    border = asked.margin * longest if asked.fill is None else longest * (1 / asked.fill - 1) / 2
    edge = round(border)
    wide = Window(person.left - edge, person.top - edge, person.width + 2 * edge, person.height + 2 * edge)
    return wide.shared_with(photo)


def _of_aspect(window: Window, garment: Window, wanted: float) -> Window:
    width = max(1, min(window.width, round(window.height * wanted)))
    height = max(1, min(window.height, round(window.width / wanted)))
    left = _centred(garment.left + garment.width // 2, width, window.left, window.right)
    top = _centred(garment.top + garment.height // 2, height, window.top, window.bottom)
    return Window(left, top, width, height)


def _centred(middle: int, length: int, first: int, last: int) -> int:
    return max(first, min(middle - length // 2, last - length))
