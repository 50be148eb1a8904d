"""Light on a painted shape: its roundness, folds, soft lumps, a darker rim and gloss."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from training.photos.arrays import Bytes, Image
from training.photos.canvas import Cover
from training.photos.textures import clouds, folds

_LONGEST_SIDE = 160
"""Light changes slowly: larger parts are lit at this size, or a quarter of theirs, and scaled up."""


@dataclass(frozen=True)
class Surface:
    """How a surface takes the light. `strength` 1 is strongly modelled; `angle` is that of the folds (radians
    off the vertical), None for a surface without folds; `gloss` adds highlights."""

    strength: float = 0.6
    angle: float | None = None
    gloss: float = 0.0


def lit(rng: np.random.Generator, cover: Cover, colour: Image, unit: float, surface: Surface) -> Image:
    """`colour` (box-sized or a single colour) under light."""
    height, width = cover.shape
    longest = max(height, width, 1)
    ratio = min(1.0, max(_LONGEST_SIDE, longest / 4) / longest)
    small = (max(1, round(height * ratio)), max(1, round(width * ratio)))
    mask = np.asarray(cv2.resize(cover.values, (small[1], small[0]), interpolation=cv2.INTER_AREA), np.uint8)
    light, shine = _light(rng, mask, unit * ratio, surface)
    picture = np.broadcast_to(colour, (height, width, 3)) * _grown(light, cover)[..., None]
    if shine is not None:
        picture = picture + _grown(shine, cover)[..., None]
    return np.clip(picture, 0, 1).astype(np.float32)


def _grown(field: Image, cover: Cover) -> Image:
    shape = cover.shape
    if field.shape == shape:
        return field
    return np.asarray(cv2.resize(field, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC), np.float32)


def _light(
    rng: np.random.Generator, mask: Bytes, unit: float, surface: Surface
) -> tuple[Image, Image | None]:
    shape, strength = (mask.shape[0], mask.shape[1]), surface.strength
    turned, rim = _roundness(rng, mask, unit)
    light = 1 + (turned * rng.uniform(0.06, 0.3) - rim * rng.uniform(0, 0.26)) * strength
    light += clouds(rng, shape, unit * rng.uniform(0.6, 1.6)) * (rng.uniform(0, 0.035) * strength)
    shine = None
    if surface.angle is not None:
        creases = _creases(rng, shape, unit, surface.angle)
        light += creases * (rng.uniform(0.05, 0.17) * strength)
        if surface.gloss:
            shine = np.clip(creases - 1.0, 0, 2) * np.float32(surface.gloss)
    elif surface.gloss:
        shine = np.clip(turned * 3 - 0.7, 0, 1) ** 2 * np.float32(surface.gloss)
    return light.astype(np.float32), None if shine is None else shine.astype(np.float32)


def _roundness(rng: np.random.Generator, mask: Bytes, unit: float) -> tuple[Image, Image]:
    """How far a blown-up shape turns to the light (-1..1), and how far away from the camera (0..1)."""
    border = max(2, int(unit * 0.3))
    framed = cv2.copyMakeBorder(mask, border, border, border, border, cv2.BORDER_CONSTANT)
    soft = cv2.GaussianBlur(framed.astype(np.float32) / 255, (0, 0), max(1.0, unit * rng.uniform(0.08, 0.22)))
    angle = rng.uniform(-2.4, -0.7)
    kernel = (np.cos(angle), np.sin(angle))
    slope_x, slope_y = (np.asarray(cv2.Sobel(soft, cv2.CV_32F, 1 - axis, axis, ksize=3)) for axis in (0, 1))
    turned = -(slope_x * kernel[0] + slope_y * kernel[1]) * np.float32(unit * 0.12)
    inner = slice(border, -border)
    return np.clip(turned[inner, inner], -1, 1), np.clip(2 - 2 * soft[inner, inner], 0, 1)


def _creases(rng: np.random.Generator, shape: tuple[int, int], unit: float, angle: float) -> Image:
    """Folds of two sizes, each strong in places only."""
    large = folds(rng, shape, unit * rng.uniform(0.22, 0.5), angle + rng.normal(0, 0.15))
    where = np.clip(0.6 + 0.5 * clouds(rng, shape, unit * rng.uniform(0.6, 1.4)), 0.1, 1.6)
    creases = large * where
    if rng.random() < 0.6:
        small = folds(rng, shape, unit * rng.uniform(0.1, 0.2), angle + rng.normal(0, 0.7))
        creases = creases + small * (1.6 - where) * np.float32(rng.uniform(0.15, 0.6))
    return np.asarray(creases, np.float32)
