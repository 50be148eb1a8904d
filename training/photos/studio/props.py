"""What holds forms and garments up."""

from __future__ import annotations

import numpy as np

from training.photos.arrays import Points
from training.photos.canvas import BODY
from training.photos.outlines import ellipse, rectangle, spline
from training.photos.outlines import tube as tube_outline
from training.photos.studio.bodies import Shape, lay_turned
from training.photos.studio.relief import tube
from training.photos.studio.stage import Layer, Make, Stage
from training.photos.studio.weave import linear

_WOOD = (0.50, 0.34, 0.21)
_STEEL = (0.62, 0.62, 0.63)


def lay_stand(stage: Stage, low: float) -> None:
    """A turned pole on a plate, below a form that ends at `low` (heads)."""
    view = stage.view
    foot = 7.4
    plate = view.cover(ellipse((0, foot), 0.6, 0.1, 60))
    flat = np.broadcast_to((foot - view.y) * -1.5 - 0.2, view.coarse).astype(np.float32)
    stage.lay(Layer(plate, flat, linear(_WOOD) * np.float32(0.6), Make(0.2, 0.0), BODY))
    lay_turned(stage, [[low - 0.2, 0.06], [low + 0.1, 0.07], [low + 0.16, 0.12], [low + 0.22, 0.07],
                       [low + 0.5, 0.055], [foot - 0.5, 0.06], [foot - 0.25, 0.1], [foot - 0.05, 0.12],
                       [foot, 0.16]])  # fmt: skip


def _lay_rod(
    stage: Stage, line: Points, radius: float, colour: tuple[float, float, float], gloss: float
) -> None:
    radii = np.full(len(line), radius, np.float32)
    surface = tube(stage.view, line.astype(np.float32), radii, 1.0, -0.05)
    cover = stage.view.cover(
        *tube_outline(line, radii, smooth=False), *(ellipse(end, radius, radius) for end in line[[0, -1]])
    )
    stage.lay(Layer(cover, surface.z, linear(colour), Make(gloss, 0.0), BODY))


def lay_hanger(stage: Stage, shape: Shape) -> None:
    """A wooden hanger with a steel hook."""
    wide = shape.shoulder - 0.12
    _lay_hook(stage, 1.36)
    bar = spline([[-wide, 1.66], [-wide * 0.5, 1.52], [-0.16, 1.42], [0, 1.38], [0.16, 1.42],
                  [wide * 0.5, 1.52], [wide, 1.66]], 4, closed=False)  # fmt: skip
    _lay_rod(stage, bar, 0.055, _WOOD, 0.25)


def lay_clip_hanger(stage: Stage, shape: Shape, waist: float) -> None:
    """A wooden bar whose clips hold a waistband."""
    top = waist - 0.05
    _lay_hook(stage, top)
    _lay_rod(stage, np.array([[-shape.waist, top], [0.0, top], [shape.waist, top]]), 0.05, _WOOD, 0.25)
    view = stage.view
    for x in (-shape.waist * 0.72, shape.waist * 0.72):
        clip = view.cover(rectangle(x - 0.045, top - 0.06, x + 0.045, waist + 0.14))
        z = 0.5 - 0.9 * np.abs(view.x - x) + 0.0 * view.y
        stage.lay(Layer(clip, z.astype(np.float32), linear(_STEEL) * np.float32(0.45), Make(0.9, 0.0), BODY))


def _lay_hook(stage: Stage, top: float) -> None:
    hook = spline([[0, top], [0.0, top - 0.26], [0.1, top - 0.36], [0.15, top - 0.5], [0.06, top - 0.64],
                   [-0.08, top - 0.62], [-0.13, top - 0.5]], 6, closed=False)  # fmt: skip
    _lay_rod(stage, hook, 0.02, _STEEL, 0.9)
