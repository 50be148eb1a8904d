"""A photo at a working size, and the way between the pixels of both."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from services.inference.pipeline.arrays import F32, U8, Indices
from services.inference.pipeline.resample import reduced, within

_FOLD = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """`rgb` is the photo [H,W,3] reduced to float32 [h,w,3] in 0..1."""

    rgb: F32
    photo_width: int
    scale_x: float
    scale_y: float

    @classmethod
    def of(cls, photo: U8, longest: int) -> Grid:
        """The photo with a longest side of at most `longest` px."""
        height, width = photo.shape[:2]
        size = within(width, height, longest)
        rgb = reduced(photo, size) * np.float32(1 / 255)
        return cls(rgb, width, size[0] / width, size[1] / height)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height (px), in OpenCV's order."""
        return self.rgb.shape[1], self.rgb.shape[0]

    def at(self, values: F32, pixels: Indices) -> F32:
        """Grid values [h,w,c] at flat indices [n] of the photo, bilinearly: [n,c]."""
        rows, columns = np.divmod(pixels, self.photo_width)
        x = ((columns + 0.5) * self.scale_x - 0.5).astype(np.float32)
        y = ((rows + 0.5) * self.scale_y - 0.5).astype(np.float32)
        return _sample(values, x, y)


def _sample(values: F32, x: F32, y: F32) -> F32:
    """Bilinear samples; OpenCV's remap takes maps of less than 32,768 px a side, so the list is folded."""
    padded = -(-len(x) // _FOLD) * _FOLD
    map_x, map_y = (np.resize(axis, padded).reshape(-1, _FOLD) for axis in (x, y))
    sampled = cv2.remap(values, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(sampled, np.float32).reshape(padded, -1)[: len(x)]
