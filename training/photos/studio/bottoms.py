"""Skirts and trousers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.photos.arrays import Bytes, Points
from training.photos.canvas import GARMENT
from training.photos.openings import above, waist_hole
from training.photos.outlines import spline
from training.photos.studio.bodies import CROTCH_Y, HIP_Y, Shape
from training.photos.studio.folds import Gores, trouser_folds
from training.photos.studio.relief import Surface, add_folds, joined, loft, profile, tube, wrinkles
from training.photos.studio.stage import Stage
from training.photos.studio.trims import buttons, sewn, stitches
from training.photos.studio.weave import Cloth, Weave, lay_cloth


@dataclass(frozen=True)
class Bottom:
    """waist, hem: heights; wide: half width at the hem (of one trouser leg); sag: of the front waist."""

    cloth: Cloth
    waist: float
    hem: float
    wide: float
    gores: float = 0.05
    sag: float = 0.05
    label: int = GARMENT


def lay_waist_inside(rng: np.random.Generator, stage: Stage, bottom: Bottom, shape: Shape) -> None:
    """The inside of the back waistband; marked as interior."""
    view = stage.view
    cover = view.cover(waist_hole(_waist_width(shape) * 1.02, bottom.waist, bottom.sag))
    z = np.full(view.coarse, -0.2, np.float32)
    across, along = (np.ascontiguousarray(np.broadcast_to(line, view.coarse)) for line in (view.x, view.y))
    lay_cloth(rng, stage, cover, (z, across, along), bottom.cloth, bottom.label, shade=0.7)
    if bottom.label == GARMENT:
        stage.hollow(cover)


def _waist_width(shape: Shape) -> float:
    return shape.waist + 0.035


def lay_skirt(rng: np.random.Generator, stage: Stage, bottom: Bottom, shape: Shape) -> None:
    """A skirt whose gores grow into folds at the hem."""
    view, waist = stage.view, _waist_width(shape)
    hip = shape.hip + 0.04
    share = (HIP_Y - bottom.waist) / (bottom.hem - bottom.waist)
    at_hip = max(hip, waist + (bottom.wide - waist) * share)
    knots = [[bottom.waist - 0.2, waist], [bottom.waist, waist], [HIP_Y, at_hip],
             [(HIP_Y + bottom.hem) / 2, (at_hip + bottom.wide) / 2 + 0.01], [bottom.hem, bottom.wide],
             [bottom.hem + 1, bottom.wide * 1.1]]  # fmt: skip
    widths = profile(view, knots)
    depths = profile(
        view, [[0, 0.36], [bottom.waist, 0.38], [HIP_Y, 0.46], [bottom.hem, 0.46 + bottom.gores], [9, 0.5]]
    )
    surface = loft(view, widths * np.float32(1.05), depths)
    gores = Gores.draw(rng, bottom.gores)
    z = surface.z + gores.heights(view, widths, bottom.waist + 0.1, bottom.hem)
    z += wrinkles(rng, surface.across, surface.along, 0.2, 3.5) * np.float32(0.008)
    z += wrinkles(rng, surface.across, surface.along, 0.07, 2.0) * np.float32(0.0014)
    curve = spline(knots[1:5], 9, closed=False)
    right = curve[:, ::-1]
    hem = gores.hem(bottom.wide, bottom.hem)
    left = right[::-1] * np.array([-1, 1], np.float32)
    outline = np.concatenate([right, hem[1:-1], left]).astype(np.float32)
    _lay_bottom(
        rng,
        stage,
        bottom,
        shape,
        view.cover(outline),
        Surface(np.asarray(z, np.float32), surface.across, surface.along),
        [hem],
    )


def lay_trousers(rng: np.random.Generator, stage: Stage, bottom: Bottom, shape: Shape) -> None:
    """Two legs that part below the crotch."""
    view = stage.view
    hip = shape.hip + 0.05
    legs = [_leg_line(shape, bottom, side) for side in (-1, 1)]
    widths = profile(
        view, [[0, 0.5], [bottom.waist, _waist_width(shape)], [HIP_Y, hip], [CROTCH_Y, hip], [9, hip]]
    )
    depths = profile(
        view, [[0, 0.38], [bottom.waist, 0.38], [3.5, 0.42], [4.0, 0.36], [4.5, 0.05], [5.2, -0.6], [9, -3]]
    )
    surface = loft(view, widths * np.float32(1.05), depths)
    for line in legs:
        at = np.linspace(0, 1, len(line))
        radii = np.interp(
            at, [0, 0.18, 0.55, 1], [0.3, 0.37, (0.27 + bottom.wide) / 2 + 0.02, bottom.wide]
        ).astype(np.float32)
        surface = joined(surface, tube(view, line, radii * np.float32(1.1), 1.0), 0.22)
    z = surface.z.copy()
    add_folds(view, z, trouser_folds(rng, legs, bottom.hem, hip))
    z += wrinkles(rng, surface.across, surface.along, 0.15, 2.4) * np.float32(0.008)
    z += wrinkles(rng, surface.across, surface.along, 0.06, 1.5, 0.4) * np.float32(0.0009)
    flat = [np.ascontiguousarray(np.broadcast_to(line, view.coarse)) for line in (view.x, view.y)]
    outlines = [
        _leg_outline(rng, shape, bottom, line, side) for line, side in zip(legs, (-1, 1), strict=True)
    ]
    hems = [
        np.array(
            [
                line[-1] + [x, 0.02 * (1 - (x / bottom.wide) ** 2)]
                for x in np.linspace(-bottom.wide, bottom.wide, 9)
            ],
            np.float32,
        )
        for line in legs
    ]
    _lay_bottom(rng, stage, bottom, shape, view.cover(*outlines), Surface(z, flat[0], flat[1]), hems, True)


def _leg_line(shape: Shape, bottom: Bottom, side: int) -> Points:
    x = shape.hip * 0.5
    knots = [[x - 0.04, 3.5], [x - 0.02, 4.0], [x + 0.01, 4.6], [x + 0.03, 5.6], [x + 0.02, bottom.hem]]
    return spline(np.array(knots) * [side, 1], 6, closed=False)


def _leg_outline(rng: np.random.Generator, shape: Shape, bottom: Bottom, line: Points, side: int) -> Points:
    knee, wide = float(np.interp(5.6, line[:, 1], np.abs(line[:, 0]))), bottom.wide
    thick = (0.27 + wide) / 2 + 0.01
    end = float(np.abs(line[-1, 0]))
    outer = [[_waist_width(shape), bottom.waist], [shape.hip + 0.02, HIP_Y - 0.35],
             [shape.hip + 0.05, HIP_Y + 0.1],
             [shape.hip + 0.03, 4.4], [knee + thick, 5.6], [end + wide, bottom.hem]]  # fmt: skip
    inner = [[end - wide, bottom.hem], [knee - thick, 5.6], [0.07, 4.75], [0.0, CROTCH_Y + 0.1]]
    right, left = spline(outer, 8, closed=False), spline(inner, 8, closed=False)
    right[8:-3, 0] += np.interp(right[8:-3, 1], np.linspace(3, 7.2, 22), rng.normal(0, 0.004, 22))
    steps = np.linspace(1, -1, 9)[1:-1]
    hem = np.stack([end + steps * wide, bottom.hem + 0.03 * (1 - steps**2)], 1)
    whole = np.concatenate([right, hem, left, [[-0.03, CROTCH_Y], [-0.03, bottom.waist]]])
    return (whole * [side, 1]).astype(np.float32)


def _lay_bottom(
    rng: np.random.Generator, stage: Stage, bottom: Bottom, shape: Shape, cover: Bytes, surface: Surface,
    hems: list[Points], legs: bool = False,
) -> None:  # fmt: skip
    view, waist = stage.view, _waist_width(shape)
    front = np.minimum(cover, 255 - view.cover(above(waist * 1.02, bottom.waist, bottom.sag)))
    across = np.linspace(-1, 1, 21)
    band = np.stack([across * waist * 1.1, bottom.waist + 0.15 + bottom.sag * (1 - across**2)], 1).astype(
        np.float32
    )
    seams = [band, *(_fly(bottom) if legs else [])]
    relief = np.zeros(cover.shape, np.float32)
    sewn(view, relief, seams, 0.010)
    sewn(view, relief, [hem - np.array([0, 0.1], np.float32) for hem in hems], 0.004)
    lay_cloth(
        rng, stage, front, (surface.z, surface.across, surface.along), bottom.cloth, bottom.label, relief
    )
    stage.tint(view.ink(seams, 0.006), 0.75, bottom.label)
    lines = [line + np.array([0, 0.02], np.float32) for line in seams]
    thread = 1.3 if bottom.cloth.weave is Weave.DENIM else 0.8
    stitches(stage, lines + [hem - np.array([0, 0.1], np.float32) for hem in hems], bottom.label, thread)
    if legs:
        _pockets(stage, bottom, shape, surface)


def _fly(bottom: Bottom) -> list[Points]:
    top = bottom.waist + bottom.sag
    middle = np.array([[0, top], [0.0, CROTCH_Y + 0.12]], np.float32)
    return [
        middle,
        spline([[0.1, top + 0.15], [0.1, top + 0.6], [0.06, top + 0.78], [0, top + 0.86]], 6, closed=False),
    ]


def _pockets(stage: Stage, bottom: Bottom, shape: Shape, surface: Surface) -> None:
    view, waist, top = stage.view, _waist_width(shape), bottom.waist
    lines = []
    for side in (-1, 1):
        line = spline(
            [[waist * 0.62, top + 0.17], [waist * 0.7, top + 0.36], [shape.hip + 0.0, top + 0.55]],
            8,
            closed=False,
        )
        lines.append((line * [side, 1]).astype(np.float32))
    stage.tint(view.ink(lines, 0.009), 0.5, bottom.label)
    stitches(stage, [line + np.array([0, 0.03], np.float32) for line in lines], bottom.label)
    place = np.array([[0.02, top + bottom.sag + 0.08]], np.float32)
    buttons(stage, surface.z, place, 0.04, bottom.cloth.colour * np.float32(0.5), bottom.label)
    for x in (-waist * 0.6, waist * 0.6):
        loop = np.array(
            [[x - 0.025, top + 0.0], [x + 0.025, top + 0.0], [x + 0.025, top + 0.2], [x - 0.025, top + 0.2]]
        )
        stage.tint(view.ink([np.concatenate([loop, loop[:1]]).astype(np.float32)], 0.006), 0.7, bottom.label)
