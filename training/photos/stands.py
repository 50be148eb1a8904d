"""What holds a form or a garment up: poles, tripods, hangers. All body."""

from __future__ import annotations

import numpy as np

from training.photos.arrays import Colour
from training.photos.bodies import Model
from training.photos.canvas import BODY
from training.photos.colours import any_colour, clipped
from training.photos.outlines import ellipse, rectangle, spline, tube
from training.photos.poses import HIP_Y, SHOULDER_Y, Wearer
from training.photos.shading import Surface

_FOOT_Y = 7.5


def paint_support(model: Model, waist: float | None) -> None:
    """Behind everything. `waist`: where trousers or a skirt begin, which hang from clips (heads)."""
    rng = model.rng
    if model.wearer is Wearer.FORM and (model.calm or rng.random() < 0.85):
        _paint_stand(model, _stand_colour(model))
    elif model.wearer is Wearer.MANNEQUIN and rng.random() < 0.5:
        base = ellipse((0, _FOOT_Y), rng.uniform(0.5, 0.8), rng.uniform(0.06, 0.14))
        model.paint(model.cover(base), _stand_colour(model), Surface(0.5, gloss=0.15))
    elif model.wearer is Wearer.HANGER:
        if waist is None:
            _paint_hanger(model, _stand_colour(model))
        else:
            _paint_clip_hanger(model, _stand_colour(model), waist)


def _stand_colour(model: Model) -> Colour:
    rng = model.rng
    kind = rng.random()
    if kind < 0.4:
        return clipped(np.array([0.6, 0.42, 0.26]) * rng.uniform(0.4, 1.4))
    if kind < 0.85 or model.calm:
        return np.full(3, rng.choice([rng.uniform(0.03, 0.15), rng.uniform(0.6, 0.95)]), np.float32)
    return any_colour(rng, (0, 0.6), (0.05, 0.9))


def _paint_stand(model: Model, colour: Colour) -> None:
    """A pole on a round base or on a tripod."""
    rng = model.rng
    width = rng.uniform(0.03, 0.08)
    pole = rectangle(-width, HIP_Y - 0.2, width, _FOOT_Y - 0.05)
    if rng.random() < 0.5:
        base = ellipse((0, _FOOT_Y), rng.uniform(0.45, 0.75), rng.uniform(0.06, 0.14))
        model.paint(model.cover(base), colour, Surface(0.5, gloss=model.gloss))
        model.paint(model.cover(pole), colour)
        return
    knot, reach = _FOOT_Y - rng.uniform(0.6, 1.3), rng.uniform(0.5, 0.9)
    legs = [
        part
        for x, drop in ((-reach, 0.0), (reach, 0.0), (rng.uniform(-0.2, 0.2), 0.12))
        for part in tube(
            [[0, knot], [x * 0.75, _FOOT_Y - 0.15], [x, _FOOT_Y + drop]], [width, width, width * 0.8]
        )
    ]
    model.paint(model.cover(pole, *legs), colour)


def _paint_hanger(model: Model, colour: Colour) -> None:
    rng = model.rng
    wide, thick = model.build.shoulder * rng.uniform(0.78, 0.92), rng.uniform(0.03, 0.08)
    top, low = SHOULDER_Y - 0.2, SHOULDER_Y + rng.uniform(0.08, 0.2)
    bar = tube([[-wide, low], [-wide * 0.4, top + 0.08], [0, top], [wide * 0.4, top + 0.08], [wide, low]],
               [thick] * 5)  # fmt: skip
    model.paint(model.cover(*bar), colour, Surface(0.6, gloss=model.gloss))
    _paint_hook(model, top)


def _paint_clip_hanger(model: Model, colour: Colour, waist: float) -> None:
    """A straight bar above the waist, with a clip on each side."""
    rng = model.rng
    top, wide = waist - rng.uniform(0.15, 0.3), model.build.waist * rng.uniform(0.8, 1.15)
    bar = rectangle(-wide, top - 0.025, wide, top + 0.025)
    clips = [rectangle(x - 0.07, top - 0.03, x + 0.07, waist + 0.14) for x in (-wide * 0.85, wide * 0.85)]
    model.paint(model.cover(bar, *clips), colour, Surface(0.6, gloss=model.gloss))
    _paint_hook(model, top)


def _paint_hook(model: Model, top: float) -> None:
    rng = model.rng
    hook = spline([[0, top], [0.01, top - 0.22], [0.14, top - 0.36], [0.08, top - 0.54], [-0.08, top - 0.52],
                   [-0.12, top - 0.42]], closed=False)  # fmt: skip
    metal = np.full(3, rng.uniform(0.3, 0.8), np.float32)
    line = model.framing.project(hook)
    model.canvas.stroke(line, metal, max(1.0, model.framing.unit * 0.03), BODY)
