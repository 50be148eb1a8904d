"""What is sewn on: ribs, seams with their stitches, plackets, buttons, collars, pockets and waistbands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from training.photos.arrays import Bytes, Image, Points
from training.photos.openings import neck_hole
from training.photos.outlines import ellipse, spline
from training.photos.outlines import tube as tube_outline
from training.photos.studio.relief import Surface
from training.photos.studio.stage import Layer, Make, Stage, View
from training.photos.studio.tops import Top, Worn
from training.photos.studio.weave import Cloth, Weave, lay_cloth, linear

_STITCH, _GAP = 0.028, 0.016


def sewn(view: View, relief: Image, lines: Sequence[Points], depth: float = 0.006) -> None:
    """Press seams into `relief` (heads, of the picture's size)."""
    ink = view.ink(lines, 0.014)
    ink = np.asarray(cv2.GaussianBlur(ink, (0, 0), max(0.5, 0.006 * view.unit)), np.uint8)
    relief -= ink.astype(np.float32) * np.float32(depth / 255)


def stitches(stage: Stage, lines: Sequence[Points], label: int, shade: float = 0.8) -> None:
    """Topstitching along lines (heads)."""
    dashes = [dash for line in lines for dash in _dashes(line)]
    if dashes and stage.view.unit > 90:
        stage.tint(stage.view.ink(dashes, 0.004), shade, label)


def _dashes(line: Points) -> list[Points]:
    along = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    starts = np.arange(0, along[-1], _STITCH + _GAP)
    places = np.stack([starts, np.minimum(starts + _STITCH, along[-1])], 1)
    x, y = (np.interp(places, along, line[:, axis]) for axis in (0, 1))
    return list(np.stack([x, y], -1).astype(np.float32))


def rib_neck(rng: np.random.Generator, stage: Stage, worn: Worn, wide: float, cloth: Cloth) -> None:
    """A knitted band around the neckline."""
    view, (style, half, deep) = stage.view, worn.top.neck
    outer = view.cover(neck_hole(style, half + wide * 0.75, deep + wide, worn.top.neck_y))
    hole = view.cover(neck_hole(style, half, deep, worn.top.neck_y))
    band = np.minimum(np.minimum(outer, 255 - hole), worn.cover)
    turn = np.arctan2(view.y - worn.top.neck_y + 0.2, view.x) * np.float32(half + 0.15)
    away = np.hypot(view.x, view.y - worn.top.neck_y)
    rise = worn.surface.z + np.float32(0.012)
    _lay_rib(rng, stage, band, (rise, turn, away), cloth, worn.top.label)


def rib_ends(rng: np.random.Generator, stage: Stage, worn: Worn, high: float, cloth: Cloth) -> None:
    """Ribs at the hem and at the cuffs."""
    view, surface = stage.view, worn.surface
    up, down = np.array([0, -high], np.float32), np.array([0, 0.3], np.float32)
    strip = np.concatenate([worn.hem + up, worn.hem[::-1] + down]).astype(np.float32)
    bands = [view.cover(strip)]
    for line, radii in worn.sleeves if worn.top.sleeve > 0.8 else ():
        cuff = view.cover(*_cuff(line, radii, high))
        bands.append(np.minimum(cuff, 255 - view.cover(worn.trunk)))
    for band in bands:
        cover = np.minimum(band, worn.cover)
        _lay_rib(rng, stage, cover, (surface.z, surface.across, surface.along), cloth, worn.top.label)
        edge = cv2.morphologyEx(cover, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
        stage.tint(np.minimum(edge, worn.cover), 0.72, worn.top.label)


def _cuff(line: Points, radii: Points, high: float) -> list[Points]:
    back = line[-2] - line[-1]
    start = line[-1] + back / (np.hypot(*back) + 1e-6) * high
    end = line[-1] - back / (np.hypot(*back) + 1e-6) * 0.1
    return tube_outline([start, end], [float(radii[-1]) * 1.3] * 2)


def _lay_rib(
    rng: np.random.Generator, stage: Stage, cover: Bytes, parts: tuple[Image, ...], cloth: Cloth, label: int
) -> None:
    z, across, along = (
        np.ascontiguousarray(np.broadcast_to(part, stage.view.coarse), np.float32) for part in parts
    )
    lay_cloth(rng, stage, cover, (z, across, along), replace(cloth, weave=Weave.RIB), label)


def buttons(stage: Stage, z: Image, places: Points, radius: float, colour: object, label: int) -> None:
    """Flat discs with a rim, four holes and a small shadow; `places` Nx2 (heads)."""
    view = stage.view
    for x, y in places:
        stage.tint(
            view.cover(ellipse((x + radius * 0.3, y + radius * 0.4), radius * 1.15, radius * 1.15)),
            0.6,
            label,
        )
        away = np.hypot(view.x - x, view.y - y)
        dome = (
            z + 0.02 - 0.5 * np.clip(away - radius * 0.7, 0, 1) + 0.1 * np.clip(away - radius * 0.45, -1, 0)
        )
        disc = view.cover(ellipse((x, y), radius, radius, 28))
        stage.lay(Layer(disc, np.asarray(dome, np.float32), linear(colour), Make(0.5, 0.0), label))
        if view.unit > 150:
            gap = radius * 0.22
            holes = [
                ellipse((x + i * gap, y + j * gap), radius * 0.1, radius * 0.1, 8)
                for i in (-1, 1)
                for j in (-1, 1)
            ]
            stage.tint(view.cover(*holes), 0.25, label)


def flap(
    rng: np.random.Generator,
    stage: Stage,
    outline: Points,
    base: Surface,
    lift: float,
    cloth: Cloth,
    label: int,
) -> None:
    """A loose piece that lies on the front: a collar's leaf, a lapel, a pocket; stitched near its edge."""
    view = stage.view
    cover = view.cover(outline)
    sharp = cv2.resize(cover, (view.coarse[1], view.coarse[0]), interpolation=cv2.INTER_AREA)
    inside = np.asarray(cv2.GaussianBlur(sharp, (0, 0), max(0.6, 0.02 * view.pitch)), np.float32) / 255
    z = base.z + np.float32(lift) * np.clip(inside * 1.6, 0, 1)
    lay_cloth(rng, stage, cover, (np.asarray(z, np.float32), base.across, base.along), cloth, label)
    closed = np.concatenate([outline, outline[:1]])
    middle = outline.mean(0)
    inset = middle + (closed - middle) * np.float32(1 - 0.03 / max(0.1, float(np.ptp(outline[:, 0]))))
    stitches(stage, [inset.astype(np.float32)], label, 0.84)
    rim = cv2.morphologyEx(cover, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    stage.tint(np.minimum(rim, cover), 0.86, label)


def shirt_collar(rng: np.random.Generator, stage: Stage, worn: Worn) -> None:
    """Two leaves that meet at the top button, around a standing band."""
    base = worn.surface
    smooth = Surface(np.asarray(cv2.GaussianBlur(base.z, (0, 0), stage.view.pitch * 0.06), np.float32),
                     base.across, base.along)  # fmt: skip
    y, half = worn.top.neck_y, worn.top.neck[1]
    low = 1.7 + worn.top.neck[2] * 1.6
    for side in (-1, 1):
        knots = [[half - 0.07, y - 0.12], [half + 0.0, y - 0.08], [half + 0.1, y + 0.06],
                 [half + 0.06, y + 0.24], [half - 0.03, low + 0.2], [half - 0.12, low + 0.13],
                 [0.012, low - 0.02], [half * 0.45, low - 0.1], [half - 0.06, y + 0.02]]  # fmt: skip
        outline = spline(np.array(knots[:4]), 5, closed=False)
        outline = np.concatenate([outline, knots[4:]]) * np.array([side, 1])
        flap(rng, stage, outline.astype(np.float32), smooth, 0.05, worn.top.cloth, worn.top.label)


def placket(stage: Stage, worn: Worn, relief: Image, top: float, half: float = 0.07) -> list[Points]:
    """The buttoned strip in the middle: its raised edges go into `relief`; gives its stitched lines."""
    view = stage.view
    rows = np.linspace(top, worn.top.hem + 0.04, 40)
    lines = [np.stack([np.full(40, x), rows], 1).astype(np.float32) for x in (-half, half)]
    band = np.array(
        [[-half, top], [half, top], [half, worn.top.hem + 0.3], [-half, worn.top.hem + 0.3]], np.float32
    )
    relief += view.cover(band).astype(np.float32) * np.float32(0.010 / 255)
    return [line + np.array([-np.sign(line[0, 0]) * 0.012, 0], np.float32) for line in lines]


def collar_behind(rng: np.random.Generator, stage: Stage, top: Top) -> None:
    """The inside of a shirt collar's back, higher than the neck points; marked as interior."""
    view, half, y = stage.view, top.neck[1], top.neck_y
    steps = np.linspace(-1, 1, 15)
    upper = np.stack([steps * (half - 0.05), y - 0.1 - 0.03 * (1 - steps**2)], 1)
    lower = np.stack([steps[::-1] * half, y + 0.12 + 0.0 * steps], 1)
    cover = view.cover(np.concatenate([upper, lower]).astype(np.float32))
    across, along = (np.ascontiguousarray(np.broadcast_to(line, view.coarse)) for line in (view.x, view.y))
    z = np.full(view.coarse, -0.15, np.float32)
    lay_cloth(rng, stage, cover, (z, across, along), top.cloth, top.label, shade=0.8)
    stage.hollow(cover)
