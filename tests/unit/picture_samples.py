"""Drawn photos of a garment on a form, a segmenter that knows their colours, and encoders for them."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

import cv2
import numpy as np
from PIL import Image

from services.inference.pipeline.arrays import F32, U8, Bools
from services.inference.pipeline.segment import Fit, Hint

GROUND, GARMENT, BODY = (232, 230, 226), (176, 38, 52), (214, 168, 140)
_COLOURS = np.array([GROUND, GARMENT, BODY], np.float32)


def draw_photo(width: int = 300, height: int = 400, seed: int = 0) -> U8:
    """A red shirt on a skin-coloured form before a light wall, softly focused, with sensor noise."""
    canvas = np.full((height, width, 3), GROUND, np.uint8)
    cv2.ellipse(canvas, _at(width, height, 0.5, 0.2), (width // 9, height // 9), 0, 0, 360, BODY, -1)
    shirt = [(0.36, 0.3), (0.64, 0.3), (0.84, 0.45), (0.76, 0.54), (0.68, 0.48), (0.7, 0.85), (0.3, 0.85)]
    shirt += [(0.32, 0.48), (0.24, 0.54), (0.16, 0.45)]
    corners = np.array([_at(width, height, x, y) for x, y in shirt], np.int32)
    cv2.fillPoly(canvas, [corners], GARMENT, lineType=cv2.LINE_AA)
    noise = np.random.default_rng(seed).normal(0, 4, canvas.shape)
    blurred = cv2.GaussianBlur(canvas, (0, 0), 0.8)
    return np.asarray(np.clip(blurred + noise, 0, 255), np.uint8)


def garment_mask(photo: U8) -> Bools:
    """Where `photo` shows the garment, by colour."""
    return np.asarray(_classes(photo) == 1, np.bool_)


class ColourSegmenter:
    """Takes each pixel for the class whose colour is nearest; answers in half the input's size."""

    name = "colours@1"
    fit = Fit.LETTERBOX

    def __init__(self, height: int = 256, width: int = 192, sureness: float = 0.98) -> None:
        self.input_size = (height, width)
        self._sureness = sureness

    def maps(self, batch: U8, hints: Sequence[Hint]) -> F32:
        doubt = (1 - self._sureness) / 2
        eye = np.zeros((3, 5), np.float32)
        eye[:, :3] = np.eye(3) * (self._sureness - doubt) + doubt
        return np.stack([eye[_classes(sheet[::2, ::2])].transpose(2, 0, 1) for sheet in batch])


def encoded(rgb: U8, kind: str, **options: object) -> bytes:
    """The array as a file, by Pillow."""
    return saved(Image.fromarray(rgb), kind, **options)


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    out = BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def by_pillow(data: bytes) -> U8:
    """What Pillow alone makes of a file: RGB uint8 [H,W,3]."""
    with Image.open(BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))


def _at(width: int, height: int, x: float, y: float) -> tuple[int, int]:
    return round(x * width), round(y * height)


def _classes(rgb: U8) -> np.ndarray[tuple[int, ...], np.dtype[np.intp]]:
    distance = np.linalg.norm(rgb[..., None, :].astype(np.float32) - _COLOURS, axis=-1)
    return np.asarray(np.argmin(distance, axis=-1), np.intp)
