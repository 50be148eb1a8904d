"""Shirts, sweaters and dresses: trunk and sleeves in one surface, the way they are worn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.photos.arrays import Bytes, Image, Points
from training.photos.canvas import GARMENT
from training.photos.openings import inner_back, neck_hole
from training.photos.outlines import ellipse, spline
from training.photos.studio.bodies import (
    CHEST_Y,
    HIP_Y,
    SHOULDER_Y,
    WAIST_Y,
    Shape,
    arm_depth,
    arm_line,
    torso,
)
from training.photos.studio.folds import Gores, hem_waves, sleeve_folds, trunk_folds
from training.photos.studio.relief import Surface, add_folds, joined, loft, ribbon, tube, wrinkles
from training.photos.studio.stage import Stage, View
from training.photos.studio.weave import Cloth, lay_cloth
from training.photos.textures import clouds


@dataclass(frozen=True)
class Top:
    """The cut of a garment with a neckline. Lengths in heads; `sleeve`: share of the arm, 0 is none.

    ease: how far it stands off the body; fall: 1 hangs straight from the chest, 0 follows the waist;
    flare: how much wider the hem is than the hips; neck: style, half width and depth of the opening;
    limp: an empty sleeve, as on a form or a hanger; depth: less than 1 where
    nothing fills it.
    """

    cloth: Cloth
    hem: float
    sleeve: float = 1.0
    ease: float = 0.05
    fall: float = 0.5
    flare: float = 0.0
    neck: tuple[str, float, float] = ("round", 0.3, 0.1)
    limp: bool = False
    depth: float = 1.0
    label: int = GARMENT

    @property
    def neck_y(self) -> float:
        """Height of the neck points."""
        return 1.4 + max(0.0, self.neck[1] - 0.28) * 0.42


@dataclass(frozen=True)
class Worn:
    """A top on a body: its cover, its surface and the lines of its sleeves."""

    top: Top
    shape: Shape
    cover: Bytes
    surface: Surface
    sleeves: tuple[tuple[Points, Points], ...]
    trunk: Points
    hem: Points


def lay_inner_back(rng: np.random.Generator, stage: Stage, top: Top) -> None:
    """The inside of the back, as the neckline shows it; marked as interior."""
    style, wide, deep = top.neck
    outline = inner_back(wide, deep, 0.05, top.neck_y)
    cover = stage.view.cover(outline)
    view = stage.view
    z = np.broadcast_to(-0.12 - 0.25 * (1 - (view.x / 0.4) ** 2) * 0.5, view.coarse).astype(np.float32)
    flat = np.broadcast_to(view.x, view.coarse), np.broadcast_to(view.y, view.coarse)
    coordinates = (z, np.ascontiguousarray(flat[0]), np.ascontiguousarray(flat[1]))
    lay_cloth(rng, stage, cover, coordinates, top.cloth, top.label, shade=0.72)
    if top.label == GARMENT:
        hole = view.cover(neck_hole(style, wide, deep, top.neck_y))
        stage.hollow(np.minimum(cover, hole))


def wear(rng: np.random.Generator, stage: Stage, top: Top, shape: Shape) -> Worn:
    """The surface and cover of the front, not laid yet."""
    view, hem_wide = stage.view, _width_at_hem(top, shape)
    sleeves = tuple(_sleeve(rng, top, shape, side) for side in (-1, 1)) if top.sleeve else ()
    surface = _smooth_front(view, top, shape, sleeves)
    z = surface.z.copy()
    softness = 1.25 - 0.6 * top.cloth.body
    add_folds(view, z, trunk_folds(rng, shape, top.hem, hem_wide, top.fall, bool(top.sleeve), softness))
    for side, (line, radii) in zip((-1, 1), sleeves, strict=False):
        add_folds(view, z, sleeve_folds(rng, line, radii, side, softness, top.sleeve))
    _add_wrinkles(rng, view, z, surface, top.cloth.body)
    across = surface.across + 0.5 * (z - surface.z)
    along = surface.along + 0.22 * (z - surface.z) - (view.y - 2.2) * surface.z * 0.14
    sides, hem = trunk_edges(rng, top, shape, hem_wide)
    trunk = np.concatenate([sides, hem[1:-1], sides[::-1] * np.array([-1, 1], np.float32)]).astype(np.float32)
    draped = Surface(z, np.asarray(across, np.float32), np.asarray(along, np.float32))
    return Worn(top, shape, _cover(view, top, trunk, sleeves), draped, sleeves, trunk, hem)


def _smooth_front(view: View, top: Top, shape: Shape, sleeves: tuple[tuple[Points, Points], ...]) -> Surface:
    """Trunk and sleeves before any fold; a little wider than their outline, so that no edge is grazing."""
    body = torso(view, shape, top.ease, top.fall)
    surface = _flared(view, Surface(body.z * np.float32(top.depth), body.across, body.along), top, shape)
    for line, radii in sleeves:
        flat, back = (0.75, 0.1) if top.limp else (0.9, arm_depth(line))
        surface = joined(surface, tube(view, line, radii * np.float32(1.12), flat, back), 0.12)
    return surface


def _add_wrinkles(rng: np.random.Generator, view: View, z: Image, surface: Surface, body: float) -> None:
    """Small folds, here more and there less."""
    uneven = np.clip(0.6 + 0.7 * clouds(rng, view.coarse, 0.7 * view.pitch), 0.1, 1.2)
    large = wrinkles(rng, surface.across, surface.along, 0.26, 3.2, rng.uniform(-0.3, 0.3))
    small = wrinkles(rng, surface.across, surface.along, 0.1, 2.2, rng.uniform(-0.6, 0.6))
    z += uneven * (large * np.float32(0.009) + small * np.float32(0.0003 + 0.001 * body))


def _width_at_hem(top: Top, shape: Shape) -> float:
    chest, waist, hip = (value + top.ease for value in (shape.chest, shape.waist, shape.hip))
    waist += top.fall * (max(chest, hip) * 0.98 - waist)
    wide = float(
        np.interp(top.hem, [CHEST_Y, WAIST_Y, HIP_Y, 8], [chest, waist, max(hip, waist), max(hip, waist)])
    )
    return wide * (1 + top.flare)


def _flared(view: View, body: Surface, top: Top, shape: Shape) -> Surface:
    if not top.flare:
        return body
    start = WAIST_Y + 0.1
    share = np.clip((view.y - start) / max(0.3, top.hem - start), 0, 1.2)
    hip = max(shape.hip, shape.waist) + top.ease
    ramp = np.clip((view.y - WAIST_Y) / (HIP_Y - WAIST_Y), 0, 1)
    ramp = ramp * ramp * (3 - 2 * ramp)
    waist = (
        shape.waist + top.ease + top.fall * (max(shape.chest, shape.hip) + top.ease - shape.waist - top.ease)
    )
    straight = waist + (hip * (1 + top.flare) - waist) * share
    widths = np.maximum(straight, (waist + (hip - waist) * ramp))
    below = loft(view, np.asarray(widths, np.float32), np.asarray(0.4 + 0.12 * share, np.float32))
    gores = Gores.draw(np.random.default_rng(int(top.flare * 1e6)), 0.3 * min(1.0, top.flare))
    low = view.y > start
    mixed = np.clip((view.y - start) / 0.25, 0, 1)
    swing = gores.heights(view, np.asarray(widths, np.float32), WAIST_Y + 0.15, top.hem)
    z = body.z * (1 - mixed) + below.z * mixed + swing
    return Surface(
        np.asarray(z, np.float32), np.where(low, below.across, body.across).astype(np.float32), body.along
    )


def _sleeve(rng: np.random.Generator, top: Top, shape: Shape, side: int) -> tuple[Points, Points]:
    line = arm_line(shape, side)
    if top.limp:
        s = shape.shoulder
        out = float(rng.uniform(0.0, 0.1))
        knots = [[s - 0.18, 1.83], [s - 0.04, 2.2], [s + 0.04 + out * 0.5, 2.8], [s + 0.06 + out, 3.4],
                 [s + 0.06 + out, 3.95]]  # fmt: skip
        line = spline(np.array(knots) * [side, 1], 6, closed=False)
    count = max(4, round((len(line) - 1) * top.sleeve) + 1)
    line = line[:count]
    at = np.linspace(0, top.sleeve, count)
    radii = np.interp(at, [0, 0.18, 0.55, 0.85, 1.0], np.array([0.215, 0.205, 0.165, 0.135, 0.115]))
    radii = (radii + top.ease * 0.45) * (1.06 if top.limp else 1.0)
    return line.astype(np.float32), radii.astype(np.float32)


def trunk_edges(rng: np.random.Generator, top: Top, shape: Shape, hem_wide: float) -> tuple[Points, Points]:
    """The right side from the neck point to the hem, and the hem from right to left."""
    wide = top.neck[1]
    chest, waist, hip = shape.chest + top.ease, shape.waist + top.ease, shape.hip + top.ease
    waist += top.fall * (max(chest, hip) * 0.98 - waist)
    slope = shape.shoulder - 0.02
    half = [[wide, top.neck_y], [wide + (slope - wide) * 0.5, top.neck_y + (SHOULDER_Y - top.neck_y) * 0.42]]
    if top.sleeve:
        half += [[slope, SHOULDER_Y - 0.01], [shape.shoulder + 0.03, 1.8], [chest + 0.05, 2.12]]
    else:
        half += [[slope - 0.1, SHOULDER_Y - 0.045], [slope - 0.13, 1.75], [chest - 0.05, 2.08]]
    half += [[chest, CHEST_Y + 0.06], [waist, WAIST_Y]]
    if top.hem > HIP_Y + 0.2:
        share = (HIP_Y - WAIST_Y) / (top.hem - WAIST_Y)
        straight = waist + (hem_wide - waist) * share
        half.append([max(hip, waist, straight), HIP_Y])
    half.append([hem_wide, top.hem])
    sides = spline(half, 9, closed=False)
    sides[9:, 0] += np.interp(sides[9:, 1], np.linspace(1.6, 8, 24), rng.normal(0, 0.006, 24))
    if top.flare:
        gores = Gores.draw(np.random.default_rng(int(top.flare * 1e6)), 0.3 * min(1.0, top.flare))
        return sides, gores.hem(hem_wide, top.hem)
    return sides, hem_waves(rng, hem_wide, top.hem, 0.05, 0.012)


def _cover(view: View, top: Top, trunk: Points, sleeves: tuple[tuple[Points, Points], ...]) -> Bytes:
    outlines = [trunk]
    for line, radii in sleeves:
        outlines += [ellipse(line[0], radii[0], radii[0]), ribbon(line, radii)]
        outlines.append(_sleeve_end(line, float(radii[-1])))
    style, wide, deep = top.neck
    hole = view.cover(neck_hole(style, wide, deep, top.neck_y))
    return np.minimum(view.cover(*outlines), 255 - hole)


def _sleeve_end(line: Points, radius: float) -> Points:
    """A hem seen a little from above: it bulges downwards."""
    along = line[-1] - line[-2]
    along = along / (np.hypot(*along) + 1e-6)
    ring = ellipse((0, 0), 0.03, radius, 20)
    turn = np.array([[along[0], along[1]], [-along[1], along[0]]], np.float32)
    return (line[-1] + ring @ turn).astype(np.float32)


def lay_top(rng: np.random.Generator, stage: Stage, worn: Worn, relief: Image | None = None) -> None:
    """The front itself; `relief`: its seams."""
    surface = worn.surface
    parts = (surface.z, surface.across, surface.along)
    lay_cloth(rng, stage, worn.cover, parts, worn.top.cloth, worn.top.label, relief)


def armholes(worn: Worn) -> list[Points]:
    """The seams where the sleeves are set in."""
    s, chest = worn.shape.shoulder, worn.shape.chest + worn.top.ease
    knots = [[s - 0.03, SHOULDER_Y - 0.02], [s - 0.085, 1.8], [s - 0.11, 2.0], [chest - 0.02, 2.27]]
    right = spline(knots, 8, closed=False)
    return [right, right * np.array([-1, 1], np.float32)]
