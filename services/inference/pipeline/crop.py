"""Which part of the photo the result shows, where and how large: plain geometry in pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from libs.common.contracts.formats import ratio
from libs.common.contracts.options import PictureFields
from services.inference.pipeline.arrays import U8
from services.inference.pipeline.limits import MAX_PIXELS, MAX_SIDE

Size = tuple[int, int]
"""Width, height (px)."""
Sides = tuple[float, float]
"""Width and height before they are rounded to pixels."""


@dataclass(frozen=True, slots=True)
class Window:
    """A rectangle of the photo, px."""

    left: int
    top: int
    width: int
    height: int

    @property
    def size(self) -> Size:
        return self.width, self.height

    def of(self, pixels: U8) -> U8:
        """That part of the pixels, as a view."""
        return pixels[self.top : self.bottom, self.left : self.right]

    @property
    def right(self) -> int:
        return self.left + self.width

    @property
    def bottom(self) -> int:
        return self.top + self.height

    def joined_with(self, other: Window) -> Window:
        """The smallest rectangle around both."""
        left, top = min(self.left, other.left), min(self.top, other.top)
        return Window(left, top, max(self.right, other.right) - left, max(self.bottom, other.bottom) - top)

    def shared_with(self, other: Window) -> Window:
        """What both have in common; they overlap."""
        left, top = max(self.left, other.left), max(self.top, other.top)
        return Window(left, top, min(self.right, other.right) - left, min(self.bottom, other.bottom) - top)


@dataclass(frozen=True, slots=True)
class Layout:
    """The window, `scale` times as large and turned by `turn` degrees clockwise, as `inner` on an `outer`.

    `inner` is the size of the upright box around the turned window and `corner` its left and top; with a turn
    its empty corners may reach beyond the `outer`.
    """

    window: Window
    inner: Size
    corner: tuple[int, int]
    outer: Size
    scale: float
    turn: float = 0.0

    @property
    def keeps_pixels(self) -> bool:
        """Whether the photo's pixels go over one to one."""
        return self.inner == self.window.size and not self.turn

    def narrowed_to(self, part: Window) -> Layout:
        """The same place for a part of the window, if pixels are kept."""
        shared = self.window.shared_with(part)
        left, top = shared.left - self.window.left, shared.top - self.window.top
        corner = self.corner[0] + left, self.corner[1] + top
        return replace(self, window=shared, inner=shared.size, corner=corner)


def lay_out(photo: Size, garment: Window | None, asked: PictureFields) -> Layout:
    """Frame and size that the options ask for. Without crop or fill, or without a garment, the photo's frame.

    An aspect only ever adds ground: the window is shown whole.
    """
    cropped = garment if asked.crop or asked.fill is not None else None
    window = cropped or Window(0, 0, *photo)
    full = _with_ground(window, asked) if cropped else window.size
    full = _extended(full, asked.aspect)
    scale = scale_to(full, asked)
    outer, drawn = scaled(full, scale), scaled(window.size, scale)
    inner = min(drawn[0], outer[0]), min(drawn[1], outer[1])
    corner = (outer[0] - inner[0]) // 2, (outer[1] - inner[1]) // 2
    return Layout(window, inner, corner, outer, scale)


def scale_to(full: Sides, asked: PictureFields) -> float:
    """To the size asked for, else 1; less where the result would be over a picture's limits."""
    largest = min(MAX_SIDE / max(full), math.sqrt(MAX_PIXELS / (full[0] * full[1])))
    if asked.size is None:
        return min(1.0, largest)
    return min(asked.size / max(full), asked.max_enlargement or math.inf, largest)


def scaled(sides: Sides, scale: float) -> Size:
    """In whole pixels, at least one each way."""
    return max(1, round(sides[0] * scale)), max(1, round(sides[1] * scale))


def _with_ground(window: Window, asked: PictureFields) -> Sides:
    """The garment and the border around it: by fill, or else by margin."""
    width, height = window.size
    if asked.fill is None:
        border: float = round(asked.margin * max(width, height))
    elif asked.aspect is None:
        border = max(width, height) * (1 / asked.fill - 1) / 2
    else:  # the side that the aspect does not extend is the tighter one
        return width / asked.fill, height / asked.fill
    return width + 2 * border, height + 2 * border


def _extended(sides: Sides, aspect: str | None) -> Sides:
    if aspect is None:
        return sides
    width, height = sides
    wanted = ratio(aspect)
    return (height * wanted, height) if width < height * wanted else (width, width / wanted)
