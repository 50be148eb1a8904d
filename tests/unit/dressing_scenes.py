"""Drawn people who can wear something, garments for them, and a segmenter that knows their colours."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from services.inference.pipeline.arrays import F32, U8
from services.inference.pipeline.segment import Fit, Hint
from tests.unit.picture_samples import encoded

WIDTH, HEIGHT = 480, 640
GROUND, SKIN, OLD, NEW, TROUSERS, LEGS = (
    (236, 236, 234),
    (214, 168, 140),
    (90, 150, 90),
    (64, 104, 168),
    (60, 58, 62),
    (128, 64, 64),
)
"""Colours: what the person wears above the waist is OLD, garments are NEW or LEGS."""
_COLOURS = np.array([GROUND, SKIN, OLD, NEW, TROUSERS, LEGS], np.float32)
_UPPER = np.array([0, 2, 1, 1, 3, 1])
_LOWER = np.array([0, 2, 3, 3, 1, 1])
"""The class of each colour, by what is asked for."""


class PeopleSegmenter:
    """Takes each pixel for the class whose colour is nearest; LOWER asks for what is worn below the waist."""

    name = "people@1"
    fit = Fit.LETTERBOX
    input_size = (512, 384)

    def maps(self, batch: U8, hints: Sequence[Hint]) -> F32:
        eye = np.eye(5, dtype=np.float32) * np.float32(0.97) + np.float32(0.01)
        eye[:, 4] = 0
        return np.stack(
            [
                eye[_classes(sheet[::2, ::2], _LOWER if hint is Hint.LOWER else _UPPER)].transpose(2, 0, 1)
                for sheet, hint in zip(batch, hints, strict=True)
            ]
        )


def person(*, sleeves: float = 0.3, arms: bool = True, lean: float = 0.0, textured: bool = True) -> U8:
    """Somebody in a top with sleeves of this share of the arms, and in trousers; sRGB [HEIGHT,WIDTH,3]."""
    canvas = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    canvas[:] = GROUND
    _tube(canvas, [(215, 150), (240, 70), (265, 150)], 56, SKIN)
    cv2.ellipse(canvas, (240, 80), (38, 52), 0, 0, 360, SKIN, -1)
    _polygon(canvas, [(180, 420), (300, 420), (300, 640), (180, 640)], TROUSERS)
    if arms:
        for side in (-1, 1):
            line = [(240 + side * 88, 190), (240 + side * 108, 300), (240 + side * 118, 420)]
            _tube(canvas, line, 34, SKIN)
            _tube(canvas, _part(line, sleeves), 44, OLD)
    _polygon(
        canvas,
        [(205, 150), (275, 150), (335, 175), (310, 250), (304, 430), (176, 430), (170, 250), (145, 175)],
        OLD,
    )
    cv2.ellipse(canvas, (240, 146), (36, 24), 0, 0, 180, SKIN, -1)
    return _finished(canvas, lean, textured)


def top(*, sleeves: float = 0.3, width: float = 1.0, height: int = HEIGHT) -> U8:
    """A top on nobody; wider ones are of more cloth."""
    canvas = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    canvas[:] = GROUND
    for side in (-1, 1):
        line = [(240 + side * 92, 192), (240 + side * 112, 300), (240 + side * 122, 420)]
        _tube(canvas, _part(line, sleeves), 48, NEW)
    half = 68 * width
    corners = [(203, 148), (277, 148), (340, 174), (240 + half, 260), (240 + half, 438)]
    _polygon(canvas, [*corners, (240 - half, 438), (240 - half, 260), (140, 174)], NEW)
    cv2.ellipse(canvas, (240, 146), (34, 22), 0, 0, 180, GROUND, -1)
    return _finished(canvas, 0.0, True)[:height]


def trousers() -> U8:
    """Trousers on nobody."""
    canvas = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    canvas[:] = GROUND
    _polygon(canvas, [(176, 80), (304, 80), (312, 600), (250, 600), (240, 220), (230, 600), (168, 600)], LEGS)
    return _finished(canvas, 0.0, True)


def as_png(rgb: U8) -> bytes:
    return encoded(rgb, "PNG")


def _finished(canvas: U8, lean: float, textured: bool) -> U8:
    if lean:
        matrix = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), lean, 1)
        canvas = np.asarray(cv2.warpAffine(canvas, matrix, (WIDTH, HEIGHT), borderValue=GROUND), np.uint8)
    noise = np.random.default_rng(5).normal(0, 2.0 if textured else 0.0, canvas.shape)
    return np.asarray(np.clip(cv2.GaussianBlur(canvas, (3, 3), 0) + noise, 0, 255), np.uint8)


def _part(line: Sequence[tuple[float, float]], share: float) -> list[tuple[float, float]]:
    """The first part of a line."""
    points = np.array(line, np.float64)
    ways = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    steps = np.linspace(0, share * ways[-1], 12)
    return list(zip(np.interp(steps, ways, points[:, 0]), np.interp(steps, ways, points[:, 1]), strict=True))


def _tube(canvas: U8, line: Sequence[tuple[float, float]], width: int, colour: tuple[int, int, int]) -> None:
    cv2.polylines(canvas, [np.array(line).round().astype(np.int32)], False, colour, width)


def _polygon(canvas: U8, corners: Sequence[tuple[float, float]], colour: tuple[int, int, int]) -> None:
    cv2.fillPoly(canvas, [np.array(corners).round().astype(np.int32)], colour)


def _classes(
    rgb: U8, of: np.ndarray[tuple[int, ...], np.dtype[np.intp]]
) -> np.ndarray[tuple[int, ...], np.dtype[np.intp]]:
    distance = np.linalg.norm(rgb[..., None, :].astype(np.float32) - _COLOURS, axis=-1)
    return np.asarray(of[np.argmin(distance, axis=-1)], np.intp)
