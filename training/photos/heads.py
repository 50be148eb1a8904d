"""Necks, heads and hair: all body."""

from __future__ import annotations

import numpy as np

from training.photos.arrays import Points
from training.photos.bodies import Model
from training.photos.colours import any_colour
from training.photos.outlines import edged, ellipse, mirrored, spline, tube
from training.photos.poses import SHOULDER_Y, Wearer
from training.photos.shading import Surface

_STRANDS = Surface(1.0, angle=0.0)


def paint_neck_and_head(model: Model) -> None:
    """Over the torso and under the garment; a headless form ends in a cap."""
    if not model.stands:
        return
    rng = model.rng
    top = 0.95 if model.has_head else rng.uniform(1.05, SHOULDER_Y - 0.14)
    width = rng.uniform(0.19, 0.27)
    if model.has_head and model.wearer is Wearer.PERSON and rng.random() < (0.3 if model.calm else 0.9):
        _paint_hair_behind(model)
    neck = [[width * 0.92, top], [width * 0.94, SHOULDER_Y - 0.3], [width * 1.25, SHOULDER_Y - 0.14]]
    shade = rng.uniform(0.8, 1.0) if model.wearer is Wearer.PERSON else rng.uniform(0.95, 1.0)
    model.shell(model.cover(edged(neck, 0.06)), float(shade), Surface(0.25))
    if model.has_head:
        _paint_head(model)
    else:
        _paint_cap(model, top, width)


def _paint_cap(model: Model, top: float, width: float) -> None:
    """A wooden or metal cap with a knob, or the cut through the neck."""
    rng = model.rng
    cut = ellipse((0, top), width * 0.92, rng.uniform(0.03, 0.08))
    kind = rng.random()
    if model.wearer is Wearer.FORM and kind < 0.6:
        colour = np.array([0.55, 0.36, 0.2], np.float32) * np.float32(rng.uniform(0.4, 1.4))
        if rng.random() < 0.4 and not model.calm:
            colour = any_colour(rng, (0, 0.2), (0.05, 0.9))
        model.paint(model.cover(cut, ellipse((0, top - 0.05), width * 0.95, 0.07)), colour)
        model.paint(model.cover(ellipse((0, top - 0.2), 0.07, 0.13, 16)), colour)
    else:
        shade = np.float32(rng.choice([0.75, 1.0, 1.15]))
        model.paint(model.cover(cut), np.clip(model.skin * shade, 0, 1))


def _paint_head(model: Model) -> None:
    rng = model.rng
    aside = np.float32(0.22 * np.sin(model.framing.yaw))
    wide = rng.uniform(0.33, 0.4)
    face = mirrored([[0.0, 0.1], [wide * 0.8, 0.22], [wide, 0.55], [wide * 0.82, 0.9], [wide * 0.3, 1.12]])
    model.shell(model.cover(spline(face, 4)))
    if model.wearer is not Wearer.PERSON:
        return
    for side in (-1, 1):
        dark = np.full(3, 0.15, np.float32)
        model.paint(model.cover(ellipse((side * 0.15 + aside, 0.6), 0.05, 0.025, 12)), dark)
    lips = model.skin * np.array([0.85, 0.6, 0.6], np.float32)
    model.paint(model.cover(ellipse((aside, 0.88), 0.1, 0.025, 12)), lips)
    fringe = rng.uniform(0.2, 0.42)
    crown = mirrored([[0.0, 0.02], [wide * 0.8, 0.12], [wide + 0.06, 0.5], [wide * 0.75, fringe]])
    model.paint(model.cover(spline(crown)), model.hair, _STRANDS)


def _paint_hair_behind(model: Model) -> None:
    rng = model.rng
    long = rng.uniform(0.9, 2.5) if not model.build.masculine else rng.uniform(0.6, 0.9)
    side = rng.normal(0, 0.04, 2)
    outline = [[0, 0.0], [0.38, 0.14], [0.5 + side[0], 0.6], [0.45 + side[1], (0.6 + long) / 2],
               [rng.uniform(0.3, 0.6), long]]  # fmt: skip
    model.paint(model.cover(spline(mirrored(outline), 4)), model.hair, _STRANDS)


def paint_strands(model: Model) -> None:
    """Long hair that falls over the garment, wavy or straight."""
    rng = model.rng
    if model.wearer is not Wearer.PERSON or model.build.masculine or rng.random() > 0.45:
        return
    for side in (-1, 1):
        if rng.random() < 0.75:
            tint = model.hair * np.float32(rng.uniform(0.75, 1.3))
            locks = [part for _ in range(int(rng.integers(1, 4))) for part in _lock(model, side)]
            model.paint(model.cover(*locks), np.clip(tint, 0, 1), _STRANDS)


def _lock(model: Model, side: int) -> list[Points]:
    """A lock beside the face, from the crown down to the chest."""
    rng = model.rng
    end, wave = rng.uniform(1.5, 2.7), rng.uniform(0, 0.07)
    steps = np.linspace(0, 1, 6)
    x = 0.34 + 0.12 * np.sin(steps * np.pi) + rng.normal(0, wave, 6) + rng.uniform(-0.12, 0.2) * steps
    line = np.stack([side * x, 0.4 + (end - 0.4) * steps], 1)
    thick = np.array([0.1, 0.13, 0.15, 0.14, 0.1, 0.02]) * rng.uniform(0.5, 1.3)
    return tube(line, thick)
