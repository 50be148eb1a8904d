"""The outlines of a garment's parts on a given build, in heads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.photos.arrays import Points
from training.photos.garments import Collar, Front, Garment, Kind, Straps
from training.photos.openings import NECK_POINT_Y, inner_back, neck_hole, open_front
from training.photos.outlines import edged, ellipse, spline, tube
from training.photos.poses import (
    ANKLE_Y,
    CHEST_Y,
    CROTCH_Y,
    HIP_Y,
    KNEE_Y,
    SHOULDER_Y,
    WAIST_Y,
    Arm,
    Build,
    Pose,
)


@dataclass(frozen=True)
class Cut:
    """One garment, cut for one build. `rough`: errors of its right edge, Nx2; `straight`: 1 is boxy."""

    garment: Garment
    build: Build
    dip: float
    sag: float
    top_y: float
    hem_half_width: float
    hem_sag: float
    gaps: tuple[float, float]
    cuff: float
    rough: Points
    straight: float

    @property
    def waist(self) -> float:
        """Half width there: fitted, or straight from the chest to the hips."""
        build, ease = self.build, self.garment.ease
        fitted, loose = build.waist * (ease + 0.04), (build.chest + build.hip) / 2 * ease
        return fitted + (loose - fitted) * self.straight

    @property
    def bare_shoulders(self) -> bool:
        """It ends on the chest: strapless, or held by thin straps."""
        garment = self.garment
        return garment.is_upper and not garment.sleeve and garment.straps is not Straps.TANK

    @property
    def top_half_width(self) -> float:
        """At `top_y`, where a waistband or a strapless bodice begins."""
        if self.garment.is_upper:
            return self.build.chest * 0.97 * (0.5 + 0.5 * self.garment.ease)
        return self.build.waist * 1.05

    @property
    def neck(self) -> tuple[float, float]:
        """Half width and height of the neck points."""
        wide = self.garment.neck.wide * self.build.shoulder
        return wide, NECK_POINT_Y + max(0.0, wide - 0.28) * 0.33

    def opening(self) -> Points:
        """What the front leaves free."""
        wide, y = self.neck
        if self.garment.front is Front.OPEN:
            return open_front(wide, y, self.gaps, self.garment.hem)
        return neck_hole(self.garment.neck.style, wide, self.garment.neck.deep, y)

    def inner_back(self) -> Points:
        wide, y = self.neck
        deep = self.garment.neck.deep + (0.5 if self.garment.front is Front.OPEN else 0.0)
        return inner_back(wide, deep, min(self.dip, 0.04 + deep / 2), y)

    def hood_behind(self) -> Points:
        """A hood that lies on the back, as it shows beside and above the neck."""
        return ellipse((0, NECK_POINT_Y + 0.05), 0.5 + self.dip, 0.26 + self.dip)

    def trunk(self) -> Points:
        """Front (or back) from the neck points to the hem."""
        build, garment = self.build, self.garment
        ease, (wide, y) = garment.ease, self.neck
        strap = build.shoulder * (0.95 + (ease - 1) * 0.3)
        if self.bare_shoulders:
            half = [[self.top_half_width, self.top_y]]
        elif garment.sleeve:
            half = [
                [wide, y - 0.02],
                [(wide + strap) / 2, (y + SHOULDER_Y) / 2],
                [strap * 0.96, SHOULDER_Y - 0.01],
            ]
            half += [[strap * 1.01, SHOULDER_Y + 0.14], [strap, SHOULDER_Y + 0.34]]
        else:
            outer = max(wide + 0.1, strap * (0.75 + self.dip * 2))
            half = [[wide, y - 0.02], [outer, y + 0.06], [outer * 0.97, CHEST_Y - 0.5]]
        half += [[build.chest * ease, CHEST_Y], [self.waist, WAIST_Y]]
        half += self._below_waist()
        right = np.array(half, np.float32)
        right[2:] += self.rough[: len(right) - 2]
        return edged(right, self.hem_sag)

    def _below_waist(self) -> list[list[float]]:
        build, garment = self.build, self.garment
        low = [self.hem_half_width, garment.hem]
        if garment.hem > HIP_Y + 0.3:
            return [[build.hip * garment.ease, HIP_Y], low]
        return [low]

    def thin_straps(self) -> list[Points]:
        """From the bodice over the shoulders."""
        low, high = self.build.chest * 0.55, self.build.shoulder * 0.48
        width = 0.025 + self.dip * 0.4
        return [
            part
            for side in (-1, 1)
            for part in tube(
                [[side * low, self.top_y + 0.2], [side * high, SHOULDER_Y - 0.09]], [width, width]
            )
        ]

    def sleeve(self, arm: Arm) -> tuple[Points, Points]:
        """Centre line and radii."""
        garment, limb = self.garment, self.build.limb
        curve = spline(arm.joints[:3], 4, closed=False)
        line = curve[: max(2, round(garment.sleeve * (len(curve) - 1)) + 1)]
        wide = np.array([0.225, 0.19, 0.13 * self.cuff]) * (limb * garment.ease)
        radii = np.interp(np.linspace(0, garment.sleeve * 2, len(line)), [0, 1, 2], wide)
        return line, radii.astype(np.float32)

    def skirt(self) -> Points:
        build, ease = self.build, self.garment.ease
        half = [[build.waist * 1.04, self.top_y], [build.hip * ease, HIP_Y + 0.1]]
        return edged([*half, [self.hem_half_width, self.garment.hem]], self.hem_sag)

    def trousers(self, pose: Pose) -> list[Points]:
        """Both legs, each with its half of the hips."""
        return [self._leg(leg, side) for leg, side in zip(pose.legs, (-1, 1), strict=True)]

    def _leg(self, leg: Points, side: int) -> Points:
        build, ease = self.build, self.garment.ease
        share = float(np.clip((self.garment.hem - CROTCH_Y) / (ANKLE_Y - CROTCH_Y), 0.2, 1.02))
        line = cut_line(leg, min(1.0, share))
        knee, low = 0.27 * ease, 0.2 * ease * self.cuff
        end, wide = line[-1], float(np.interp(share, [0.0, 0.5, 1.0], [0.36, knee, low]))
        outer = [[side * build.waist * 1.05, self.top_y], [side * build.hip * ease, HIP_Y]]
        inner = [[-side * 0.03, CROTCH_Y + 0.12 * ease]]
        if share > 0.6:
            outer.append([leg[1][0] + side * knee, KNEE_Y])
            inner.insert(0, [leg[1][0] - side * knee, KNEE_Y])
        outer.append([end[0] + side * wide, end[1]])
        inner.insert(0, [end[0] - side * wide, end[1]])
        top = [[-side * 0.03, self.top_y]]
        return np.concatenate([top, spline(outer, 5, closed=False), spline(inner, 5, closed=False)]).astype(
            np.float32
        )


def draw_cut(rng: np.random.Generator, garment: Garment, build: Build) -> Cut:
    """The small choices that are made when a garment meets its wearer."""
    hip = build.hip * garment.ease
    long_top = garment.kind is Kind.TOP and garment.hem > HIP_Y
    flare = garment.flare if garment.kind in (Kind.DRESS, Kind.SKIRT) else rng.uniform(0.93, 1.1)
    upper = garment.is_upper
    if garment.hem < HIP_Y:
        waist = build.waist * (garment.ease + 0.04)
        hip = waist + (hip - waist) * max(0.0, garment.hem - WAIST_Y) / (HIP_Y - WAIST_Y)
    gap = float(rng.uniform(0.04, 0.4))
    return Cut(
        garment=garment,
        build=build,
        dip=float(rng.uniform(0.01, 0.1)),
        sag=float(rng.uniform(0.02, 0.12)),
        top_y=float(rng.uniform(CHEST_Y - 0.4, CHEST_Y - 0.15) if upper else WAIST_Y + rng.uniform(0, 0.5)),
        hem_half_width=float(hip * flare * (1.0 if long_top or not upper else rng.uniform(0.92, 1.04))),
        hem_sag=float(rng.uniform(-0.03, 0.12)),
        gaps=(gap, gap * float(rng.uniform(0.7, 2.2))),
        cuff=float(rng.uniform(0.8, 1.5) if garment.collar is not Collar.SHIRT else rng.uniform(0.8, 1.1)),
        rough=rng.normal(0, 0.015, (8, 2)).astype(np.float32),
        straight=float(rng.uniform(0, 0.9)) if garment.kind is Kind.TOP else float(rng.uniform(0, 0.3)),
    )


def cut_line(joints: Points, share: float) -> Points:
    """The first `share` of a limb of two equal parts."""
    share = float(np.clip(share, 0.08, 1.0))
    if share <= 0.5:
        return np.array([joints[0], joints[0] + (joints[1] - joints[0]) * share * 2], np.float32)
    end = joints[1] + (joints[2] - joints[1]) * (share - 0.5) * 2
    return np.array([joints[0], joints[1], end], np.float32)
