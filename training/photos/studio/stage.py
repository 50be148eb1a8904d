"""What the camera sees before there is light: depth, slope, colour, make and class of every pixel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from training.photos.arrays import Bytes, Image, Points
from training.photos.canvas import BACKGROUND, GARMENT

WALL_Z = -1.1
_SUBPIXEL_BITS = 4
_STEEPEST = 3.5


@dataclass(frozen=True)
class View:
    """A frontal camera without perspective. `unit`: pixels to a head; `left`, `top`: the frame's corner.

    Smooth fields are made on a grid `step` times coarser than the picture, whose sides are multiples of it.
    """

    unit: float
    left: float
    top: float
    width: int
    height: int
    step: int

    @property
    def coarse(self) -> tuple[int, int]:
        """Rows and columns of the grid."""
        return self.height // self.step, self.width // self.step

    @property
    def pitch(self) -> float:
        """Grid cells to a head."""
        return self.unit / self.step

    @property
    def x(self) -> Image:
        """1xW, of the grid's cells."""
        return (((np.arange(self.coarse[1]) + 0.5) / self.pitch + self.left)[None, :]).astype(np.float32)

    @property
    def y(self) -> Image:
        """Hx1, of the grid's cells."""
        return (((np.arange(self.coarse[0]) + 0.5) / self.pitch + self.top)[:, None]).astype(np.float32)

    def project(self, points: object) -> Points:
        """Heads to pixels."""
        corner = np.array([self.left, self.top], np.float32)
        return ((np.asarray(points, np.float32).reshape(-1, 2) - corner) * np.float32(self.unit)).astype(
            np.float32
        )

    def cover(self, *outlines: Points) -> Bytes:
        """How much of each pixel the union of closed outlines (heads) covers, 0..255."""
        values = np.zeros((self.height, self.width), np.uint8)
        for outline in outlines:
            cv2.fillPoly(values, [self._fixed(outline)], 255, cv2.LINE_AA, _SUBPIXEL_BITS)
        return values

    def ink(self, lines: Sequence[Points], width: float) -> Bytes:
        """Lines (heads), `width` heads thick and at least a pixel."""
        values = np.zeros((self.height, self.width), np.uint8)
        fixed = [self._fixed(line) for line in lines]
        thick = max(1, round(width * self.unit))
        cv2.polylines(values, fixed, False, 255, thick, cv2.LINE_AA, _SUBPIXEL_BITS)
        return values

    def _fixed(self, points: Points) -> np.ndarray:
        return np.round((self.project(points) - 0.5) * (1 << _SUBPIXEL_BITS)).astype(np.int32)

    def box(self, cover: Bytes) -> tuple[slice, slice, slice, slice]:
        """Rows and columns around what is covered, on the picture and on the grid."""
        x, y, width, height = cv2.boundingRect(cover)
        step = self.step
        left, top = x // step, y // step
        right, low = -(-(x + width) // step), -(-(y + height) // step)
        return (
            slice(top * step, low * step), slice(left * step, right * step),
            slice(top, low), slice(left, right),
        )  # fmt: skip

    def fine(self, values: Image, rows: slice, columns: slice, how: int = cv2.INTER_CUBIC) -> Image:
        """A part of a field of the grid, at the picture's resolution."""
        part = values[rows, columns]
        if self.step == 1:
            return part.copy()
        size = (part.shape[1] * self.step, part.shape[0] * self.step)
        return np.asarray(cv2.resize(part, size, interpolation=how), np.float32)


@dataclass(frozen=True)
class Make:
    """How a surface answers light: mirror-like, with a rim of fuzz, translucent like skin (0..1 each)."""

    gloss: float = 0.0
    fuzz: float = 0.0
    soft: float = 0.0


@dataclass(frozen=True)
class Layer:
    """A surface to be laid: where it is, how deep (grid), its colour (linear light) and fine relief (heads).

    cover, relief: of the picture's size. colour: one, or a picture of the box of `cover`.
    """

    cover: Bytes
    z: Image
    colour: Image
    make: Make
    label: int
    relief: Image | None = None


@dataclass
class Stage:
    """The picture's layers. `interior` is amodal, as `canvas.Canvas.interior` is."""

    view: View
    z: Image = field(init=False)
    slope: Image = field(init=False)
    colour: Image = field(init=False)
    make: Image = field(init=False)
    classes: Bytes = field(init=False)
    interior: Bytes = field(init=False)

    def __post_init__(self) -> None:
        shape = (self.view.height, self.view.width)
        self.z = np.full(shape, WALL_Z, np.float32)
        self.slope = np.zeros((*shape, 2), np.float32)
        self.colour = np.zeros((*shape, 3), np.float32)
        self.make = np.zeros((*shape, 3), np.float32)
        self.classes = np.full(shape, BACKGROUND, np.uint8)
        self.interior = np.zeros(shape, np.uint8)

    def lay(self, layer: Layer) -> None:
        """Put a surface in front of what is there; its class counts where it covers half of a pixel."""
        if not layer.cover.any():
            return
        rows, columns, *grid = self.view.box(layer.cover)
        window = (rows, columns)
        share = layer.cover[window].astype(np.float32) * np.float32(1 / 255)
        self._blend(self.z, window, self.view.fine(layer.z, grid[0], grid[1]), share)
        self._blend(self.slope, window, self._slope(layer, window, (grid[0], grid[1])), share)
        self._blend(self.colour, window, layer.colour, share)
        make = layer.make
        self._blend(self.make, window, np.array([make.gloss, make.fuzz, make.soft], np.float32), share)
        front = layer.cover[window] > 127
        self.classes[window][front] = layer.label
        if layer.label == GARMENT:
            self.interior[window][front] = 0

    def hollow(self, cover: Bytes) -> None:
        """Mark an opening of the garment, whatever is laid there later (but for the garment's front)."""
        self.interior[cover > 127] = 1

    def tint(self, cover: Bytes, factor: float, label: int | None = None) -> None:
        """Darken or lighten what is there, of one class if `label` says so: seams, dirt, contact."""
        if not cover.any():
            return
        rows, columns, *_ = self.view.box(cover)
        share = cover[rows, columns].astype(np.float32) * np.float32((factor - 1) / 255)
        if label is not None:
            share *= self.classes[rows, columns] == label
        self.colour[rows, columns] *= (1 + share)[..., None]

    def _slope(self, layer: Layer, window: tuple[slice, slice], grid: tuple[slice, slice]) -> Image:
        view = self.view
        fields = [
            view.fine(
                np.asarray(cv2.Sobel(layer.z, cv2.CV_32F, *axis, scale=view.pitch / 8), np.float32), *grid
            )
            for axis in ((1, 0), (0, 1))
        ]
        if layer.relief is not None:
            for plane, axis in zip(fields, ((1, 0), (0, 1)), strict=True):
                plane += cv2.Sobel(layer.relief[window], cv2.CV_32F, *axis, scale=view.unit / 8)
        return np.clip(np.dstack(fields), -_STEEPEST, _STEEPEST)

    def _blend(self, plane: Image, window: tuple[slice, slice], values: Image, share: Image) -> None:
        part = plane[window]
        part += (values - part) * (share if plane.ndim == 2 else share[..., None])
