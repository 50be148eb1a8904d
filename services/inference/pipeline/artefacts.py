"""Masks of a render as pictures of the photo's size: for people who check, tune or composite."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from libs.common.contracts.options import ImageFormat, PictureFields
from services.inference.pipeline.arrays import F32, U8
from services.inference.pipeline.encode import encode
from services.inference.pipeline.layers import Layers
from services.inference.pipeline.segment import Maps
from services.inference.pipeline.watermark import shrunk

_PNG = PictureFields(format=ImageFormat.PNG)


@dataclass(frozen=True, slots=True)
class Encoded:
    """An encoded picture, its name and its size in px."""

    name: str
    data: bytes = field(repr=False)
    media_type: str
    width: int
    height: int


def draw_artefacts(layers: Layers, maps: Maps, *, trial: bool = False) -> tuple[Encoded, ...]:
    """`alpha`: the visible garment; `classes`: the likeliest class's number; `synthesized`: see Layers.

    All are PNGs of one channel and of the photo's size; for a test key, of that of its pictures.
    """
    planes = {
        "alpha": layers.matte.alpha,
        "classes": likeliest_classes(maps, (layers.picture.width, layers.picture.height)),
        "synthesized": layers.synthesized(),
    }
    if trial:
        planes = {name: shrunk(plane, classes=name == "classes") for name, plane in planes.items()}
    return tuple(artefact(name, plane) for name, plane in planes.items())


def likeliest_classes(maps: Maps, size: tuple[int, int]) -> U8:
    """The likeliest class of each pixel, by eight-bit probabilities: a large photo's floats are 800 MB."""
    best = _enlarged(maps.classes[0], size)
    likeliest = np.zeros_like(best)
    for number, plane in enumerate(maps.classes[1:], 1):
        other = _enlarged(plane, size)
        likeliest[other > best] = number
        best = np.maximum(best, other)
    return likeliest


def _enlarged(plane: F32, size: tuple[int, int]) -> U8:
    levels = np.rint(plane * 255).astype(np.uint8)
    return np.asarray(cv2.resize(levels, size, interpolation=cv2.INTER_LINEAR), np.uint8)


def artefact(name: str, plane: U8) -> Encoded:
    """A mask [H,W] as a PNG under this name."""
    data = encode(plane, _PNG)
    return Encoded(name, data, _PNG.format.media_type, plane.shape[1], plane.shape[0])
