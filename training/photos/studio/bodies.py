"""What stands inside the garment: dress forms, glossy mannequins, and people who are cropped at the chin."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np

from training.photos.arrays import Bytes, Colour, Image, Points
from training.photos.canvas import BODY
from training.photos.outlines import edged, ellipse, spline
from training.photos.studio.relief import Fold, Surface, add_folds, joined, loft, profile, ribbon, tube
from training.photos.studio.stage import Layer, Make, Stage, View
from training.photos.studio.weave import Cloth, Weave, lay_cloth, linear

NECK_Y, SHOULDER_Y, CHEST_Y, WAIST_Y, HIP_Y, CROTCH_Y = 1.4, 1.62, 2.25, 3.0, 3.75, 4.2


class Inside(StrEnum):
    """Who or what fills the garment."""

    FORM = "form"
    MANNEQUIN = "mannequin"
    PERSON = "person"
    HANGER = "hanger"


@dataclass(frozen=True)
class Shape:
    """Half widths of a body (heads), the height of its bust, and how far its arms stand away."""

    shoulder: float
    chest: float
    waist: float
    hip: float
    bust: float
    spread: float


@dataclass(frozen=True)
class Body:
    """inside, shape, and the colour and make of skin, shell or linen."""

    inside: Inside
    shape: Shape
    colour: Colour
    make: Make
    arms: bool


def draw_body(rng: np.random.Generator, inside: Inside, masculine: bool) -> Body:
    """One of this kind."""
    if masculine:
        shape = Shape(rng.uniform(0.88, 0.94), rng.uniform(0.72, 0.77), rng.uniform(0.62, 0.68),
                      rng.uniform(0.68, 0.71), 0.0, rng.uniform(0.06, 0.16))  # fmt: skip
    else:
        shape = Shape(rng.uniform(0.76, 0.81), rng.uniform(0.62, 0.66), rng.uniform(0.5, 0.55),
                      rng.uniform(0.69, 0.74), rng.uniform(0.06, 0.1), rng.uniform(0.05, 0.15))  # fmt: skip
    if inside is Inside.PERSON:
        tones = ((0.90, 0.72, 0.62), (0.80, 0.60, 0.49), (0.62, 0.43, 0.33), (0.38, 0.25, 0.19))
        skin = np.array(tones[int(rng.integers(len(tones)))]) * rng.uniform(0.95, 1.04)
        return Body(inside, shape, skin.astype(np.float32), Make(0.12, 0.1, 1.0), True)
    if inside is Inside.MANNEQUIN:
        tones = ((0.87, 0.87, 0.865), (0.70, 0.70, 0.70), (0.16, 0.16, 0.165), (0.90, 0.86, 0.81))
        shell = np.array(tones[int(rng.choice(4, p=[0.5, 0.2, 0.1, 0.2]))], np.float32)
        return Body(inside, shape, shell, Make(rng.uniform(0.25, 0.6), 0.0), True)
    linen = np.array((0.84, 0.78, 0.68)) * rng.uniform(0.9, 1.05)
    return Body(inside, shape, linen.astype(np.float32), Make(0.0, 0.2), False)


def torso(view: View, shape: Shape, ease: float = 0.0, fall: float = 0.0) -> Surface:
    """Chest to hips, closed at the shoulders; `ease`: how far cloth stands off, `fall`: 1 hangs straight."""
    chest, waist, hip = shape.chest + ease, shape.waist + ease, shape.hip + ease
    waist += fall * (max(chest, hip) * 0.98 - waist)
    widths = profile(view, [[0, shape.shoulder], [1.75, shape.shoulder], [CHEST_Y, chest], [WAIST_Y, waist],
                            [HIP_Y, max(hip, waist)], [8, max(hip, waist)]])  # fmt: skip
    depths = profile(view, [[0, 0.3], [1.6, 0.34], [CHEST_Y, 0.44], [WAIST_Y, 0.37 + fall * 0.05],
                            [HIP_Y, 0.43], [8, 0.43]])  # fmt: skip
    surface = loft(view, widths * np.float32(1.05), depths + np.float32(ease * 0.5))
    z = surface.z * rolled(view, shape.shoulder) + _bust(view, shape)
    z -= np.maximum(_shoulder_line(view, shape.shoulder) - 0.06 - view.y, 0) * 2.0
    return Surface(np.asarray(z, np.float32), surface.across, surface.along)


def rolled(view: View, shoulder: float) -> Image:
    """0..1: how the front turns back over the shoulders."""
    under = np.clip((view.y - _shoulder_line(view, shoulder) + 0.06) / 0.42, 0.0, 1.0)
    return np.asarray(np.sqrt(1 - (1 - under) ** 2), np.float32)


def _shoulder_line(view: View, shoulder: float) -> Image:
    knots = [0, 0.26, shoulder, shoulder + 0.4], [1.4, 1.4, SHOULDER_Y, 2.6]
    return np.interp(np.abs(view.x), *knots).astype(np.float32)


def _bust(view: View, shape: Shape) -> Image:
    if not shape.bust:
        upper = np.exp(-(((np.abs(view.x) - 0.34) / 0.3) ** 2) - ((view.y - 2.05) / 0.26) ** 2)
        return np.asarray(upper * 0.035, np.float32)
    low = np.where(view.y > 2.33, 0.21, 0.36)
    mound = np.exp(-(((np.abs(view.x) - 0.29) / 0.25) ** 2) - ((view.y - 2.33) / low) ** 2)
    return np.asarray(mound * shape.bust, np.float32)


def arm_line(shape: Shape, side: int) -> Points:
    """Shoulder to wrist, with the hand behind the back."""
    s, out = shape.shoulder, shape.spread
    knots = [[s - 0.18, 1.83], [s - 0.04, 2.15], [s + 0.06 + out * 0.7, 2.6], [s + 0.08 + out, 2.95],
             [s - 0.03 + out * 0.7, 3.28], [s - 0.36, 3.7]]  # fmt: skip
    return spline(np.array(knots) * [side, 1], 4, closed=False)


def arm_depth(line: Points) -> Points:
    """How far behind the middle the axis of `arm_line` lies: the lower arm goes behind the body."""
    behind = np.clip((line[:, 1] - 2.5) / 1.2, 0, 1)
    return (0.1 + 0.65 * behind * behind).astype(np.float32)


def lay_body(rng: np.random.Generator, stage: Stage, body: Body, low: float, arms: bool) -> None:
    """Torso with neck and, if asked for, arms; its lower end lies at `low` (heads)."""
    view, shape = stage.view, body.shape
    surface = joined(torso(view, shape), _neck(view, body), 0.16)
    outlines = [_torso_outline(body, low)]
    for side in (-1, 1) if arms and body.arms else ():
        line = arm_line(shape, side)
        thick = 0.17 if shape.bust else 0.2
        at = np.linspace(0, 1, len(line))
        radii = np.interp(
            at, [0, 0.2, 0.52, 0.62, 0.74, 1], np.array([1.12, 1, 0.74, 0.72, 0.74, 0.46]) * thick
        ).astype(np.float32)
        limb = tube(view, line, radii * np.float32(1.1), 0.9, arm_depth(line))
        surface = joined(surface, limb, 0.1)
        outlines += [ribbon(line, radii), ellipse(line[0], radii[0], radii[0])]
    _add_anatomy(view, body, surface.z)
    cover = view.cover(*outlines)
    if low > CROTCH_Y + 0.5:
        share = np.clip((view.y - CROTCH_Y - 0.05) / 0.6, 0, 1)
        surface.z[:] -= np.asarray(np.exp(-((view.x / (0.02 + 0.06 * share)) ** 2)) * share * 0.3, np.float32)
    if body.inside is Inside.FORM:
        _lay_linen(rng, stage, body, cover, surface)
    else:
        stage.lay(Layer(cover, surface.z, _skin(rng, stage, body, cover), body.make, BODY))
    if body.inside is Inside.PERSON:
        _lay_jaw(stage, body)
    else:
        _lay_cap(stage, body)


def _skin(rng: np.random.Generator, stage: Stage, body: Body, cover: Bytes) -> Image:
    """Skin is a little redder here and there; a shell is even."""
    if body.inside is not Inside.PERSON:
        return linear(body.colour)
    view = stage.view
    _, _, *grid = view.box(cover)
    shape = (grid[0].stop - grid[0].start, grid[1].stop - grid[1].start)
    blotches = np.asarray(rng.normal(0, 1, (9, 9)), np.float32)
    mottle = cv2.resize(blotches, (shape[1] * view.step, shape[0] * view.step), interpolation=cv2.INTER_CUBIC)
    tone = np.dstack([1 + 0.012 * mottle, 1 - 0.012 * mottle, 1 - 0.015 * mottle])
    return np.asarray(linear(body.colour) * tone, np.float32)


def _torso_outline(body: Body, low: float) -> Points:
    shape = body.shape
    neck = 0.2 if shape.bust else 0.235
    top = 1.13 if body.inside is not Inside.PERSON else 0.4
    half = [[neck * 1.02, top], [neck, 1.2], [neck + 0.02, 1.33], [neck + 0.15, 1.45],
            [shape.shoulder * 0.72, 1.54], [shape.shoulder - 0.03, 1.63], [shape.shoulder + 0.0, 1.8],
            [(shape.shoulder + shape.chest) / 2, 2.02], [shape.chest, CHEST_Y], [shape.waist, WAIST_Y],
            [shape.hip, HIP_Y], [shape.hip * 0.97, (HIP_Y + low) / 2 + 0.1],
            [shape.hip * 0.88, low]]  # fmt: skip
    return edged(half, 0.1)


def _neck(view: View, body: Body) -> Surface:
    thick = 0.2 if body.shape.bust else 0.235
    line = np.array([[0, 0.4], [0, 1.2], [0, 1.4], [0, 1.75]], np.float32)
    return tube(view, line, np.array([1.08, 1.08, 1.14, 1.4], np.float32) * thick, 0.95, -0.02)


def _add_anatomy(view: View, body: Body, z: Image) -> None:
    """Collar bones, the two muscles of the neck and the pit between them."""
    if body.inside is Inside.FORM:
        return
    lean = 0.03 if body.inside is Inside.PERSON else 0.018
    folds = []
    for side in (-1, 1):
        folds += [
            Fold((side * 0.09, 1.63), (side * 0.62, 1.535), lean * 0.9, (0.035, 0.05), side * 0.02),
            Fold((side * 0.06, 1.6), (side * 0.19, 1.02), lean * 0.9, (0.03, 0.05), side * -0.02),
        ]
    add_folds(view, z, folds)
    pit = np.exp(-((view.x / 0.05) ** 2) - ((view.y - 1.6) / 0.05) ** 2)
    z -= np.asarray(pit * lean, np.float32)


def _lay_linen(rng: np.random.Generator, stage: Stage, body: Body, cover: Bytes, surface: Surface) -> None:
    view = stage.view
    cloth = Cloth(Weave.LINEN, body.colour)
    relief = np.zeros(cover.shape, np.float32)
    seams = []
    for side in (-1, 0, 1):
        knots = [[side * 0.1, 1.2], [side * 0.3, 1.75], [side * 0.31, 2.3], [side * 0.25, 3.0],
                 [side * 0.36, 3.7], [side * 0.4, 4.6]]  # fmt: skip
        seams.append(spline(knots, 8, closed=False))
    relief -= view.ink(seams, 0.012).astype(np.float32) * np.float32(0.006 / 255)
    lay_cloth(rng, stage, cover, (surface.z, surface.across, surface.along), cloth, BODY, relief)
    stage.tint(view.ink(seams, 0.006), 0.72, BODY)


def _lay_jaw(stage: Stage, body: Body) -> None:
    """Chin and jaw, which shade the neck; the frame ends there."""
    view = stage.view
    wide = 0.33 if body.shape.bust else 0.36
    half = [[wide, 0.3], [wide, 0.6], [wide * 0.86, 0.9], [wide * 0.5, 1.09], [0.1, 1.15]]
    ball = loft(view, profile(view, [[0, wide], [0.6, wide], [0.93, wide * 0.85], [1.14, wide * 0.4],
                                      [9, 0.1]]),
                profile(view, [[0, 0.5], [0.8, 0.5], [1.06, 0.44], [1.16, 0.3], [9, 0.2]]))  # fmt: skip
    stage.lay(Layer(view.cover(edged(half, 0.012)), ball.z, linear(body.colour), body.make, BODY))


def _lay_cap(stage: Stage, body: Body) -> None:
    """Where the head would be: a plate on a mannequin, a turned knob on a form."""
    view = stage.view
    neck = 0.2 if body.shape.bust else 0.235
    if body.inside is Inside.MANNEQUIN:
        rim = view.cover(ellipse((0, 1.13), neck * 1.02, 0.035))
        flat = np.broadcast_to(0.1 - (view.y - 1.13) * 1.2, view.coarse).astype(np.float32)
        stage.lay(Layer(rim, flat, linear(body.colour) * np.float32(0.9), body.make, BODY))
        return
    lay_turned(stage, [[0.86, 0.0], [0.875, 0.05], [0.93, 0.075], [0.985, 0.05], [1.01, 0.045], [1.03, 0.08],
                       [1.06, 0.15], [1.1, neck * 1.02], [1.15, neck * 1.04],
                       [1.155, neck * 0.98]])  # fmt: skip


def lay_turned(
    stage: Stage, knots: list[list[float]], wood: tuple[float, float, float] = (0.42, 0.26, 0.15)
) -> None:
    """Turned wood along the middle; knots: (y, half width)."""
    view = stage.view
    curve = spline(knots, 6, closed=False)
    curve[:, 1] = np.maximum(curve[:, 1], 0.004)
    widths = np.interp(view.y, curve[:, 0], curve[:, 1]).astype(np.float32)
    surface = loft(view, widths, widths)
    outline = np.concatenate([curve[:, ::-1], (curve[:, ::-1] * [-1, 1])[::-1]]).astype(np.float32)
    stage.lay(Layer(view.cover(outline), surface.z, linear(wood), Make(0.3, 0.0), BODY))
