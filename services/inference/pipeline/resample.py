"""Making pictures smaller without aliasing, and fast."""

from __future__ import annotations

from typing import TypeVar, cast

import cv2

from services.inference.pipeline.arrays import F32, U8

Pixels = TypeVar("Pixels", U8, F32)


def reduced(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """Resized to `size` (width, height) by area: the mean of what falls on each pixel; also enlarges.

    It halves as often as it can first: OpenCV has vector code for exact halves, some ten times as fast.
    """
    while _halves(pixels.shape[1], size[0]) and _halves(pixels.shape[0], size[1]):
        half = (pixels.shape[1] // 2, pixels.shape[0] // 2)
        pixels = cast("Pixels", cv2.resize(pixels, half, interpolation=cv2.INTER_AREA))
    return cast("Pixels", cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))


def within(width: int, height: int, longest: int) -> tuple[int, int]:
    """Width and height (px) of a picture reduced to a longest side of at most `longest`."""
    scale = min(1.0, longest / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _halves(side: int, target: int) -> bool:
    return side % 2 == 0 and side // 2 >= target
