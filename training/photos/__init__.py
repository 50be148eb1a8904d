"""Procedural photos of garments on people, mannequins, dress forms and hangers, with exact masks.

Classes: 0 background, 1 the garment that the photo is about (with what is really seen of its inner back),
2 body (skin, shell, hair, stand, hanger), 3 other clothing, shoes, bags and straps. The interior is a second
map: what the inner back would show between the front's edge and the collar's, or in a waist, cuff or hem,
if the body were taken away. Needs NumPy and OpenCV only; the same seed gives the same picture.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from training.photos.arrays import Bytes, Image
from training.photos.camera import develop
from training.photos.canvas import BACKGROUND, BODY, GARMENT, OTHER, Canvas
from training.photos.compositions import beside, cast_shadow, composed, contact_shadow, mirrored_in
from training.photos.figures import draw_figure, draw_kind, draw_wearer, garment_colour
from training.photos.garments import Kind
from training.photos.poses import Wearer
from training.photos.samples import draw_sample
from training.photos.scenes import draw_ground, draw_scene

__all__ = ["BACKGROUND", "BODY", "GARMENT", "OTHER", "Drawn", "sample_photo", "training_photo"]

_HINTS = {Kind.TOP: "upper", Kind.DRESS: "full", Kind.TROUSERS: "lower", Kind.SKIRT: "lower"}


class Drawn(NamedTuple):
    """A photo and the truth about it.

    rgb: uint8 HxWx3. classes: uint8 HxW, 0..3. interior: uint8 HxW, 0 or 1, amodal: the region in which the
    garment's inner back would be seen without its wearer; the garment's own front never belongs to it.
    hint: "upper", "lower" or "full", the kind of garment that the photo is about.
    """

    rgb: Bytes
    classes: Bytes
    interior: Bytes
    hint: str


def training_photo(seed: int, size: tuple[int, int]) -> Drawn:
    """A photo as wild as they come. size: height, width."""
    rng = np.random.default_rng(seed)
    calm = bool(rng.random() < 0.3)
    colour, like = garment_colour(rng)
    wearer, kind = draw_wearer(rng), draw_kind(rng)
    canvas = draw_figure(rng, size, wearer, kind, colour, calm=calm)
    if wearer is Wearer.FLAT:
        scene = draw_ground(rng, size, calm, like)
        scene = cast_shadow(rng, scene, canvas.alpha, rng.uniform(0.1, 0.5), 0.015)
    else:
        scene = _crowded(rng, draw_scene(rng, size, calm, like), size)
        if rng.random() < 0.6:
            scene = cast_shadow(rng, scene, canvas.alpha, rng.uniform(0.05, 0.4), 0.05)
        if rng.random() < 0.5 and wearer is not Wearer.HANGER:
            scene = contact_shadow(rng, scene, canvas.alpha)
    rgb = develop(rng, composed(canvas, scene), calm=calm)
    return Drawn(rgb, _classes(canvas), canvas.interior, _HINTS[kind])


def sample_photo(seed: int, size: tuple[int, int]) -> Drawn:
    """A tidy studio photo, as a shop would send it. size: height, width."""
    rgb, classes, interior, kind = draw_sample(np.random.default_rng([7, seed]), seed, size)
    return Drawn(rgb, classes, interior, _HINTS[kind])


def _crowded(rng: np.random.Generator, scene: Image, size: tuple[int, int]) -> Image:
    """Now and then somebody else, or a mirror."""
    chance = rng.random()
    if chance > 0.13:
        return scene
    other = draw_figure(rng, size, draw_wearer(rng), draw_kind(rng), garment_colour(rng)[0], calm=False)
    return beside(rng, scene, other) if chance < 0.08 else mirrored_in(rng, scene, other)


def _classes(canvas: Canvas) -> Bytes:
    return np.where(canvas.alpha > 0.5, canvas.classes, BACKGROUND).astype(np.uint8)
