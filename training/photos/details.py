"""Plackets, pockets, prints and seams (all garment), and belts and bags, which are not."""

from __future__ import annotations

import numpy as np

from training.photos.bodies import Model
from training.photos.canvas import OTHER
from training.photos.colours import any_colour, cloth_colour
from training.photos.garments import Front, Kind
from training.photos.outlines import ellipse, rectangle, spline, tube
from training.photos.poses import CHEST_Y, HIP_Y, KNEE_Y, SHOULDER_Y, WAIST_Y, Wearer
from training.photos.shading import Surface
from training.photos.tailoring import Tailor


def paint_details(tailor: Tailor) -> None:
    """Whatever is sewn or printed on the garment."""
    garment, rng = tailor.garment, tailor.model.rng
    if garment.is_upper:
        if garment.front in (Front.BUTTONS, Front.ZIP):
            _paint_placket(tailor)
        if rng.random() < (0.0 if tailor.model.calm else 0.3) and garment.front is not Front.OPEN:
            _paint_print(tailor)
        if rng.random() < 0.2:
            _paint_pocket(tailor)
        if garment.sleeve and rng.random() < 0.7:
            _paint_armholes(tailor)
    else:
        _paint_waistband(tailor)
    if rng.random() < 0.6 and garment.kind is not Kind.TROUSERS:
        _paint_hem_stitching(tailor)


def _paint_placket(tailor: Tailor) -> None:
    garment, model, rng = tailor.garment, tailor.model, tailor.model.rng
    top = SHOULDER_Y + 0.05 + garment.neck.deep * (1.6 if garment.neck.style == "vee" else 1.0)
    low = garment.hem if rng.random() < 0.8 else min(garment.hem, top + 0.7)
    for x in (-0.05, 0.05):
        tailor.line(np.array([[x, top], [x, low]], np.float32), 0.8, 0.006)
    if garment.front is Front.ZIP:
        tailor.line(np.array([[0, top], [0, low]], np.float32), float(rng.uniform(0.3, 0.7)), 0.025)
        return
    colour, radius = cloth_colour(rng) * np.float32(0.8), rng.uniform(0.02, 0.04)
    for y in np.arange(top + 0.1, low - 0.05, rng.uniform(0.28, 0.42)):
        button = model.canvas.on(model.front(ellipse((0, y), radius, radius, 10)), garment.label)
        model.canvas.paint(button, colour, garment.label)


def _paint_print(tailor: Tailor) -> None:
    model, label, rng = tailor.model, tailor.garment.label, tailor.model.rng
    y = rng.uniform(CHEST_Y - 0.2, min(tailor.garment.hem, KNEE_Y) - 0.6)
    wide, high = rng.uniform(0.1, 0.42), rng.uniform(0.06, 0.35)
    spot = (
        ellipse((0, y), wide, high)
        if rng.random() < 0.5
        else rectangle(-wide, y - high, wide, y + high * 0.6)
    )
    model.canvas.paint(model.canvas.on(model.front(spot), label), any_colour(rng, (0, 1), (0, 1)), label)


def _paint_pocket(tailor: Tailor) -> None:
    rng = tailor.model.rng
    side, wide, y = rng.choice([-1, 1]), rng.uniform(0.14, 0.2), CHEST_Y + rng.uniform(-0.25, 0.1)
    corners = rectangle(side * 0.38 - wide, y, side * 0.38 + wide, y + wide * 2.2)
    tailor.line(np.concatenate([corners, corners[:1]]), 0.75, 0.008)


def _paint_armholes(tailor: Tailor) -> None:
    """Where the sleeves are set in."""
    build, shade = tailor.model.build, float(tailor.model.rng.uniform(0.6, 0.85))
    high = SHOULDER_Y
    for side in (-1, 1):
        seam = np.array([[build.shoulder * 0.86, high - 0.02], [build.shoulder * 0.82, high + 0.3],
                         [build.chest * 0.98 * tailor.garment.ease, CHEST_Y - 0.05]], np.float32)  # fmt: skip
        line = tailor.model.framing.project(spline(seam * np.array([side, 1]), closed=False))
        colour, width = tailor.garment.fabric.colour * np.float32(shade), tailor.model.framing.unit * 0.008
        tailor.model.canvas.stroke(line, colour, max(1.0, width), tailor.garment.label, tailor.garment.label)


def _paint_waistband(tailor: Tailor) -> None:
    cut, rng = tailor.cut, tailor.model.rng
    wide, y, sag = cut.top_half_width, cut.top_y, cut.sag
    steps = np.linspace(-1.05, 1.05, 11)
    low = np.stack([steps * wide, y + 0.16 + sag * (1 - steps**2)], 1)
    if rng.random() < 0.3:
        high = low[::-1] - np.array([0, 0.16 + sag])
        tailor.band(tailor.model.cover(np.concatenate([low, high]).astype(np.float32)))
    tailor.line(low.astype(np.float32), 0.7, 0.01)
    if tailor.garment.kind is Kind.TROUSERS:
        for side in (-1, 1):
            pocket = [
                [side * wide * 0.6, y + 0.2],
                [side * wide * 0.85, y + 0.45],
                [side * wide * 1.05, y + 0.5],
            ]
            tailor.line(spline(pocket, closed=False), 0.7, 0.008)
        tailor.line(np.array([[0, y + 0.1], [0.0, HIP_Y + 0.3]], np.float32), 0.65, 0.01)


def _paint_hem_stitching(tailor: Tailor) -> None:
    cut, hem = tailor.cut, tailor.garment.hem
    steps = np.linspace(-1, 1, 11)
    up = tailor.model.rng.uniform(0.05, 0.12)
    line = np.stack([steps * cut.hem_half_width, hem - up + cut.hem_sag * (1 - steps**2)], 1)
    tailor.line(line.astype(np.float32), 0.8, 0.006)


def paint_belt(model: Model) -> None:
    """A belt over a dress, a coat or trousers."""
    rng = model.rng
    y, wide, high = WAIST_Y + rng.uniform(-0.1, 0.3), model.build.waist * 1.4, rng.uniform(0.04, 0.1)
    belt = model.canvas.dressed(model.cover(rectangle(-wide, y - high, wide, y + high)))
    model.paint(belt, cloth_colour(rng), Surface(0.6, gloss=0.1), OTHER)


def paint_bag(model: Model) -> None:
    """A strap across the garment or from a shoulder, and the bag that hangs from it."""
    rng = model.rng
    if model.wearer is not Wearer.PERSON or rng.random() > 0.09:
        return
    side, across = rng.choice([-1, 1]), rng.random() < 0.5
    start = [-side * 0.5 if across else side * 0.6, SHOULDER_Y - 0.02]
    end = [side * model.build.hip * 1.05, HIP_Y - rng.uniform(0.0, 0.5)]
    colour, width = any_colour(rng, (0, 0.8), (0.05, 0.7)), rng.uniform(0.02, 0.06)
    strap = tube([start, end], [width, width])
    wide, high = rng.uniform(0.2, 0.5), rng.uniform(0.2, 0.5)
    bag = spline(rectangle(end[0] - wide, end[1], end[0] + wide, end[1] + high * 2), 4)
    model.paint(model.cover(*strap), colour, label=OTHER)
    model.paint(model.cover(bag), colour, Surface(0.8, gloss=0.1), OTHER)
