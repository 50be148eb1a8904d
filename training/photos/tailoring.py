"""Painting a garment on its wearer: inner sides first, then trunk or legs, sleeves, collar and details."""

from __future__ import annotations

import numpy as np

from training.photos.arrays import Points
from training.photos.bodies import Model
from training.photos.canvas import GARMENT, OTHER, Cover
from training.photos.colours import cloth_colour, quiet_colour
from training.photos.cutting import Cut, draw_cut
from training.photos.fabrics import Fabric, draw_fabric
from training.photos.garments import Collar, Front, Garment, Kind, Straps
from training.photos.openings import above, limb_end, waist_hole
from training.photos.outlines import edged, ellipse, tube
from training.photos.poses import SHOULDER_Y, Arm
from training.photos.shading import Surface, lit


class Tailor:
    """Paints one garment on a model."""

    def __init__(self, model: Model, garment: Garment) -> None:
        rng = model.rng
        self.model = model
        self.garment = garment
        self.cut: Cut = draw_cut(rng, garment, model.build)
        self._strength = float(rng.uniform(0.5, 1.0) if model.calm else rng.uniform(0.3, 1.1))
        self._gloss = float(rng.uniform(0.02, 0.06 if model.calm else 0.12)) if rng.random() < 0.25 else 0.0
        self._shade = float(rng.uniform(0.5, 0.85))

    def paint_inside(self) -> None:
        """The back of neckline, waist and hem, seen from the front; the wearer is laid over it."""
        garment, cut, model = self.garment, self.cut, self.model
        if garment.is_upper and not cut.bare_shoulders:
            if garment.collar is Collar.HOOD:
                self.paint(model.cover(cut.hood_behind()), self._shade)
            whole = [cut.trunk()] if garment.front is Front.OPEN else []
            self.paint(model.cover(cut.inner_back(), *whole), self._shade)
        else:
            self.paint(model.cover(waist_hole(cut.top_half_width, cut.top_y, cut.sag)), self._shade)
        if garment.kind is not Kind.TROUSERS and model.rng.random() < 0.2:
            hem = ellipse((0, garment.hem), cut.hem_half_width * 0.96, float(model.rng.uniform(0.03, 0.1)))
            self._open(model.cover(hem), self._shade)

    def paint_cuff_inside(self, arm: Arm) -> None:
        """The far side of a wide sleeve's end; an arm may come out of it."""
        if not self._has_sleeves or self.model.rng.random() < 0.3:
            return
        line, radii = self.cut.sleeve(arm)
        end = limb_end(line, float(radii[-1]) * 0.97, float(self.model.rng.uniform(0.02, 0.06)))
        self._open(self.model.cover(end), self._shade)

    def paint_sleeve(self, arm: Arm) -> Cover | None:
        """The sleeve, and where it is."""
        if not self._has_sleeves:
            return None
        line, radii = self.cut.sleeve(arm)
        model, rng = self.model, self.model.rng
        cover = model.cover(ellipse(line[0], radii[0], radii[0]), *tube(line, radii, smooth=False))
        tilt = float(np.arctan2(line[-1][0] - line[0][0], line[-1][1] - line[0][1]))
        angle = -tilt + float(rng.choice([-1, 1]) * rng.uniform(0.5, 1.3))
        self.paint(cover, float(rng.uniform(0.88, 1.04)), self.garment.sleeve_fabric, angle)
        if self.garment.sleeve > 0.9 and rng.random() < 0.4:
            along = line[-1] - line[-2]
            start = line[-1] - along / np.float32(np.hypot(*along) + 1e-6) * np.float32(0.14)
            self.band(model.cover(*tube([start, line[-1]], [radii[-1] * 1.05] * 2)))
        return cover

    def paint_trunk(self) -> None:
        """Everything but the sleeves, collar and details."""
        if self.garment.is_upper:
            self._paint_upper()
        else:
            self._paint_lower()

    def _paint_upper(self) -> None:
        garment, cut, model, canvas = self.garment, self.cut, self.model, self.model.canvas
        trunk = model.cover(cut.trunk())
        if cut.bare_shoulders:
            hole = model.front(above(cut.top_half_width * 1.3, cut.top_y, cut.sag))
            self._hollow(model.cover(waist_hole(cut.top_half_width, cut.top_y, cut.sag)))
            kept = canvas.without(trunk, hole)
            straps = cut.thin_straps() if garment.straps is Straps.THIN else []
            self.paint(canvas.union(kept, model.cover(*straps)) if straps else kept, angle=self._drape())
            return
        hole = model.front(cut.opening())
        if model.stands and (garment.front is Front.OPEN or (model.rng.random() < 0.12 and not model.calm)):
            self._paint_undershirt()
        self._hollow(canvas.within(model.cover(cut.inner_back()), hole))
        if garment.front is Front.OPEN:
            self._hollow(canvas.within(trunk, hole))
        self.paint(canvas.without(trunk, hole), angle=self._drape())

    def _paint_lower(self) -> None:
        cut, model = self.cut, self.model
        self._hollow(model.cover(waist_hole(cut.top_half_width, cut.top_y, cut.sag)))
        free = model.cover(above(cut.top_half_width * 1.3, cut.top_y, cut.sag))
        whole = self.garment.kind is Kind.SKIRT
        outlines = [cut.skirt()] if whole else cut.trousers(model.pose)
        self.paint(model.canvas.without(model.cover(*outlines), free), angle=self._drape())

    def _paint_undershirt(self) -> None:
        """What shows in the neckline or gap of the garment: not part of it."""
        build, rng = self.model.build, self.model.rng
        low = self.garment.hem + rng.uniform(-0.5, 0.2) if self.garment.front is Front.OPEN else 2.8
        wide, deep = build.shoulder * rng.uniform(0.3, 0.45), rng.uniform(0.0, 0.3)
        half = [[wide, SHOULDER_Y - 0.18], [build.shoulder * 0.8, SHOULDER_Y + 0.05], [build.chest, 2.3],
                [build.waist * 1.05, min(3.0, low - 0.2)], [build.hip, low]]  # fmt: skip
        canvas = self.model.canvas
        shirt = canvas.without(
            self.model.cover(edged(half, 0.05)),
            self.model.front(ellipse((0, SHOULDER_Y - 0.2), wide, 0.16 + deep)),
        )
        if not shirt.values.size:
            return
        calm = self.model.calm
        cloth = draw_fabric(rng, quiet_colour(rng) if calm else cloth_colour(rng), 0.8, tidy=calm)
        picture = cloth.render(shirt.box, self.model.framing.unit)
        canvas.paint(shirt, lit(rng, shirt, picture, self.model.framing.unit, Surface(0.8, 0.0)), OTHER)

    @property
    def _has_sleeves(self) -> bool:
        return self.garment.is_upper and self.garment.sleeve > 0

    def _drape(self) -> float:
        spread = 0.1 if self.garment.kind in (Kind.DRESS, Kind.SKIRT) else 0.45
        return float(self.model.rng.normal(0, spread))

    def paint(
        self, cover: Cover, shade: float = 1.0, fabric: Fabric | None = None, angle: float = 0.0
    ) -> None:
        """Lay a part of the garment; it closes whatever opening lies below it."""
        if not cover.values.size:
            return
        unit = self.model.framing.unit
        cloth = (fabric or self.garment.fabric).render(cover.box, unit) * np.float32(shade)
        picture = lit(self.model.rng, cover, cloth, unit, Surface(self._strength, angle, self._gloss))
        self.model.canvas.paint(cover, picture, self.garment.label)
        if self.garment.label == GARMENT:
            self.model.canvas.front(cover)

    def band(self, cover: Cover) -> None:
        """A cuff, belt or rib in the trim's colour, on the garment alone."""
        kept = self.model.canvas.on(cover, self.garment.label)
        if kept.values.size:
            surface = Surface(self._strength * 0.5)
            picture = lit(self.model.rng, kept, self.garment.trim, self.model.framing.unit, surface)
            self.model.canvas.paint(kept, picture, self.garment.label)

    def line(self, points: Points, shade: float, width: float) -> None:
        """A seam, stitching or edge on the garment alone; `width` in heads."""
        canvas, framing = self.model.canvas, self.model.framing
        pixels = framing.project(framing.fronted(points))
        colour = self.garment.fabric.colour * np.float32(shade)
        canvas.stroke(pixels, colour, max(1.0, framing.unit * width), self.garment.label, self.garment.label)

    def _open(self, cover: Cover, shade: float) -> None:
        """Paint an inner side and mark it as such, until a front covers it."""
        self.paint(cover, shade)
        self._hollow(cover)

    def _hollow(self, cover: Cover) -> None:
        if self.garment.label == GARMENT:
            self.model.canvas.hollow(cover)
