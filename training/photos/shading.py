"""Light on a painted shape: folds, soft lumps, a darker rim and a direction."""

import cv2
import numpy as np

from training.photos.arrays import Image
from training.photos.canvas import Cover
from training.photos.textures import clouds, folds

_LONGEST_SIDE = 320
"""Light changes slowly: it is computed no finer than this and scaled up."""


def lit(
    rng: np.random.Generator, cover: Cover, colour: Image, unit: float, strength: float, creased: bool = True
) -> Image:
    """`colour` (box-sized or a single colour) under light; `strength` 1 is strongly modelled."""
    light = _light(rng, cover, unit, strength, creased)
    picture = np.broadcast_to(colour, (*cover.shape, 3)) * light[..., None]
    if creased and rng.random() < 0.3:
        sheen = np.clip(folds(rng, cover.shape, unit * 0.4, rng.uniform(-1.5, 1.5)) - 1.2, 0, 2)
        picture = picture + sheen[..., None] * rng.uniform(0.03, 0.2)
    return np.clip(picture, 0, 1).astype(np.float32)


def _light(rng: np.random.Generator, cover: Cover, unit: float, strength: float, creased: bool) -> Image:
    height, width = cover.shape
    if not height or not width:
        return np.ones(cover.shape, np.float32)
    ratio = min(1.0, _LONGEST_SIDE / max(height, width))
    small = (max(1, round(height * ratio)), max(1, round(width * ratio)))
    mask = cv2.resize(cover.values, (small[1], small[0]), interpolation=cv2.INTER_AREA)
    light = _creases(rng, small, unit * ratio, strength) if creased else np.ones(small, np.float32)
    light = light + clouds(rng, small, unit * ratio * rng.uniform(0.6, 1.6)) * rng.uniform(0, 0.07) * strength
    light = light * _rim(rng, np.asarray(mask, np.uint8), unit * ratio, strength) * _slope(rng, small)
    return np.asarray(cv2.resize(light.astype(np.float32), (width, height)), np.float32)


def _creases(rng: np.random.Generator, shape: tuple[int, int], unit: float, strength: float) -> Image:
    light = 1 + folds(rng, shape, unit * rng.uniform(0.12, 0.35), rng.normal(0, 0.35)) * (
        rng.uniform(0.02, 0.15) * strength
    )
    if rng.random() < 0.5:
        angle = rng.uniform(-np.pi, np.pi)
        light = light + folds(rng, shape, unit * rng.uniform(0.07, 0.15), angle) * (
            rng.uniform(0.01, 0.08) * strength
        )
    return np.asarray(light, np.float32)


def _rim(rng: np.random.Generator, mask: Image | np.ndarray, unit: float, strength: float) -> Image:
    """Surfaces that turn away from the camera get less light."""
    framed = cv2.copyMakeBorder((mask > 127).astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT)
    depth = cv2.distanceTransform(framed, cv2.DIST_L2, 3)[1:-1, 1:-1]
    falloff = np.exp(-depth / (unit * rng.uniform(0.08, 0.35)))
    return np.asarray(1 - rng.uniform(0, 0.45) * strength * falloff, np.float32)


def _slope(rng: np.random.Generator, shape: tuple[int, int]) -> Image:
    rows, columns = np.mgrid[0 : 1 : complex(shape[0]), 0 : 1 : complex(shape[1])].astype(np.float32) - 0.5
    angle, depth = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.25)
    return np.asarray(1 + depth * (columns * np.cos(angle) + rows * np.sin(angle)), np.float32)
