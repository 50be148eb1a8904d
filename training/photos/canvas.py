"""Drawing: antialiased covers from outlines, and a canvas that keeps colour, alpha and class together."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from training.photos.arrays import Box, Bytes, Image, Points

BACKGROUND, GARMENT, BODY, OTHER = 0, 1, 2, 3
_SUBPIXEL_BITS = 4


@dataclass(frozen=True)
class Cover:
    """How much of each pixel inside `box` a shape covers (uint8, 255 is all of it)."""

    box: Box
    values: Bytes

    @property
    def shape(self) -> tuple[int, int]:
        return (self.box[3], self.box[2])

    @property
    def window(self) -> tuple[slice, slice]:
        x, y, width, height = self.box
        return slice(y, y + height), slice(x, x + width)

    def cut(self, values: Bytes) -> "Cover":
        """The same box with other values: how shapes are clipped by one another."""
        return Cover(self.box, values)


@dataclass(frozen=True)
class Patch:
    """What a canvas showed somewhere: straight colour, classes and interior inside the cover's box."""

    cover: Cover
    colour: Image
    classes: Bytes
    interior: Bytes


@dataclass
class Canvas:
    """One figure on nothing: premultiplied colour, alpha, each pixel's class, and the garment's interior.

    `interior` (0 or 1) is amodal: what of the garment's inner back a neck, skin or hair hides belongs to it.
    """

    width: int
    height: int
    rgb: Image = field(init=False)
    alpha: Image = field(init=False)
    classes: Bytes = field(init=False)
    interior: Bytes = field(init=False)

    def __post_init__(self) -> None:
        self.rgb = np.zeros((self.height, self.width, 3), np.float32)
        self.alpha = np.zeros((self.height, self.width), np.float32)
        self.classes = np.zeros((self.height, self.width), np.uint8)
        self.interior = np.zeros((self.height, self.width), np.uint8)

    def cover(self, outlines: Sequence[Points]) -> Cover:
        """The union of closed outlines (pixels), antialiased, clipped to the canvas."""
        box = self._bounds(outlines)
        values = np.zeros((box[3], box[2]), np.uint8)
        origin = np.array(box[:2], np.float32)
        for outline in outlines if values.size else ():
            fixed = np.round((outline - origin) * (1 << _SUBPIXEL_BITS)).astype(np.int32)
            cv2.fillPoly(values, [fixed], 255, cv2.LINE_AA, _SUBPIXEL_BITS)
        return Cover(box, values)

    def within(self, cover: Cover, other: Cover) -> Cover:
        """`cover` where `other` is too."""
        return cover.cut(np.minimum(cover.values, self._full(other)[cover.window]))

    def without(self, cover: Cover, other: Cover) -> Cover:
        """`cover` where `other` is not."""
        return cover.cut(np.minimum(cover.values, 255 - self._full(other)[cover.window]))

    def hollow(self, cover: Cover) -> None:
        """Mark an opening of the garment: its interior, whatever is drawn there later."""
        self.interior[cover.window][cover.values > 127] = 1

    def front(self, cover: Cover) -> None:
        """The garment's own front closes what it covers."""
        self.interior[cover.window][cover.values > 127] = 0

    def union(self, cover: Cover, other: Cover) -> Cover:
        """`cover` and `other` together."""
        values = self._full(cover)
        window = other.window
        values[window] = np.maximum(values[window], other.values)
        return Cover((0, 0, self.width, self.height), values)

    def paint(self, cover: Cover, colour: Image, label: int) -> None:
        """Lay `colour` (box-sized, or one colour) over the figure; the class changes where it covers half."""
        window = cover.window
        weight = cover.values.astype(np.float32) / 255
        layer = weight[..., None]
        self.rgb[window] = self.rgb[window] * (1 - layer) + colour * layer
        self.alpha[window] += (1 - self.alpha[window]) * weight
        self.classes[window][cover.values > 127] = label

    def stroke(
        self, line: Points, colour: Image, thickness: float, label: int, only: int | None = None
    ) -> None:
        """A line, at least one pixel thick; with `only` it keeps to that class, as a seam does."""
        margin = np.array([[thickness, thickness]], np.float32)
        box = self._bounds([line - margin, line + margin])
        values = np.zeros((box[3], box[2]), np.uint8)
        fixed = np.round((line - np.array(box[:2])) * (1 << _SUBPIXEL_BITS)).astype(np.int32)
        if not values.size:
            return
        cv2.polylines(values, [fixed], False, 255, max(1, round(thickness)), cv2.LINE_AA, _SUBPIXEL_BITS)
        cover = Cover(box, values)
        if only is not None:
            values[self.classes[cover.window] != only] = 0
        self.paint(cover, colour, label)

    def lift(self, covers: Sequence[Cover]) -> "Patch":
        """A copy of what the canvas shows under `covers`, to be laid over later layers."""
        low = np.min([cover.box[:2] for cover in covers], 0) if covers else np.zeros(2, int)
        high = np.max([np.add(cover.box[:2], cover.box[2:]) for cover in covers] or [[0, 0]], 0)
        window = slice(int(low[1]), int(high[1])), slice(int(low[0]), int(high[0]))
        values = np.zeros((self.height, self.width), np.uint8)
        for cover in covers:
            values[cover.window] = np.maximum(values[cover.window], cover.values)
        box = (int(low[0]), int(low[1]), int(high[0] - low[0]), int(high[1] - low[1]))
        colour = self.rgb[window] / np.maximum(self.alpha[window], np.float32(1e-3))[..., None]
        layers = self.classes[window].copy(), self.interior[window].copy()
        return Patch(Cover(box, values[window]), np.asarray(colour, np.float32), *layers)

    def lay(self, patch: "Patch", share: Image) -> None:
        """Lay a lifted patch where `share` (0..1, of the canvas's size) lets it."""
        window = patch.cover.window
        cover = patch.cover.cut((patch.cover.values * share[window]).astype(np.uint8))
        self.paint(cover, patch.colour, 0)
        shown = cover.values > 127
        self.classes[window][shown] = patch.classes[shown]
        own = shown & (patch.classes == GARMENT)
        self.interior[window][own] = patch.interior[own]

    def on(self, cover: Cover, label: int) -> Cover:
        """`cover` where the canvas shows `label`."""
        return cover.cut(np.where(self.classes[cover.window] == label, cover.values, 0).astype(np.uint8))

    def dressed(self, cover: Cover) -> Cover:
        """`cover` where the canvas shows any clothing."""
        worn = np.isin(self.classes[cover.window], (GARMENT, OTHER))
        return cover.cut(np.where(worn, cover.values, 0).astype(np.uint8))

    def _bounds(self, outlines: Sequence[Points]) -> Box:
        points = np.concatenate(outlines)
        low = np.clip(np.floor(points.min(0)) - 2, 0, [self.width, self.height]).astype(int)
        high = np.clip(np.ceil(points.max(0)) + 3, 0, [self.width, self.height]).astype(int)
        return int(low[0]), int(low[1]), int(high[0] - low[0]), int(high[1] - low[1])

    def _full(self, cover: Cover) -> Bytes:
        values = np.zeros((self.height, self.width), np.uint8)
        values[cover.window] = cover.values
        return values
