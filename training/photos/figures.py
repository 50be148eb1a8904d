"""A whole figure: who wears what, drawn from the back to the front."""

from __future__ import annotations

import numpy as np

from training.photos.arrays import Colour
from training.photos.bodies import (
    draw_model,
    legs_end,
    paint_arm,
    paint_body,
    paint_strands,
    paint_support,
)
from training.photos.canvas import BODY, Canvas
from training.photos.colours import cloth_colour, mannequin_colour, near, skin_colour
from training.photos.framing import draw_framing
from training.photos.garments import Garment, Kind, Tailor, draw_garment, paint_strap
from training.photos.poses import Wearer, draw_build, draw_pose

_WEARERS = {
    Wearer.PERSON: 0.42,
    Wearer.MANNEQUIN: 0.22,
    Wearer.FORM: 0.2,
    Wearer.HANGER: 0.08,
    Wearer.FLAT: 0.08,
}
_KINDS = {Kind.TOP: 0.56, Kind.DRESS: 0.2, Kind.TROUSERS: 0.16, Kind.SKIRT: 0.08}
_SPANS = {
    Kind.TOP: ((-0.3, 1.2), (4.2, 8.0)),
    Kind.DRESS: ((-0.3, 1.3), (5.5, 8.0)),
    Kind.TROUSERS: ((0.0, 3.0), (7.0, 8.0)),
    Kind.SKIRT: ((0.0, 3.0), (6.6, 8.0)),
}


def draw_wearer(rng: np.random.Generator) -> Wearer:
    return Wearer(str(rng.choice(list(_WEARERS), p=list(_WEARERS.values()))))


def draw_kind(rng: np.random.Generator) -> Kind:
    return Kind(str(rng.choice(list(_KINDS), p=list(_KINDS.values()))))


def garment_colour(rng: np.random.Generator) -> tuple[Colour, Colour | None]:
    """The garment's colour, and one that the background shall share with it (or None)."""
    kind = rng.choice(["any", "background", "skin"], p=[0.8, 0.13, 0.07])
    if kind == "skin":
        return near(rng, skin_colour(rng) if rng.random() < 0.6 else mannequin_colour(rng), 0.03), None
    colour = cloth_colour(rng)
    return colour, colour if kind == "background" else None


def draw_figure(
    rng: np.random.Generator, size: tuple[int, int], wearer: Wearer, kind: Kind, colour: Colour, *, calm: bool
) -> Canvas:
    """A figure of (height, width) px on nothing. Now and then a wearer without a garment."""
    build = draw_build(rng)
    high, low = _SPANS[kind]
    span = (float(rng.uniform(*high)), float(rng.uniform(*low)))
    canvas = Canvas(size[1], size[0])
    framing = draw_framing(rng, (size[1], size[0]), span, calm)
    model = draw_model(rng, canvas, framing, build, draw_pose(rng, build, wearer), wearer)
    garment = draw_garment(rng, kind, colour)
    naked = not calm and wearer in (Wearer.MANNEQUIN, Wearer.FORM) and rng.random() < 0.06
    paint_support(model)
    worn = [] if naked else _outfit(rng, garment, wearer, legs_end(model))
    back = [arm for arm in model.pose.arms if not arm.front]
    front = [arm for arm in model.pose.arms if arm.front]
    tailors = [Tailor(model, piece) for piece in worn]
    for tailor in tailors:
        tailor.paint_inside()
    for arm in back:
        paint_arm(model, arm)
        for tailor in tailors:
            tailor.paint_sleeve(arm)
    paint_body(model)
    for tailor in tailors:
        tailor.paint_trunk()
    for arm in front:
        paint_arm(model, arm)
        for tailor in tailors:
            tailor.paint_sleeve(arm)
    paint_strands(model)
    paint_strap(model)
    return canvas


def _outfit(rng: np.random.Generator, garment: Garment, wearer: Wearer, end: float) -> list[Garment]:
    """The garment and what else is worn, from the inside out; the rest counts as body."""
    if wearer in (Wearer.HANGER, Wearer.FLAT) or garment.kind is Kind.DRESS:
        return [garment]
    if garment.kind is Kind.TOP:
        lower = draw_garment(rng, Kind(str(rng.choice([Kind.TROUSERS, Kind.SKIRT]))), cloth_colour(rng), BODY)
        return [lower, garment] if end > 5 and rng.random() < 0.9 else [garment]
    upper = draw_garment(rng, Kind.TOP, cloth_colour(rng), BODY)
    if wearer is Wearer.FORM or rng.random() < 0.35:
        return [garment]
    return [garment, upper] if rng.random() < 0.5 else [upper, garment]
