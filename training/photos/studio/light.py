"""The studio's light: a large soft box at the upper left, a reflector, and what shadows they leave."""

from __future__ import annotations

import cv2
import numpy as np

from training.photos.arrays import Image
from training.photos.canvas import BACKGROUND
from training.photos.studio.stage import WALL_Z, Stage, View

KEY = (-0.5, -0.52, 0.69)
_FILL = (0.62, -0.05, 0.78)
_RISE = KEY[2] / float(np.hypot(KEY[0], KEY[1]))
_WRAP, _SKIN_WRAP = 0.18, 0.17


def exposed(stage: Stage, key: float = 1.0) -> Image:
    """The picture in linear light; `key`: how hard the light is. The key is warm, what fills is cool."""
    dx, dy = (np.ascontiguousarray(stage.slope[..., axis]) for axis in (0, 1))
    upright = np.asarray(1 / np.sqrt(1 + dx * dx + dy * dy), np.float32)
    open_, hollow = 1 - _shadow(stage), _enclosed(stage)
    facing = _towards(dx, dy, upright, KEY)
    near = open_ * (0.55 + 0.45 * hollow) * np.float32(0.96 * key)
    direct = _wrapped(facing, _WRAP) * near
    soft = stage.make[..., 2]
    red = _wrapped(facing, _WRAP + _SKIN_WRAP * soft) * near if soft.any() else direct
    around = np.maximum(_towards(dx, dy, upright, _FILL), 0) * np.float32(0.17)
    around += (dy * upright + 1) * np.float32(0.06) + np.float32(0.09)
    around *= hollow
    channels = [red * 1.02 + around * 0.98, direct + around, direct * 0.97 + around * 1.04]
    picture = np.asarray(cv2.multiply(stage.colour, cv2.merge(channels)), np.float32)
    open_ *= hollow
    shine = _shine(stage, dx, dy, upright) * open_
    return np.asarray(cv2.add(picture, cv2.merge([shine, shine, shine])), np.float32)


def _wrapped(facing: Image, wrap: Image | float) -> Image:
    """Light that reaches a little around the edge, as a large source does."""
    return np.asarray(np.maximum((facing + wrap) / (1 + wrap), 0), np.float32)


def _towards(dx: Image, dy: Image, upright: Image, light: tuple[float, float, float]) -> Image:
    facing = cv2.addWeighted(dx, -light[0], dy, -light[1], light[2])
    return np.asarray(cv2.multiply(facing, upright), np.float32)


def _shine(stage: Stage, dx: Image, dy: Image, upright: Image) -> Image:
    """Highlights of glossy things (Blinn, 1977), and the pale rim of fuzzy ones."""
    gloss, fuzz = stage.make[..., 0], stage.make[..., 1]
    half = np.array([KEY[0], KEY[1], KEY[2] + 1]) / np.linalg.norm([KEY[0], KEY[1], KEY[2] + 1])
    wide = np.maximum(_towards(dx, dy, upright, (float(half[0]), float(half[1]), float(half[2]))), 0)
    for _ in range(4):
        wide *= wide
    tight = wide * wide
    tight *= tight
    rim = 1 - upright
    rim *= rim
    return np.asarray(
        gloss * (0.16 * wide + 0.45 * tight + 0.1 * rim) + fuzz * rim * np.float32(0.22), np.float32
    )


def _shadow(stage: Stage) -> Image:
    """0..1: how much of the key light is hidden; found by walking towards it over the depths."""
    view = stage.view
    z, share = _depths(stage)
    ex, ey = KEY[0] / np.hypot(KEY[0], KEY[1]), KEY[1] / np.hypot(KEY[0], KEY[1])
    dark = np.zeros_like(z)
    for distance in np.geomspace(0.025, 1.3, 15):
        move = np.array(
            [[1, 0, -ex * distance * view.pitch], [0, 1, -ey * distance * view.pitch]], np.float32
        )
        there = cv2.warpAffine(z, move, (z.shape[1], z.shape[0]), borderMode=cv2.BORDER_REPLICATE)
        above = (there - z - distance * _RISE) / (0.03 + 0.3 * distance)
        np.maximum(dark, np.clip(above, 0, 1), out=dark)
    near = _spread(dark, share, 0.018 * view.pitch)
    far = _spread(dark, 1 - share, 0.22 * view.pitch) * 0.34
    figure = stage.classes != BACKGROUND
    return np.clip(np.where(figure, _large(near, view), _large(far, view)), 0, 1).astype(np.float32)


def _spread(values: Image, share: Image, sigma: float) -> Image:
    """A blur that takes account of some cells only, and goes on beyond them."""
    size = (0, 0), max(0.45, sigma)
    weight = np.where(share > 0.6, share, 0).astype(np.float32)
    own = cv2.GaussianBlur(values * weight, *size) / (cv2.GaussianBlur(weight, *size) + np.float32(1e-4))
    far = (0, 0), max(2.5, sigma)
    wide = cv2.GaussianBlur(values * weight, *far) / (cv2.GaussianBlur(weight, *far) + np.float32(1e-5))
    return np.where(weight > 0, own, wide).astype(np.float32)


def _enclosed(stage: Stage) -> Image:
    """1 in the open, less in valleys and where surfaces meet: depth below that of the surroundings."""
    view = stage.view
    z, figure = _depths(stage)
    z = np.maximum(z, -0.35)
    weight = np.maximum(figure, 0.005)
    light = np.ones_like(z)
    for radius, strength in ((0.025, 7.0), (0.07, 2.6), (0.2, 0.8)):
        sigma = max(0.4, radius * view.pitch)
        mean = cv2.GaussianBlur(z * weight, (0, 0), sigma) / cv2.GaussianBlur(weight, (0, 0), sigma)
        inner = np.clip(2 * cv2.GaussianBlur(figure, (0, 0), sigma) - 1, 0, 1)
        light *= 1 - np.clip((mean - z) * strength, -0.05, 0.5) * inner
    light = np.where(stage.classes != BACKGROUND, _large(_spread(light, figure, 0.3), view), np.float32(1))
    return np.clip(light, 0.2, 1.1).astype(np.float32)


def _depths(stage: Stage) -> tuple[Image, Image]:
    """The figure's depth and share on the grid; the wall behind an edge doesn't count there."""
    figure = (stage.classes != BACKGROUND).astype(np.float32)
    share = _small(figure, stage.view)
    own = _small(stage.z * figure, stage.view) / np.maximum(share, 1e-3)
    return np.asarray(np.where(share > 0.05, own, WALL_Z), np.float32), share


def _small(values: Image, view: View) -> Image:
    rows, columns = view.coarse
    return np.asarray(cv2.resize(values, (columns, rows), interpolation=cv2.INTER_AREA), np.float32)


def _large(values: Image, view: View) -> Image:
    return np.asarray(
        cv2.resize(values, (view.width, view.height), interpolation=cv2.INTER_LINEAR), np.float32
    )
