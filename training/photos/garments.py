"""Garments on their wearer: cut, necklines, sleeves, legs, and the small things on them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from training.photos.arrays import Colour, Points
from training.photos.bodies import Model
from training.photos.canvas import BODY, GARMENT, Cover
from training.photos.colours import any_colour, cloth_colour
from training.photos.fabrics import Fabric, draw_fabric
from training.photos.outlines import ellipse, mirrored, spline, tube
from training.photos.poses import (
    ANKLE_Y,
    CHEST_Y,
    CROTCH_Y,
    HIP_Y,
    KNEE_Y,
    SHOULDER_Y,
    WAIST_Y,
    Arm,
    Wearer,
)
from training.photos.shading import lit


class Kind(StrEnum):
    """What the photo is about."""

    TOP = "top"
    DRESS = "dress"
    TROUSERS = "trousers"
    SKIRT = "skirt"


@dataclass(frozen=True)
class Garment:
    """One garment. Lengths in heads; `sleeve` is the share of the arm that is covered (0: none)."""

    kind: Kind
    fabric: Fabric
    sleeve: float
    hem: float
    ease: float
    flare: float
    neck: tuple[float, float]
    vee: bool
    trim: Colour
    label: int = GARMENT


def draw_garment(rng: np.random.Generator, kind: Kind, colour: Colour, label: int = GARMENT) -> Garment:
    """A garment of this kind and colour."""
    hems = {
        Kind.TOP: (3.3, 4.4),
        Kind.DRESS: (4.8, 7.0),
        Kind.TROUSERS: (4.9, 7.2) if rng.random() < 0.3 else (6.6, 7.2),
        Kind.SKIRT: (4.7, 6.9),
    }
    sleeve = float(
        rng.choice([0.0, rng.uniform(0.2, 0.4), rng.uniform(0.5, 0.8), 1.0], p=[0.18, 0.3, 0.1, 0.42])
    )
    deep = float(rng.uniform(0.02, 0.75)) if rng.random() < 0.7 else 0.02
    return Garment(
        kind=kind,
        fabric=draw_fabric(rng, colour),
        sleeve=sleeve,
        hem=float(rng.uniform(*hems[kind])),
        ease=float(rng.uniform(1.02, 1.3)),
        flare=float(rng.uniform(0.9, 2.2)) if kind in (Kind.DRESS, Kind.SKIRT) else 1.0,
        neck=(float(rng.uniform(0.2, 0.62)), deep),
        vee=bool(rng.random() < 0.35),
        trim=cloth_colour(rng) if rng.random() < 0.4 else colour * np.float32(rng.uniform(0.7, 1.0)),
        label=label,
    )


class Tailor:
    """Paints a garment on a model."""

    def __init__(self, model: Model, garment: Garment) -> None:
        self._model = model
        self._garment = garment
        self._rng = model.rng
        self._strength = float(self._rng.uniform(0.3, 1.0))

    def paint_inside(self) -> None:
        """The back of the neckline, seen from the front, where nobody is inside."""
        if self._garment.kind in (Kind.TOP, Kind.DRESS) and self._model.wearer in (
            Wearer.HANGER,
            Wearer.FLAT,
        ):
            wide = self._garment.neck[0] * self._model.build.shoulder
            inside = ellipse((0, SHOULDER_Y - 0.12), wide, 0.14 + self._garment.neck[1] * 0.5)
            self._paint(self._model.cover(inside), float(self._rng.uniform(0.45, 0.8)))

    def paint_trunk(self) -> None:
        """Everything but the sleeves."""
        if self._garment.kind in (Kind.TROUSERS, Kind.SKIRT):
            self._paint_lower()
            return
        cover = self._model.cover(*self._outline())
        if self._model.wearer not in (Wearer.HANGER, Wearer.FLAT) or self._garment.neck[1] > 0.1:
            cover = self._model.canvas.without(cover, self._model.cover(self._neckline()))
        self._paint(cover)
        self._paint_details(cover)

    def paint_sleeve(self, arm: Arm) -> None:
        garment, limb = self._garment, self._model.build.limb
        if garment.kind not in (Kind.TOP, Kind.DRESS) or not garment.sleeve:
            return
        line = _cut_line(arm.joints[:3], garment.sleeve)
        wide = [0.27 * limb * garment.ease, 0.2 * limb * garment.ease, 0.14 * limb * garment.ease]
        radii = np.interp(np.linspace(0, garment.sleeve * 2, len(line)), [0, 1, 2], wide)
        shoulder = ellipse(line[0], radii[0], radii[0])
        cover = self._model.cover(shoulder, *tube(line, radii))
        self._paint(cover, float(self._rng.uniform(0.85, 1.05)))
        if garment.sleeve > 0.9 and self._rng.random() < 0.5:
            self._edge(self._model.cover(*tube(line[-2:], [radii[-1]] * 2)), 0.3)

    def _outline(self) -> list[Points]:
        garment, build = self._garment, self._model.build
        wide = garment.ease
        inner = garment.neck[0] * build.shoulder if garment.sleeve or self._rng.random() < 0.6 else 0.3
        strap = build.shoulder * (0.93 if garment.sleeve else self._rng.uniform(0.55, 0.9))
        half = [[min(inner, strap - 0.08), SHOULDER_Y - 0.24], [strap, SHOULDER_Y - 0.02]]
        half += [[build.chest * wide, CHEST_Y], [build.waist * (wide + 0.05), WAIST_Y]]
        if garment.kind is Kind.DRESS:
            half += [[build.hip * wide, HIP_Y], [build.hip * wide * garment.flare, garment.hem]]
        else:
            half += [[build.hip * wide * self._rng.uniform(0.9, 1.1), garment.hem]]
        return [self._bent(mirrored(half))]

    def _bent(self, outline: Points) -> Points:
        """Hems and sides are never quite straight."""
        steps = spline(outline, 6)
        return steps + self._rng.normal(0, 0.012, steps.shape).astype(np.float32)

    def _neckline(self) -> Points:
        wide, deep = self._garment.neck[0] * self._model.build.shoulder, self._garment.neck[1]
        top = SHOULDER_Y - 0.4
        if self._garment.vee:
            low = SHOULDER_Y + 0.1 + deep * 1.6
            return np.array([[-wide, top], [wide, top], [wide * 0.95, SHOULDER_Y - 0.18], [0, low],
                             [-wide * 0.95, SHOULDER_Y - 0.18]], np.float32)  # fmt: skip
        return ellipse((0, SHOULDER_Y - 0.2), wide, 0.16 + deep)

    def _paint_lower(self) -> None:
        garment, build = self._garment, self._model.build
        waist = WAIST_Y + self._rng.uniform(0, 0.5)
        if garment.kind is Kind.SKIRT or self._model.wearer is Wearer.FORM:
            half = [[build.waist * 1.04, waist], [build.hip * garment.ease, HIP_Y]]
            half += [[build.hip * garment.ease * garment.flare, garment.hem]]
            outlines = [self._bent(mirrored(half))]
        else:
            outlines = self._trouser_outlines(waist)
        cover = self._model.cover(*outlines)
        self._paint(cover)
        self._edge(self._model.cover(ellipse((0, waist + 0.08), build.waist * 1.1, 0.1)), 0.5)

    def _trouser_outlines(self, waist: float) -> list[Points]:
        garment, build = self._garment, self._model.build
        half = [
            [build.waist * 1.05, waist],
            [build.hip * garment.ease, HIP_Y],
            [build.hip * 0.95, CROTCH_Y + 0.15],
        ]
        outlines = [spline(mirrored(half))]
        share = (garment.hem - CROTCH_Y) / (ANKLE_Y - CROTCH_Y)
        wide = [0.4, 0.3 * garment.ease, 0.24 * garment.ease * self._rng.uniform(0.7, 1.6)]
        for leg in self._model.pose.legs:
            line = _cut_line(leg, min(1.0, share + 0.02))
            outlines += tube(line, np.interp(np.linspace(0, 2 * share, len(line)), [0, 1, 2], wide))
        return outlines

    def _paint(self, cover: Cover, shade: float = 1.0) -> None:
        if not cover.values.size:
            return
        unit = self._model.framing.unit
        cloth = self._garment.fabric.render(cover.box, unit) * np.float32(shade)
        picture = lit(self._rng, cover, cloth, unit, self._strength)
        self._model.canvas.paint(cover, picture, self._garment.label)

    def _edge(self, cover: Cover, likely: float) -> None:
        """A band, cuff or collar in the trim's colour, on the garment alone."""
        if self._rng.random() < likely:
            kept = self._model.canvas.on(cover, self._garment.label)
            self._model.canvas.paint(kept, self._garment.trim, self._garment.label)

    def _paint_details(self, cover: Cover) -> None:
        """Placket with buttons or zip, pocket, print: all garment."""
        rng, canvas, label = self._rng, self._model.canvas, self._garment.label
        unit, project = self._model.framing.unit, self._model.framing.project
        if rng.random() < 0.35:
            line = project([[0, SHOULDER_Y + self._garment.neck[1]], [0, self._garment.hem]])
            colour = self._garment.fabric.colour * np.float32(rng.uniform(0.3, 0.9))
            canvas.stroke(line, colour, max(1.0, unit * rng.uniform(0.01, 0.04)), label, only=label)
        if rng.random() < 0.3:
            y = rng.uniform(CHEST_Y - 0.3, min(self._garment.hem, KNEE_Y) - 0.4)
            spot = ellipse((rng.normal(0, 0.2), y), rng.uniform(0.1, 0.5), rng.uniform(0.1, 0.4))
            kept = canvas.on(self._model.cover(spot), label)
            canvas.paint(kept, any_colour(rng, (0, 1), (0, 1)), label)
        if rng.random() < 0.4:
            for side in (-1, 1):
                seam = project([[side * 0.5, SHOULDER_Y - 0.1], [side * 0.55, CHEST_Y]])
                shade = self._garment.fabric.colour * np.float32(0.75)
                canvas.stroke(seam, shade, max(1.0, unit * 0.008), label, only=label)


def _cut_line(joints: Points, share: float) -> Points:
    """The first `share` of a limb of two equal parts."""
    share = float(np.clip(share, 0.08, 1.0))
    if share <= 0.5:
        return np.array([joints[0], joints[0] + (joints[1] - joints[0]) * share * 2], np.float32)
    end = joints[1] + (joints[2] - joints[1]) * (share - 0.5) * 2
    return np.array([joints[0], joints[1], end], np.float32)


def paint_strap(model: Model) -> None:
    """A bag's strap across the garment."""
    if model.wearer is Wearer.PERSON and model.rng.random() < 0.08:
        line = model.framing.project([[-0.5, SHOULDER_Y], [0.7, HIP_Y]])
        colour = any_colour(model.rng, (0, 0.8), (0.05, 0.6))
        model.canvas.stroke(line, colour, max(1.0, model.framing.unit * 0.07), BODY)
