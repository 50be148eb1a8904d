"""Where the photo is taken: studio, wall and floor, or anything at all."""

from __future__ import annotations

import cv2
import numpy as np

from training.photos.arrays import Colour, Image
from training.photos.colours import any_colour, near
from training.photos.fabrics import draw_fabric
from training.photos.textures import clouds


def draw_scene(rng: np.random.Generator, size: tuple[int, int], calm: bool, like: Colour | None) -> Image:
    """A background of (height, width) in 0..1. `like`: a colour that it should be close to."""
    if calm or rng.random() < 0.5:
        return _studio(rng, size, like)
    return _room(rng, size, like) if rng.random() < 0.6 else _clutter(rng, size)


def _base(rng: np.random.Generator, like: Colour | None) -> Colour:
    if like is not None:
        return near(rng, like, 0.03)
    if rng.random() < 0.6:
        return near(rng, np.full(3, rng.uniform(0.75, 1.0)), 0.015)
    return any_colour(rng, (0, 0.5), (0.05, 1.0))


def _studio(rng: np.random.Generator, size: tuple[int, int], like: Colour | None) -> Image:
    """One colour, with the fall of the light and a faint floor."""
    height, width = size
    rows, columns = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j].astype(np.float32)
    spot = np.hypot(rows - rng.uniform(0.2, 0.6), columns - rng.uniform(0.3, 0.7))
    light = 1 - rng.uniform(0, 0.25) * spot - rng.uniform(0, 0.12) * (rows > rng.uniform(0.8, 0.95))
    return np.clip(_base(rng, like) * light[..., None], 0, 1).astype(np.float32)


def _room(rng: np.random.Generator, size: tuple[int, int], like: Colour | None) -> Image:
    """A wall and a floor, each with its cloth, and some furniture."""
    height, width = size
    scene = draw_fabric(rng, _base(rng, like), plain=0.4).render((0, 0, width, height), height / 6)
    floor = int(height * rng.uniform(0.7, 0.95))
    colour = any_colour(rng, (0, 0.6), (0.1, 0.9))
    scene[floor:] = draw_fabric(rng, colour, plain=0.5).render((0, floor, width, height - floor), height / 6)
    _furnish(rng, scene, int(rng.integers(0, 6)))
    scene *= 1 + clouds(rng, size, height * 0.4)[..., None] * rng.uniform(0, 0.08)
    return np.clip(scene, 0, 1).astype(np.float32)


def _clutter(rng: np.random.Generator, size: tuple[int, int]) -> Image:
    """Shapes and patterns without a sense, in or out of focus."""
    height, width = size
    scene = draw_fabric(rng, any_colour(rng, (0, 1), (0, 1)), plain=0.2).render(
        (0, 0, width, height), height / 5
    )
    _furnish(rng, scene, int(rng.integers(4, 22)))
    if rng.random() < 0.6:
        scene = np.asarray(cv2.GaussianBlur(scene, (0, 0), rng.uniform(0.5, 8) * height / 400), np.float32)
    return np.clip(scene, 0, 1).astype(np.float32)


def _furnish(rng: np.random.Generator, scene: Image, count: int) -> None:
    height, width = scene.shape[:2]
    for _ in range(count):
        x, y = rng.integers(-width // 4, width), rng.integers(-height // 4, height)
        w, h = rng.integers(8, max(9, width // 2)), rng.integers(8, max(9, height // 2))
        left, top, right, bottom = max(x, 0), max(y, 0), min(x + w, width), min(y + h, height)
        if right <= left or bottom <= top:
            continue
        fabric = draw_fabric(rng, any_colour(rng, (0, 1), (0, 1)), plain=0.5)
        scene[top:bottom, left:right] = fabric.render((left, top, right - left, bottom - top), height / 6)
