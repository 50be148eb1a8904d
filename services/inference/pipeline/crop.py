"""Which part of the photo the result shows, and how large: plain geometry in pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from libs.common.contracts.options import RenderOptions
from services.inference.pipeline.arrays import U8
from services.inference.pipeline.limits import MAX_PIXELS, MAX_SIDE

_VISIBLE = 12
"""Alpha (of 255) from which a pixel counts as part of the garment's outline."""


@dataclass(frozen=True, slots=True)
class Window:
    """A rectangle of the photo, px."""

    left: int
    top: int
    width: int
    height: int

    def of(self, pixels: U8) -> U8:
        """That part of the pixels, as a view."""
        return pixels[self.top : self.top + self.height, self.left : self.left + self.width]


@dataclass(frozen=True, slots=True)
class Layout:
    """The window drawn as `inner` (width, height) at `corner` (left, top) of an `outer` (width, height)."""

    window: Window
    inner: tuple[int, int]
    corner: tuple[int, int]
    outer: tuple[int, int]

    @property
    def keeps_pixels(self) -> bool:
        """Whether the photo's pixels go over one to one."""
        return self.inner == (self.window.width, self.window.height)


def lay_out(alpha: U8, options: RenderOptions) -> Layout:
    """Frame and size that the options ask for. Without crop, or without a garment, the photo's own frame."""
    window = _garment_window(alpha) if options.crop else None
    margin = options.margin if window else 0.0
    window = window or Window(0, 0, alpha.shape[1], alpha.shape[0])
    border = round(margin * max(window.width, window.height))
    full = window.width + 2 * border, window.height + 2 * border
    scale = _scale(full, options.size)
    outer = _scaled(full, scale)
    drawn = _scaled((window.width, window.height), scale)
    inner = min(drawn[0], outer[0]), min(drawn[1], outer[1])
    corner = (outer[0] - inner[0]) // 2, (outer[1] - inner[1]) // 2
    return Layout(window, inner, corner, outer)


def _garment_window(alpha: U8) -> Window | None:
    left, top, width, height = cv2.boundingRect((alpha >= _VISIBLE).view(np.uint8))
    return Window(left, top, width, height) if width and height else None


def _scale(full: tuple[int, int], size: int | None) -> float:
    """To the size asked for; else 1, or less where the border takes the result over a picture's limits."""
    longest = max(full)
    if size is not None:
        return size / longest
    return min(1.0, MAX_SIDE / longest, math.sqrt(MAX_PIXELS / (full[0] * full[1])))


def _scaled(size: tuple[int, int], scale: float) -> tuple[int, int]:
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
