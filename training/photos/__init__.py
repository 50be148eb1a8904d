"""Procedural photos of garments on people, mannequins, dress forms and hangers, with exact masks.

Classes: 0 background, 1 the garment that the photo is about, 2 body (skin, shell, hair, stand, hanger, and
other clothing). Needs NumPy and OpenCV only; the same seed gives the same picture.
"""

from __future__ import annotations

import cv2
import numpy as np

from training.photos.arrays import Bytes, Image
from training.photos.camera import develop
from training.photos.canvas import BACKGROUND, BODY, GARMENT, Canvas
from training.photos.figures import draw_figure, draw_kind, draw_wearer, garment_colour
from training.photos.garments import Kind
from training.photos.poses import Wearer
from training.photos.scenes import draw_scene

__all__ = ["BACKGROUND", "BODY", "GARMENT", "sample_photo", "training_photo"]

_SHOWN_WEARERS = (Wearer.FORM, Wearer.MANNEQUIN, Wearer.FORM, Wearer.PERSON)
_SHOWN_KINDS = (Kind.TOP, Kind.DRESS, Kind.TOP, Kind.TOP)


def training_photo(seed: int, size: tuple[int, int]) -> tuple[Bytes, Bytes]:
    """A photo (uint8, HxWx3 RGB) as wild as they come, and its classes (uint8, HxW). size: height, width."""
    rng = np.random.default_rng(seed)
    calm = bool(rng.random() < 0.3)
    colour, like = garment_colour(rng)
    scene = draw_scene(rng, size, calm, like)
    if rng.random() < 0.1:
        scene = _beside(rng, scene, size)
    canvas = draw_figure(rng, size, draw_wearer(rng), draw_kind(rng), colour, calm=calm)
    return develop(rng, _composed(rng, canvas, scene), calm=calm), _classes(canvas)


def sample_photo(seed: int, size: tuple[int, int]) -> tuple[Bytes, Bytes]:
    """A tidy studio photo, as a shop would send it, and its classes. size: height, width."""
    rng = np.random.default_rng([7, seed])
    wearer, kind = _SHOWN_WEARERS[seed % 4], _SHOWN_KINDS[seed // 2 % 4]
    colour, _ = garment_colour(rng)
    scene = draw_scene(rng, size, True, None)
    canvas = draw_figure(rng, size, wearer, kind, colour, calm=True)
    return develop(rng, _composed(rng, canvas, scene), calm=True), _classes(canvas)


def _composed(rng: np.random.Generator, canvas: Canvas, scene: Image) -> Image:
    """The figure in its scene, with its shadow on the wall or floor."""
    height, width = canvas.alpha.shape
    if rng.random() < 0.6:
        shift = np.array([[1, 0, rng.uniform(-0.05, 0.05) * width], [0, 1, rng.uniform(0, 0.03) * height]])
        shadow = cv2.warpAffine(canvas.alpha, shift.astype(np.float32), (width, height))
        shadow = cv2.GaussianBlur(shadow, (0, 0), max(0.5, width * rng.uniform(0.01, 0.05)))
        scene = scene * (1 - np.asarray(shadow, np.float32)[..., None] * np.float32(rng.uniform(0.05, 0.4)))
    return canvas.rgb + scene * (1 - canvas.alpha[..., None])


def _beside(rng: np.random.Generator, scene: Image, size: tuple[int, int]) -> Image:
    """Somebody else, or a reflection, in the background: none of it counts."""
    other = draw_figure(rng, size, draw_wearer(rng), draw_kind(rng), garment_colour(rng)[0], calm=False)
    scale, side = rng.uniform(0.5, 0.9), rng.choice([-1, 1])
    move = np.array([[scale, 0, side * size[1] * rng.uniform(0.35, 0.6)], [0, scale, size[0] * (1 - scale)]])
    rgb, alpha = (
        cv2.warpAffine(layer, move.astype(np.float32), (size[1], size[0]))
        for layer in (other.rgb, other.alpha)
    )
    return np.asarray(rgb + scene * (1 - np.asarray(alpha)[..., None]), np.float32)


def _classes(canvas: Canvas) -> Bytes:
    return np.where(canvas.alpha > 0.5, canvas.classes, BACKGROUND).astype(np.uint8)
