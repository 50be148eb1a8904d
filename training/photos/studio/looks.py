"""What the demonstration shows: twelve looks of a small shop, each in colours that it might sell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from training.photos.arrays import Colour, Points
from training.photos.canvas import OTHER
from training.photos.garments import Kind
from training.photos.studio.bodies import Body, Inside, draw_body, lay_body
from training.photos.studio.bottoms import Bottom, lay_skirt, lay_trousers, lay_waist_inside
from training.photos.studio.props import lay_clip_hanger, lay_hanger, lay_stand
from training.photos.studio.stage import Stage
from training.photos.studio.tops import Top, Worn, armholes, lay_inner_back, lay_top, wear
from training.photos.studio.trims import (
    buttons,
    collar_behind,
    flap,
    placket,
    rib_ends,
    rib_neck,
    sewn,
    shirt_collar,
    stitches,
)
from training.photos.studio.weave import Cloth, Pattern, Weave

Random = np.random.Generator
Dress = Callable[[Random, Stage, Body], None]


@dataclass(frozen=True)
class Look:
    """span: the heights (heads) between which the frame lies; dress: lays everything but the backdrop."""

    inside: Inside
    kind: Kind
    span: tuple[float, float]
    dress: Dress
    masculine: bool = False


_PALETTES: dict[str, tuple[tuple[float, float, float], ...]] = {
    "basic": ((0.20, 0.23, 0.30), (0.86, 0.85, 0.82), (0.37, 0.39, 0.32),
              (0.62, 0.62, 0.63), (0.17, 0.17, 0.18)),
    "warm": ((0.82, 0.78, 0.71), (0.56, 0.36, 0.27), (0.68, 0.59, 0.48),
              (0.41, 0.25, 0.26), (0.55, 0.56, 0.48)),
    "blue": ((0.71, 0.77, 0.83), (0.87, 0.88, 0.89), (0.47, 0.54, 0.62)),
    "dress": ((0.27, 0.34, 0.32), (0.52, 0.30, 0.27), (0.20, 0.22, 0.29), (0.62, 0.54, 0.51)),
    "legs": ((0.64, 0.57, 0.47), (0.27, 0.31, 0.38), (0.38, 0.38, 0.32), (0.22, 0.22, 0.23)),
}  # fmt: skip


def _colour(rng: Random, palette: str) -> Colour:
    choice = _PALETTES[palette]
    own = np.array(choice[int(rng.integers(len(choice)))], np.float32)
    return np.clip(own + rng.normal(0, 0.012, 3), 0.02, 0.85).astype(np.float32)


def _put_on(rng: Random, stage: Stage, body: Body, top: Top, low: float = 0.0) -> Worn:
    """The inner back, what fills the garment, and the front's surface, which is not laid yet."""
    lay_inner_back(rng, stage, top)
    low = low or (5.4 if body.inside is Inside.MANNEQUIN else 4.5)
    if body.inside is Inside.HANGER:
        lay_hanger(stage, body.shape)
    else:
        if body.inside is Inside.FORM:
            lay_stand(stage, low)
        lay_body(rng, stage, body, 4.1 if body.inside is Inside.PERSON else low, arms=top.sleeve < 0.8)
    if body.inside is Inside.PERSON:
        trousers = Bottom(Cloth(Weave.DENIM, _colour(rng, "legs")), 3.1, 7.2, 0.24, label=OTHER)
        lay_trousers(rng, stage, trousers, replace(body.shape, hip=body.shape.hip - 0.05))
    return wear(rng, stage, top, body.shape)


def _sewn_top(rng: Random, stage: Stage, worn: Worn, extra: list[Points] | None = None) -> None:
    """The front with its seams at armholes and hem."""
    view, label = stage.view, worn.top.label
    relief = np.zeros(worn.cover.shape, np.float32)
    seams = armholes(worn) if worn.top.sleeve else []
    hem = worn.hem - np.array([0, 0.09], np.float32)
    sewn(view, relief, seams, 0.008)
    sewn(view, relief, [hem], 0.004)
    lines = [hem, *(extra or [])]
    if extra:
        lines += placket(stage, worn, relief, float(extra[0][0, 1]))
    lay_top(rng, stage, worn, relief)
    stage.tint(view.ink(seams, 0.006), 0.8, label)
    stitches(stage, lines, label)


def _drape(rng: Random, body: Body, cloth: Cloth, **cut: object) -> Top:
    limp = body.inside in (Inside.FORM, Inside.HANGER)
    flat = 0.6 if body.inside is Inside.HANGER else 1.0
    top = Top(cloth, hem=4.0 + rng.uniform(-0.06, 0.08), limp=limp, depth=flat)
    return replace(top, **cut)  # type: ignore[arg-type]


def _tee(rng: Random, stage: Stage, body: Body) -> None:
    cloth = Cloth(Weave.JERSEY, _colour(rng, "basic"))
    worn = _put_on(
        rng,
        stage,
        body,
        _drape(rng, body, cloth, sleeve=0.36, ease=0.05, fall=0.35, neck=("round", 0.31, 0.12)),
    )
    _sewn_top(rng, stage, worn)
    rib_neck(rng, stage, worn, 0.075, cloth)


def _breton(rng: Random, stage: Stage, body: Body) -> None:
    ink = np.array((0.13, 0.17, 0.29), np.float32)
    cloth = Cloth(Weave.JERSEY, np.array((0.90, 0.885, 0.84), np.float32), Pattern.BRETON, ink, 0.2)
    worn = _put_on(
        rng, stage, body, _drape(rng, body, cloth, ease=0.06, fall=0.45, neck=("boat", 0.42, 0.09))
    )
    _sewn_top(rng, stage, worn)
    rib_neck(rng, stage, worn, 0.05, Cloth(Weave.JERSEY, cloth.colour))


def _sweater(rng: Random, stage: Stage, body: Body) -> None:
    cloth = Cloth(Weave.KNIT, _colour(rng, "warm"))
    worn = _put_on(
        rng, stage, body, _drape(rng, body, cloth, ease=0.07, fall=0.6, neck=("round", 0.29, 0.07))
    )
    _sewn_top(rng, stage, worn)
    rib_ends(rng, stage, worn, 0.24, cloth)
    rib_neck(rng, stage, worn, 0.12, cloth)


def _sweatshirt(rng: Random, stage: Stage, body: Body) -> None:
    cloth = Cloth(Weave.FLEECE, _colour(rng, "warm"))
    worn = _put_on(
        rng, stage, body, _drape(rng, body, cloth, ease=0.09, fall=0.85, neck=("round", 0.3, 0.08))
    )
    _sewn_top(rng, stage, worn)
    rib_ends(rng, stage, worn, 0.2, cloth)
    rib_neck(rng, stage, worn, 0.1, cloth)


def _cardigan(rng: Random, stage: Stage, body: Body) -> None:
    cloth = Cloth(Weave.WOOL, _colour(rng, "warm"))
    top = _drape(rng, body, cloth, ease=0.09, fall=0.55, neck=("vee", 0.3, 0.42))
    worn = _put_on(rng, stage, body, top)
    low = 1.7 + 0.42 * 1.6
    middle = np.stack([np.zeros(30), np.linspace(low, top.hem, 30)], 1).astype(np.float32)
    _sewn_top(rng, stage, worn, [middle])
    rib_ends(rng, stage, worn, 0.22, cloth)
    rib_neck(rng, stage, worn, 0.11, cloth)
    places = np.stack([np.zeros(5), np.linspace(low + 0.14, top.hem - 0.1, 5)], 1)
    buttons(stage, worn.surface.z, places, 0.05, cloth.colour * np.float32(0.4), top.label)


def _shirt(cloth_of: Callable[[Random], Cloth], pockets: int) -> Dress:
    def dress(rng: Random, stage: Stage, body: Body) -> None:
        cloth = cloth_of(rng)
        top = _drape(rng, body, cloth, hem=4.15, ease=0.08, fall=0.6, neck=("vee", 0.27, 0.0))
        collar_behind(rng, stage, top)
        worn = _put_on(rng, stage, body, top)
        middle = np.stack([np.full(30, 0.07), np.linspace(1.72, top.hem, 30)], 1).astype(np.float32)
        _sewn_top(rng, stage, worn, [middle])
        for side in (1, -1)[:pockets]:
            outline = np.array([[0.16, 2.1], [0.5, 2.09], [0.5, 2.46], [0.33, 2.53], [0.17, 2.47]]) * [
                side,
                1,
            ]
            flap(rng, stage, outline.astype(np.float32), worn.surface, 0.012, cloth, top.label)
        shirt_collar(rng, stage, worn)
        places = np.stack([np.zeros(7), np.linspace(1.8, top.hem - 0.25, 7)], 1)
        tone = (
            np.array((0.86, 0.84, 0.8), np.float32)
            if cloth.colour.mean() > 0.5
            else cloth.colour * np.float32(0.5)
        )
        buttons(stage, worn.surface.z, places, 0.034, tone, top.label)

    return dress


def _dress(rng: Random, stage: Stage, body: Body) -> None:
    pattern = Pattern.FLORAL if body.inside is Inside.FORM else Pattern.PLAIN
    second = np.array((0.86, 0.74, 0.66), np.float32)
    weave = Weave.POPLIN if pattern is Pattern.FLORAL else Weave.JERSEY
    cloth = Cloth(weave, _colour(rng, "dress"), pattern, second, 0.62)
    sleeve, neck = (0.3, ("vee", 0.3, 0.25)) if pattern is Pattern.FLORAL else (0.0, ("round", 0.42, 0.34))
    top = _drape(
        rng, body, cloth, hem=6.3, sleeve=sleeve, ease=0.03, fall=0.0, flare=rng.uniform(0.5, 0.75), neck=neck
    )
    worn = _put_on(rng, stage, body, top, 4.9)
    _sewn_top(rng, stage, worn)


def _skirt(rng: Random, stage: Stage, body: Body) -> None:
    bottom = Bottom(Cloth(Weave.WOOL, _colour(rng, "warm")), 3.0, 5.9, rng.uniform(1.05, 1.25), 0.19)
    lay_stand(stage, 4.6)
    lay_waist_inside(rng, stage, bottom, body.shape)
    lay_body(rng, stage, body, 4.6, arms=False)
    lay_skirt(rng, stage, bottom, body.shape)


def _trousers(rng: Random, stage: Stage, body: Body) -> None:
    bottom = Bottom(Cloth(Weave.DENIM, _colour(rng, "legs")), 3.0, 7.0, 0.25, sag=0.07)
    lay_waist_inside(rng, stage, bottom, body.shape)
    lay_trousers(rng, stage, bottom, body.shape)
    lay_clip_hanger(stage, body.shape, 3.0)


def _oxford(rng: Random) -> Cloth:
    stripe = np.array((0.88, 0.89, 0.9), np.float32)
    pattern = Pattern.PINSTRIPE if rng.random() < 0.4 else Pattern.PLAIN
    return Cloth(Weave.POPLIN, _colour(rng, "blue") * np.float32(0.9), pattern, stripe, 0.24)


def _cord(rng: Random) -> Cloth:
    return Cloth(Weave.CORD, _colour(rng, "warm"))


def _flannel(rng: Random) -> Cloth:
    return Cloth(
        Weave.WOOL,
        np.array((0.47, 0.25, 0.23), np.float32),
        Pattern.CHECK,
        np.array((0.15, 0.16, 0.2), np.float32),
        0.42,
    )


_TOP = (0.74, 4.85)
LOOKS = (
    Look(Inside.FORM, Kind.TOP, _TOP, _tee),
    Look(Inside.MANNEQUIN, Kind.DRESS, (0.85, 6.8), _dress),
    Look(Inside.FORM, Kind.TOP, (0.74, 5.0), _shirt(_oxford, 1), True),
    Look(Inside.PERSON, Kind.TOP, (1.06, 4.8), _sweater),
    Look(Inside.MANNEQUIN, Kind.TOP, (0.92, 4.6), _cardigan),
    Look(Inside.HANGER, Kind.TOP, (0.45, 4.55), _sweatshirt, True),
    Look(Inside.HANGER, Kind.TROUSERS, (2.2, 7.4), _trousers, True),
    Look(Inside.FORM, Kind.DRESS, (0.7, 6.9), _dress),
    Look(Inside.PERSON, Kind.TOP, (1.06, 4.8), _breton),
    Look(Inside.MANNEQUIN, Kind.TOP, (0.92, 4.75), _shirt(_cord, 2), True),
    Look(Inside.HANGER, Kind.TOP, (0.45, 4.75), _shirt(_flannel, 2), True),
    Look(Inside.FORM, Kind.SKIRT, (0.9, 6.5), _skirt),
)


def lay_look(rng: Random, stage: Stage, look: Look) -> None:
    """Everything in front of the backdrop."""
    look.dress(rng, stage, draw_body(rng, look.inside, look.masculine))
