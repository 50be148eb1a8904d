"""The demonstration's photos: what a shop's studio would send."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from training.photos.arrays import Bytes, Image
from training.photos.garments import Kind
from training.photos.studio.light import exposed
from training.photos.studio.looks import LOOKS, Look, lay_look
from training.photos.studio.stage import Stage, View
from training.photos.studio.weave import linear

_WIDEST = 2.95
"""Heads that must fit between the frame's sides."""
_LEVELS = 4096


class Sample(NamedTuple):
    """A photo (uint8 HxWx3), its classes and interior (uint8 HxW), and the kind of its garment."""

    rgb: Bytes
    classes: Bytes
    interior: Bytes
    kind: Kind


def draw_sample(rng: np.random.Generator, seed: int, size: tuple[int, int]) -> Sample:
    """A rendered look; size: height, width."""
    look = LOOKS[seed % len(LOOKS)]
    stage = Stage(_view(rng, look, size))
    stage.colour[:] = _backdrop(rng, stage.view)
    lay_look(rng, stage, look)
    height, width = size
    picture = exposed(stage, rng.uniform(0.94, 1.06))[:height, :width]
    rgb = _developed(rng, picture, stage.classes[:height, :width])
    return Sample(
        rgb, stage.classes[:height, :width].copy(), stage.interior[:height, :width].copy(), look.kind
    )


def _view(rng: np.random.Generator, look: Look, size: tuple[int, int]) -> View:
    height, width = size
    top, low = look.span
    unit = min(height / (low - top), width / _WIDEST)
    step = max(1, round(unit / 80))
    middle = (top + low) / 2 if width / _WIDEST < height / (low - top) else top + height / unit / 2
    aside = rng.normal(0, 0.012) * width / unit
    return View(
        unit=unit,
        left=-width / 2 / unit + aside,
        top=middle - height / 2 / unit,
        width=-(-width // step) * step,
        height=-(-height // step) * step,
        step=step,
    )


def _backdrop(rng: np.random.Generator, view: View) -> Image:
    """Seamless paper: even above, a little darker where it bends into the floor."""
    tone = np.clip(np.full(3, rng.uniform(0.87, 0.93)) + rng.normal(0, 0.006, 3), 0, 1)
    rows = np.linspace(0, 1, view.height, dtype=np.float32)
    bend = 1 - 0.10 * np.exp(-(((rows - 0.9) / 0.09) ** 2)) - 0.05 * rows
    return np.asarray(linear(tone) * bend[:, None, None], np.float32)


def _developed(rng: np.random.Generator, picture: Image, classes: Bytes) -> Bytes:
    """Vignette, a lens that is not quite sharp, the tone curve and the sensor's noise."""
    height, width = picture.shape[:2]
    y, x = np.linspace(-1, 1, height)[:, None], np.linspace(-1, 1, width)[None, :]
    falloff = 1.03 - 0.09 * (x * x + y * y) + 0.04 * (-x - y) * 0.5
    picture = picture * falloff.astype(np.float32)[..., None]
    if height > 600:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.6), np.float32)
    noise = rng.standard_normal((256, 256), np.float32)
    tiled = np.tile(noise, (-(-height // 256), -(-width // 256)))[:height, :width]
    picture *= 1 + (tiled * np.float32(0.011))[..., None]
    levels = np.clip(picture * (_LEVELS / 1.6), 0, _LEVELS - 1).astype(np.uint16)
    return _CURVE[levels]


def _tone_curve() -> Bytes:
    """Linear light 0..1.6 to sRGB: a soft shoulder, and a little more contrast in the shadows."""
    light = np.linspace(0, 1.6, _LEVELS)
    held = np.where(light < 0.7, light, 0.7 + 0.3 * (1 - np.exp(-(light - 0.7) / 0.3)))
    tone = held ** (1 / 2.2)
    tone = tone - 0.035 * np.sin(2 * np.pi * tone)
    return np.clip(tone * 255 + 0.5, 0, 255).astype(np.uint8)


_CURVE = _tone_curve()
