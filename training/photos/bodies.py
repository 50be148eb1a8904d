"""What is inside the garment, drawn part by part: people, mannequins, dress forms, hangers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.photos.arrays import Colour, Points
from training.photos.canvas import BODY, Canvas, Cover
from training.photos.colours import (
    any_colour,
    cloth_colour,
    hair_colour,
    mannequin_colour,
    skin_colour,
)
from training.photos.framing import Framing
from training.photos.outlines import ellipse, mirrored, rectangle, spline, tube
from training.photos.poses import (
    ANKLE_Y,
    CHEST_Y,
    CROTCH_Y,
    HIP_Y,
    SHOULDER_Y,
    WAIST_Y,
    Arm,
    Build,
    Pose,
    Wearer,
)
from training.photos.shading import lit


@dataclass
class Model:
    """Who stands there, and how the camera sees it."""

    rng: np.random.Generator
    canvas: Canvas
    framing: Framing
    build: Build
    pose: Pose
    wearer: Wearer
    skin: Colour
    has_head: bool

    def cover(self, *outlines: Points) -> Cover:
        """The cover of outlines in heads."""
        return self.canvas.cover([self.framing.project(outline) for outline in outlines])

    def paint(self, cover: Cover, colour: Colour, strength: float = 0.6, creased: bool = False) -> None:
        """Lay a lit part of the body over the figure, where the camera sees any of it."""
        if not cover.values.size:
            return
        picture = lit(self.rng, cover, colour, self.framing.unit, strength, creased)
        self.canvas.paint(cover, picture, BODY)


def draw_model(
    rng: np.random.Generator, canvas: Canvas, framing: Framing, build: Build, pose: Pose, wearer: Wearer
) -> Model:
    """Colours and head for this wearer."""
    skin = skin_colour(rng) if wearer is Wearer.PERSON else mannequin_colour(rng)
    has_head = wearer is Wearer.PERSON or (wearer is Wearer.MANNEQUIN and rng.random() < 0.5)
    return Model(rng, canvas, framing, build, pose, wearer, skin, bool(has_head))


def paint_support(model: Model) -> None:
    """The pole of a form, or the hanger: behind everything."""
    rng = model.rng
    colour = any_colour(rng, (0, 0.4), (0.05, 0.8))
    if model.wearer is Wearer.FORM and rng.random() < 0.8:
        width = rng.uniform(0.04, 0.12)
        model.paint(model.cover(rectangle(-width, HIP_Y - 0.2, width, 7.6)), colour)
        base = ellipse((0, 7.55), rng.uniform(0.5, 0.9), rng.uniform(0.06, 0.2))
        model.paint(model.cover(base), colour)
    if model.wearer is Wearer.HANGER:
        wide, thick = model.build.shoulder * rng.uniform(0.8, 1.0), rng.uniform(0.03, 0.09)
        bar = tube(
            [[-wide, SHOULDER_Y + 0.22], [0, SHOULDER_Y - 0.1], [wide, SHOULDER_Y + 0.22]], [thick] * 3
        )
        hook = spline([[0, SHOULDER_Y - 0.1], [0.02, SHOULDER_Y - 0.45], [0.16, SHOULDER_Y - 0.62],
                       [0.02, SHOULDER_Y - 0.8], [-0.14, SHOULDER_Y - 0.66]], closed=False)  # fmt: skip
        model.paint(model.cover(*bar), colour)
        line = model.framing.project(hook)
        model.canvas.stroke(line, colour, max(1.0, model.framing.unit * 0.04), BODY)


def paint_body(model: Model) -> None:
    """Torso, legs, neck and head; nothing on a hanger or where the garment lies flat."""
    if model.wearer in (Wearer.HANGER, Wearer.FLAT):
        return
    build = model.build
    low = CROTCH_Y if model.wearer is not Wearer.FORM else model.rng.uniform(HIP_Y - 0.2, CROTCH_Y + 0.1)
    half = [
        [build.shoulder * 0.3, SHOULDER_Y - 0.22],
        [build.shoulder * 0.9, SHOULDER_Y],
        [build.chest, CHEST_Y],
        [build.waist, WAIST_Y],
        [build.hip, HIP_Y],
        [build.hip * 0.9, low],
    ]
    model.paint(model.cover(spline(mirrored(half))), model.skin)
    if model.wearer is not Wearer.FORM:
        radii = [0.36 * build.limb, 0.24 * build.limb, 0.13 * build.limb]
        for leg in model.pose.legs:
            model.paint(model.cover(*tube(leg, radii)), model.skin)
            foot = ellipse(leg[2] + [0, 0.15], 0.2, 0.16)
            model.paint(model.cover(foot), cloth_colour(model.rng))
    _paint_neck_and_head(model)


def _paint_neck_and_head(model: Model) -> None:
    rng = model.rng
    top = 1.0 if model.has_head else rng.uniform(1.05, SHOULDER_Y - 0.1)
    width = rng.uniform(0.2, 0.3)
    neck = rectangle(-width, top, width, SHOULDER_Y + 0.1)
    model.paint(model.cover(neck), model.skin * np.float32(rng.uniform(0.75, 1.0)))
    if not model.has_head:
        cap = any_colour(rng, (0, 0.6), (0.1, 0.9)) if rng.random() < 0.4 else model.skin
        model.paint(model.cover(ellipse((0, top), width, rng.uniform(0.03, 0.12))), cap)
        return
    if model.wearer is Wearer.PERSON and rng.random() < 0.9:
        _paint_hair(model, behind=True)
    model.paint(model.cover(ellipse((0, 0.62), rng.uniform(0.33, 0.42), 0.52)), model.skin)
    if model.wearer is Wearer.PERSON:
        for side in (-1, 1):
            model.paint(
                model.cover(ellipse((side * 0.15, 0.6), 0.05, 0.025, 12)), np.full(3, 0.15, np.float32)
            )
        mouth = np.array([0.6, 0.3, 0.3], np.float32)
        model.paint(model.cover(ellipse((0, 0.88), 0.1, 0.025, 12)), mouth)
        crown = mirrored([[0.0, 0.05], [0.3, 0.16], [0.41, 0.5], [0.3, 0.32]])
        model.paint(model.cover(spline(crown)), hair_colour(rng))


def _paint_hair(model: Model, *, behind: bool) -> None:
    rng = model.rng
    long = rng.uniform(0.9, 2.3) if not model.build.masculine else rng.uniform(0.6, 0.9)
    outline = mirrored([[0, 0.02], [0.38, 0.16], [0.5, 0.6], [rng.uniform(0.35, 0.6), long]])
    model.paint(model.cover(spline(outline)), hair_colour(rng), 1.0, creased=behind)


def paint_strands(model: Model) -> None:
    """Long hair that falls over the garment."""
    if model.wearer is not Wearer.PERSON or model.build.masculine or model.rng.random() > 0.35:
        return
    colour = hair_colour(model.rng)
    for side in (-1, 1):
        if model.rng.random() < 0.7:
            end = model.rng.uniform(1.7, 2.6)
            line = [[side * 0.36, 0.5], [side * 0.42, 1.2], [side * model.rng.uniform(0.3, 0.55), end]]
            model.paint(model.cover(*tube(line, [0.14, 0.16, 0.05])), colour, 1.0, creased=True)


def paint_arm(model: Model, arm: Arm) -> None:
    """A bare arm with its hand; forms have stumps or none, and so have some mannequins."""
    if model.wearer in (Wearer.HANGER, Wearer.FLAT, Wearer.FORM):
        return
    limb = model.build.limb
    shoulder = ellipse(arm.joints[0], 0.24 * limb, 0.24 * limb)
    line = tube(arm.joints[:3], [0.24 * limb, 0.17 * limb, 0.11 * limb])
    model.paint(model.cover(shoulder, *line), model.skin)
    if arm.hand:
        tips = ellipse(arm.joints[3], 0.1 * limb, 0.1 * limb)
        model.paint(model.cover(tips, *tube(arm.joints[2:], [0.12 * limb, 0.1 * limb])), model.skin)


def legs_end(model: Model) -> float:
    """How far down there is something to dress (heads)."""
    return CROTCH_Y if model.wearer is Wearer.FORM else ANKLE_Y
