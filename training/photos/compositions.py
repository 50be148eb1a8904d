"""A figure in its scene: shadows on wall and floor, bystanders, mirrors."""

from __future__ import annotations

import cv2
import numpy as np

from training.photos.arrays import Image
from training.photos.canvas import Canvas


def composed(canvas: Canvas, scene: Image) -> Image:
    """The figure over the scene."""
    return np.asarray(canvas.rgb + scene * (1 - canvas.alpha[..., None]), np.float32)


def cast_shadow(rng: np.random.Generator, scene: Image, alpha: Image, depth: float, reach: float) -> Image:
    """The scene with the figure's soft shadow on the wall or ground behind it; `reach` in widths."""
    width = alpha.shape[1]
    shift = (rng.uniform(-1, 1) * reach * width, rng.uniform(0.2, 1) * reach * width)
    softness = max(0.5, width * reach * rng.uniform(0.3, 1.2))
    return _darkened(scene, _soft(alpha, (1.0, shift[0], shift[1]), softness), depth)


def contact_shadow(rng: np.random.Generator, scene: Image, alpha: Image) -> Image:
    """The scene with a dark pool on the floor under a figure that stands in the frame, or as it was."""
    height, width = alpha.shape
    rows = np.flatnonzero(alpha.max(1) > 0.5)
    if not rows.size or rows[-1] > height * 0.97:
        return scene
    foot, flat = int(rows[-1]), rng.uniform(0.025, 0.07)
    low = alpha * (np.arange(height)[:, None] > foot - height * 0.12)
    move = (flat, rng.uniform(-0.02, 0.02) * width, foot * (1 - flat) - height * 0.004)
    wide = _soft(alpha, move, width * 0.03)
    near = _soft(
        low.astype(np.float32), (flat * 1.6, 0.0, foot * (1 - flat * 1.6) + height * 0.002), width * 0.008
    )
    return _darkened(_darkened(scene, wide, rng.uniform(0.05, 0.22)), near, rng.uniform(0.25, 0.6))


def mirrored_in(rng: np.random.Generator, scene: Image, other: Canvas) -> Image:
    """The scene with a mirror on its wall that shows `other`."""
    height, width = scene.shape[:2]
    scale, side = rng.uniform(0.5, 0.85), rng.choice([-1, 1])
    centre = width * (0.5 + side * rng.uniform(0.3, 0.45))
    half, top = width * rng.uniform(0.12, 0.25), int(height * rng.uniform(0.02, 0.2))
    left, right = int(max(0, centre - half)), int(min(width, centre + half))
    bottom = int(height * rng.uniform(0.75, 0.98))
    move = np.array(
        [[-scale, 0, centre + scale * width / 2], [0, scale, height * (0.92 - scale)]], np.float32
    )
    rgb, alpha = _moved(other, move)
    glass = scene[:, ::-1] * np.float32(rng.uniform(0.7, 1.0))
    view = np.clip(rgb + glass * (1 - alpha[..., None]), 0, 1)
    frame = max(1, round(width * rng.uniform(0.004, 0.02)))
    scene = scene.copy()
    scene[top:bottom, left:right] = rng.uniform(0.05, 0.8)
    inner = slice(top + frame, bottom - frame), slice(left + frame, right - frame)
    scene[inner] = view[inner]
    return scene


def beside(rng: np.random.Generator, scene: Image, other: Canvas) -> Image:
    """Somebody else in the background: none of it counts."""
    height, width = scene.shape[:2]
    scale, side = rng.uniform(0.5, 0.9), rng.choice([-1, 1])
    aside = side * rng.uniform(0.35, 0.6) + (1 - scale) / 2
    move = np.array([[scale, 0, aside * width], [0, scale, height * (1 - scale)]], np.float32)
    rgb, alpha = _moved(other, move)
    return np.asarray(rgb + scene * (1 - alpha[..., None]), np.float32)


def _moved(other: Canvas, move: Image) -> tuple[Image, Image]:
    size = (other.width, other.height)
    rgb, alpha = (cv2.warpAffine(layer, move, size) for layer in (other.rgb, other.alpha))
    return np.asarray(rgb, np.float32), np.asarray(alpha, np.float32)


def _soft(alpha: Image, move: tuple[float, float, float], softness: float) -> Image:
    """The figure's cover, squashed (`move`: vertical scale, then x and y shift) and blurred.

    Made small, since it has no detail.
    """
    height, width = alpha.shape
    ratio = min(1.0, 4 / softness)
    small = cv2.resize(alpha, (round(width * ratio), round(height * ratio)), interpolation=cv2.INTER_AREA)
    matrix = np.array([[1, 0, move[1] * ratio], [0, move[0], move[2] * ratio]], np.float32)
    moved = cv2.warpAffine(small, matrix, (small.shape[1], small.shape[0]))
    soft = cv2.GaussianBlur(moved, (0, 0), max(0.3, softness * ratio))
    return np.asarray(cv2.resize(soft, (width, height)), np.float32)


def _darkened(scene: Image, shadow: Image, depth: float) -> Image:
    return np.asarray(scene * (1 - shadow[..., None] * np.float32(depth)), np.float32)
