"""A garment on its place in the catalogue's template: scaled, moved and straightened by its landmarks.

A similarity transform is resampling: the garment's pixels are the photo's own before it, and the same fabric
after it, but not bit for bit, unless there is nothing to turn and no `size` to reach.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from libs.common.catalogue.stance import Stance, stance_of
from libs.common.contracts.catalogue import CatalogueTemplate, Measure, Stand
from libs.common.contracts.formats import ratio
from libs.common.contracts.inference import Landmarks
from libs.common.contracts.options import Align, GarmentChoice, PictureFields, RenderOptions
from services.inference.pipeline.arrays import F32
from services.inference.pipeline.crop import Layout, Sides, Window, scale_to, scaled

STRAIGHT = 0.3
"""Slant (degrees) up to which a line counts as straight: less is not seen, and landmarks are no better."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What a garment is aligned by."""

    landmarks: Landmarks
    template: CatalogueTemplate
    garment: GarmentChoice = GarmentChoice.AUTO


def catalogue_of(options: RenderOptions, landmarks: Landmarks) -> Catalogue | None:
    """None where no alignment is asked for."""
    if options.align is Align.NONE:
        return None
    return Catalogue(landmarks, options.template, options.garment)


def lay_out_aligned(window: Window, hull: F32, asked: PictureFields, catalogue: Catalogue) -> Layout | None:
    """The layout of the template, or None where the garment has no landmarks to align by.

    `window` is the garment's box, `hull` float32 [n,2] its convex hull (px of the photo).
    """
    stance = stance_of(catalogue.landmarks, catalogue.garment)
    if stance is None:
        return None
    template = catalogue.template
    stand: Stand = getattr(template, stance.kind.value)
    full = _frame(stance, stand, ratio(asked.aspect or template.aspect))
    if full is None:
        return None
    turn = -stance.slant if STRAIGHT <= abs(stance.slant) <= template.deskew else 0.0
    grow = _growth(_turned(hull, stance, turn), full, stand.line, template.border)
    return _placed(window, stance, turn, (full[0] * grow, full[1] * grow), stand.line, asked)


def unaligned(asked: PictureFields, template: CatalogueTemplate) -> PictureFields:
    """How a garment without landmarks is framed: cropped to the template's fill and aspect."""
    fill, aspect = asked.fill or template.fill, asked.aspect or template.aspect
    return asked.model_copy(update={"fill": fill, "aspect": aspect})


def _frame(stance: Stance, stand: Stand, wanted: float) -> Sides | None:
    """Width and height of the picture in px of the photo; None where the stand's measure was not found."""
    if stand.measure is Measure.WIDTH:
        width = stance.width / stand.share
        return width, width / wanted
    if stance.length is None:
        return None
    height = stance.length / stand.share
    return height * wanted, height


def _turned(points: F32, stance: Stance, turn: float) -> F32:
    """Points [n,2] relative to the line's middle, once the garment is turned."""
    sine, cosine = math.sin(math.radians(turn)), math.cos(math.radians(turn))
    turning = np.array([[cosine, sine], [-sine, cosine]], np.float32)
    return np.asarray((points - np.array(stance.middle, np.float32)) @ turning, np.float32)


def _growth(points: F32, full: Sides, line: float, border: float) -> float:
    """How much larger the picture must be, so that the whole garment is within its border."""
    (left, top), (right, bottom) = points.min(0), points.max(0)
    aside = full[0] * (0.5 - border)
    above, below = full[1] * (line - border), full[1] * (1 - line - border)
    return float(max(1.0, -left / aside, right / aside, -top / above, bottom / below))


def _placed(
    window: Window, stance: Stance, turn: float, full: Sides, line: float, asked: PictureFields
) -> Layout:
    scale = scale_to(full, asked)
    outer = scaled(full, scale)
    inner = scaled(_turned_size(window, turn), scale)
    centre = np.array([[window.left + window.width / 2, window.top + window.height / 2]], np.float32)
    across, down = _turned(centre, stance, turn)[0] * scale
    left = outer[0] / 2 + float(across) - inner[0] / 2
    top = outer[1] * line + float(down) - inner[1] / 2
    return Layout(window, inner, (round(left), round(top)), outer, scale, turn)


def _turned_size(window: Window, turn: float) -> Sides:
    sine, cosine = abs(math.sin(math.radians(turn))), math.cos(math.radians(turn))
    width, height = window.size
    return width * cosine + height * sine, width * sine + height * cosine
