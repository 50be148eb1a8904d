"""A cut-out garment on a person, pixel by pixel: what is the garment's, the person's, and neither's."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from services.inference.pipeline.arrays import F32, U8, Bools
from services.inference.pipeline.crop import Window
from services.inference.pipeline.cut_out import cut_out
from services.inference.pipeline.layers import Layers
from services.inference.pipeline.matte import refine
from services.inference.pipeline.on_model.figure import Figure
from services.inference.pipeline.on_model.fit import Cloth, Fit, fit
from services.inference.pipeline.on_model.occlude import in_front
from services.inference.pipeline.on_model.peek import Rest, old_garment
from services.inference.pipeline.on_model.places import Places
from services.inference.pipeline.on_model.shade import contact_shadow, lit, torso_light
from services.inference.pipeline.on_model.warp import Placed, place_on
from services.inference.pipeline.resample import reduced

_NOTHING = 6
"""Alpha below which a garment's edge is the resampling's noise."""


@dataclass(frozen=True, slots=True, eq=False)
class Worn:
    """A person in a garment; all [H,W] of the person's photo.

    `rgb` is the result, `alpha` what is seen of the garment. `changed` says where the result may differ from
    the photo at all; everywhere else it is the photo, bit for bit. `synthesized` is what of the changed
    pixels is not the garment photo's own either (though that was moved and lit): soft edges, shadow, what was
    painted over.
    """

    rgb: U8
    alpha: U8
    changed: Bools
    synthesized: Bools
    fit: Fit
    placed: Placed
    rest: Rest


def wear(layers: Layers, cloth: Cloth, photo: U8, figure: Figure, places: Places) -> Worn:
    """Dresses the person of a photo [H,W,3]. `layers`: the garment's, nothing put into its openings."""
    found = fit(cloth, places.start, places.targets, places.pairs, places.unit)
    size = (photo.shape[1], photo.shape[0])
    whole = Window(0, 0, layers.picture.width, layers.picture.height)
    placed = place_on(cut_out(layers, whole), _invented(layers), found, size)
    small = reduced(photo, figure.shape[::-1])
    front = refine(photo, _front(figure, small, places, found).view(np.uint8))
    alpha = np.asarray(cv2.multiply(placed.alpha, cv2.bitwise_not(front), scale=1 / 255), np.uint8)
    alpha[alpha < _NOTHING] = 0
    unit = places.unit * figure.scale[0]
    old = refine(photo, figure.garment.view(np.uint8))
    rest = old_garment(photo, old, alpha, front, unit)
    light = cv2.resize(torso_light(small, figure.garment, places.unit), size, interpolation=cv2.INTER_LINEAR)
    shadow = contact_shadow(alpha, _shadowed(figure, front), unit)
    colours = lit(placed.rgb, np.asarray(light, np.float32), alpha)
    return _composed(photo, colours, alpha, rest, shadow, found, placed)


def composite(photo: U8, layer: U8, alpha: U8) -> U8:
    """The layer over the photo [H,W,3] by alpha [H,W]: where that is 0 the photo's pixels, where it is 255
    the layer's, bit for bit.
    """
    out = photo.copy()
    mixed = np.flatnonzero(alpha)
    weight = alpha.reshape(-1, 1)[mixed].astype(np.float32) / 255
    over, under = layer.reshape(-1, 3)[mixed], photo.reshape(-1, 3)[mixed]
    out.reshape(-1, 3)[mixed] = np.rint(over * weight + under * (1 - weight))
    return out


def _composed(photo: U8, colours: U8, alpha: U8, rest: Rest, shadow: F32, found: Fit, placed: Placed) -> Worn:
    under = composite(photo, rest.rgb, rest.painted)
    dark = np.flatnonzero(shadow > 0)
    flat = under.reshape(-1, 3)
    flat[dark] = np.rint(flat[dark] * (1 - shadow.reshape(-1, 1)[dark]))
    invented = (rest.painted > 0) | (shadow > 0)
    own = (alpha == 255) & (placed.filled == 0)
    changed = invented | (alpha > 0)
    out = composite(under, colours, alpha)
    return Worn(out, alpha, changed, np.asarray(changed & ~own, np.bool_), found, placed, rest)


def _front(figure: Figure, small: U8, places: Places, found: Fit) -> Bools:
    covered = places.targets[places.bare] & ~places.targets[0]
    reach = float((found.garment & covered).sum()) / max(1, int(covered.sum()))
    return in_front(figure, small, places.shoulders, places.arms, sleeves=reach > 0.5)


def _shadowed(figure: Figure, front: U8) -> U8:
    """Where a shadow may fall: on the person, and not on what is in front of the garment."""
    person = cv2.resize(figure.whole.view(np.uint8) * 255, front.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.where(front > 8, 0, person), np.uint8)


def _invented(layers: Layers) -> U8:
    """What fills the garment where something hid it."""
    shown = (layers.filling.alpha > 0) & (layers.matte.alpha < 255)
    return np.where(shown, layers.filling.alpha, np.uint8(0))
