"""A whole figure: who wears what, drawn from the back to the front."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from training.photos.arrays import Colour
from training.photos.bodies import Model, draw_model, legs_end, paint_body, paint_clips
from training.photos.canvas import OTHER, Canvas, Patch
from training.photos.collars import paint_collar
from training.photos.colours import cloth_colour, mannequin_colour, near, quiet_colour, skin_colour
from training.photos.details import paint_bag, paint_belt, paint_details
from training.photos.framing import draw_framing
from training.photos.garments import Garment, Kind, draw_garment
from training.photos.heads import paint_neck_and_head, paint_strands
from training.photos.limbs import paint_arm
from training.photos.poses import Arm, Wearer, draw_build, draw_pose
from training.photos.stands import paint_support
from training.photos.tailoring import Tailor

_WEARERS = {
    Wearer.PERSON: 0.42,
    Wearer.MANNEQUIN: 0.2,
    Wearer.FORM: 0.2,
    Wearer.HANGER: 0.1,
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
    high, low = _SPANS[kind]
    span = (float(rng.uniform(*high)), float(rng.uniform(*low)))
    garment = draw_garment(rng, kind, colour)
    naked = not calm and wearer in (Wearer.MANNEQUIN, Wearer.FORM) and rng.random() < 0.06
    return assemble(rng, size, wearer, None if naked else garment, span, calm=calm)


def assemble(
    rng: np.random.Generator,
    size: tuple[int, int],
    wearer: Wearer,
    garment: Garment | None,
    span: tuple[float, float],
    *,
    calm: bool,
) -> Canvas:
    """A figure in this garment, seen from height `span[0]` to `span[1]` (heads)."""
    build = draw_build(rng)
    canvas = Canvas(size[1], size[0])
    framing = draw_framing(rng, (size[1], size[0]), span, calm)
    model = draw_model(rng, canvas, framing, build, draw_pose(rng, build, wearer), wearer, calm=calm)
    if garment is not None and rng.random() < 0.04 and model.stands and not calm:
        model.skin = near(rng, garment.fabric.colour, 0.03)
    pieces = _outfit(rng, garment, wearer, legs_end(model), calm) if garment else []
    worn = [Tailor(model, piece) for piece in pieces]
    paint_support(model, worn[0].cut.top_y if worn and not worn[0].garment.is_upper else None)
    lifted = _paint_layers(model, worn)
    if garment and garment.kind is not Kind.TOP and model.stands and not calm and rng.random() < 0.15:
        paint_belt(model)
    for arm in model.pose.arms:
        if arm.front:
            canvas.lay(lifted[arm.side], model.forearm(arm))
    paint_strands(model)
    paint_clips(model)
    paint_bag(model)
    return canvas


def _paint_layers(model: Model, worn: list[Tailor]) -> dict[int, Patch]:
    """From the inner backs over the body to the fronts.

    The arms, by side, are kept: a forearm in front is laid over the rest, the upper arm stays beside it.
    """
    for tailor in worn:
        tailor.paint_inside()
    lifted = {arm.side: _paint_arm(model, worn, arm) for arm in model.pose.arms}
    paint_body(model)
    paint_neck_and_head(model)
    for tailor in worn:
        tailor.paint_trunk()
        paint_details(tailor)
        paint_collar(tailor)
    return lifted


def _paint_arm(model: Model, worn: list[Tailor], arm: Arm) -> Patch:
    for tailor in worn:
        tailor.paint_cuff_inside(arm)
    covers = [paint_arm(model, arm), *(tailor.paint_sleeve(arm) for tailor in worn)]
    return model.canvas.lift([cover for cover in covers if cover is not None])


def _outfit(
    rng: np.random.Generator, garment: Garment, wearer: Wearer, end: float, calm: bool
) -> list[Garment]:
    """The garment and what else is worn, from the inside out; the rest counts as other."""
    if wearer in (Wearer.HANGER, Wearer.FLAT) or garment.kind is Kind.DRESS:
        return [garment]
    colour = near(rng, garment.fabric.colour, 0.04) if rng.random() < 0.1 else _beside(rng, calm)
    if garment.kind is Kind.TOP:
        lower = draw_garment(
            rng, Kind(str(rng.choice([Kind.TROUSERS, Kind.SKIRT]))), colour, OTHER, tidy=calm
        )
        if end < 5 or rng.random() < 0.1:
            return [garment]
        return [_tucked(garment), lower] if garment.hem > 3.6 and rng.random() < 0.15 else [lower, garment]
    upper = draw_garment(rng, Kind.TOP, colour, OTHER, tidy=calm)
    if wearer is Wearer.FORM or (rng.random() < 0.35 and not calm):
        return [garment]
    return [garment, upper] if rng.random() < 0.5 else [_tucked(upper), garment]


def _beside(rng: np.random.Generator, calm: bool) -> Colour:
    return quiet_colour(rng) if calm else cloth_colour(rng)


def _tucked(garment: Garment) -> Garment:
    """It ends inside the trousers or the skirt."""
    return replace(garment, hem=min(garment.hem, 3.5))
