"""Where the photo is taken: studio, wall and floor, a sheet on a table, or anything at all."""

from __future__ import annotations

import cv2
import numpy as np

from training.photos.arrays import Colour, Image
from training.photos.colours import any_colour, near
from training.photos.fabrics import draw_fabric
from training.photos.textures import clouds, folds

_COARSEST = 256
"""Light of a backdrop is computed no finer than this and scaled up."""


def draw_scene(rng: np.random.Generator, size: tuple[int, int], calm: bool, like: Colour | None) -> Image:
    """A background of (height, width) in 0..1. `like`: a colour that it should be close to."""
    if calm or rng.random() < 0.5:
        return studio(rng, size, base_colour(rng, like))
    return _room(rng, size, like) if rng.random() < 0.6 else _clutter(rng, size)


def draw_ground(rng: np.random.Generator, size: tuple[int, int], calm: bool, like: Colour | None) -> Image:
    """What a garment lies on, seen from above: a plain table, a crumpled sheet, planks, a rug."""
    kind = rng.random()
    if calm and kind < 0.5:
        return studio(rng, size, base_colour(rng, like), floor=False)
    if kind < (0.8 if calm else 0.65):
        return _sheet(rng, size, base_colour(rng, like))
    return _planks(rng, size) if calm or kind < 0.85 else _clutter(rng, size)


def base_colour(rng: np.random.Generator, like: Colour | None) -> Colour:
    if like is not None:
        return near(rng, like, 0.03)
    if rng.random() < 0.6:
        return near(rng, np.full(3, rng.uniform(0.75, 1.0)), 0.015)
    return any_colour(rng, (0, 0.5), (0.05, 1.0))


def studio(
    rng: np.random.Generator, size: tuple[int, int], colour: Colour, floor: bool = True, fall: float = 0.28
) -> Image:
    """One colour: the fall of the light, and a floor that a paper roll runs into more or less softly.

    fall: how much darker the corners may be.
    """
    height, width = size
    ratio = min(1.0, _COARSEST / height)
    coarse = (round(height * ratio), round(width * ratio))
    rows, columns = np.mgrid[0 : 1 : coarse[0] * 1j, 0 : 1 : coarse[1] * 1j].astype(np.float32)
    spot = np.hypot((rows - rng.uniform(0.2, 0.6)) * 1.2, columns - rng.uniform(0.3, 0.7))
    light = 1 - rng.uniform(0.02, fall) * spot**1.5
    if floor:
        edge, soft = rng.uniform(0.76, 0.95), rng.choice([0.004, rng.uniform(0.01, 0.06)])
        ground = 1 / (1 + np.exp(-(rows - edge) / soft))
        light *= 1 + rng.uniform(-0.14, 0.05) * ground
    light *= 1 + clouds(rng, coarse, coarse[0] * 0.6) * rng.uniform(0, 0.012)
    full = cv2.resize(light.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(np.asarray(full)[..., None] * colour, 0, 1).astype(np.float32)


def _sheet(rng: np.random.Generator, size: tuple[int, int], colour: Colour) -> Image:
    """Crumpled cloth: folds in all directions."""
    light = np.ones(size, np.float32)
    for _ in range(3):
        crease = folds(rng, size, size[0] * rng.uniform(0.05, 0.2), rng.uniform(-np.pi, np.pi))
        light += crease * np.float32(rng.uniform(0.008, 0.05))
    bright = colour * np.float32(0.93)
    return np.clip(light[..., None] * bright, 0, 1).astype(np.float32)


def _planks(rng: np.random.Generator, size: tuple[int, int]) -> Image:
    """A wooden floor or table."""
    height, width = size
    across = bool(rng.random() < 0.5)
    count, long = int(rng.integers(4, 14)), (width if across else height)
    wood = np.array([0.7, 0.52, 0.35], np.float32) * np.float32(rng.uniform(0.3, 1.35))
    tones = np.repeat(rng.normal(1, 0.07, count), -(-long // count))[:long].astype(np.float32)
    tones[:: -(-long // count)] *= 0.7
    veins = folds(rng, size, size[0] * 0.02, 0.0 if across else np.pi / 2) * rng.uniform(0.01, 0.06)
    light = (tones[None, :] if across else tones[:, None]) + veins
    return np.clip(light[..., None] * wood, 0, 1).astype(np.float32)


def _room(rng: np.random.Generator, size: tuple[int, int], like: Colour | None) -> Image:
    """A wall and a floor, each with its cloth, and some furniture."""
    height, width = size
    plain = 0.75 if rng.random() < 0.6 else 0.2
    scene = draw_fabric(rng, base_colour(rng, like), plain).render((0, 0, width, height), height / 6)
    floor = int(height * rng.uniform(0.7, 0.95))
    if rng.random() < 0.4:
        scene[floor:] = _planks(rng, (height - floor, width))
    else:
        colour = any_colour(rng, (0, 0.6), (0.1, 0.9))
        cloth = draw_fabric(rng, colour, plain)
        scene[floor:] = cloth.render((0, floor, width, height - floor), height / 6)
    _furnish(rng, scene, int(rng.integers(0, 6)))
    scene *= 1 + clouds(rng, size, height * 0.4)[..., None] * np.float32(rng.uniform(0, 0.08))
    return np.clip(scene, 0, 1, out=scene)


def _clutter(rng: np.random.Generator, size: tuple[int, int]) -> Image:
    """Shapes and patterns without a sense, in or out of focus."""
    height, width = size
    scene = draw_fabric(rng, any_colour(rng, (0, 1), (0, 1)), plain=0.2).render(
        (0, 0, width, height), height / 5
    )
    _furnish(rng, scene, int(rng.integers(4, 22)))
    if rng.random() < 0.6:
        scene = np.asarray(cv2.GaussianBlur(scene, (0, 0), rng.uniform(0.5, 8) * height / 400), np.float32)
    return np.clip(scene, 0, 1, out=scene)


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
