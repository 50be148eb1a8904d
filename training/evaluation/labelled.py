"""Photos with the truth about them: real ones with masks, street photos, and drawn ones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from services.inference.pipeline.arrays import F32, U8
from services.inference.pipeline.decode import decode
from services.inference.pipeline.segment import BODY, CLASSES, GARMENT, OTHER, Hint
from training import street
from training.photos import training_photo

HELD_OUT = 1_000_000_000
"""Seeds from here on were never trained on."""
_PHOTO = (768, 576)


@dataclass(frozen=True, eq=False)
class Labelled:
    """A photo, uint8 RGB [H,W,3], and what is known of it.

    classes: uint8 [H,W]; only those in `known` mean something, all else is 0. alpha: the garment's true share
    of each pixel, float32 [H,W] 0..1, where it is known. hint: the garment that is asked for.
    """

    name: str
    rgb: U8
    classes: U8
    known: tuple[int, ...]
    hint: Hint = Hint.AUTO
    alpha: F32 | None = None


def real_photos(folder: Path) -> Iterator[Labelled]:
    """Photos of a folder whose `manifest.json` names a mask of the garment for them."""
    for entry in json.loads((folder / "manifest.json").read_text(encoding="utf-8")):
        if "mask" in entry:
            rgb = decode((folder / entry["file"]).read_bytes()).rgb
            mask = decode((folder / entry["mask"]).read_bytes()).rgb[..., 1] > 127
            if mask.shape != rgb.shape[:2]:
                raise ValueError(f"{entry['mask']} has another size than {entry['file']}")
            yield Labelled(entry["file"], rgb, mask.astype(np.uint8) * np.uint8(GARMENT), (GARMENT,))


def street_photos(folder: Path, *, largest: bool = True) -> Iterator[Labelled]:
    """Each held-out photo with its largest garment, or with each of the others; asked for by a hint."""
    for photo in street.load(folder, held_out=True):
        for target in street.targets(photo.labels):
            if target.largest is largest:
                classes = np.asarray(street.classes_of(photo.labels, target.label), np.uint8)
                name = photo.name if largest else f"{photo.name} {target.hint}"
                yield Labelled(name, photo.rgb, classes, (GARMENT, BODY, OTHER), Hint(target.hint))


def drawn_photos(count: int, size: tuple[int, int] = _PHOTO) -> Iterator[Labelled]:
    """Pictures of the generator that hold a garment; size: height, width.

    They are drawn twice as large, so that a pixel on an edge has a true alpha.
    """
    for seed in range(HELD_OUT, HELD_OUT + count):
        large = training_photo(seed, (2 * size[0], 2 * size[1]))
        shares = np.stack([_halved(of_class) for of_class in _planes(large.classes)])
        if shares[GARMENT].any():
            rgb = np.asarray(_halved(large.rgb), np.uint8)
            classes = shares.argmax(0).astype(np.uint8)
            yield Labelled(f"seed {seed}", rgb, classes, (GARMENT, BODY, OTHER), alpha=shares[GARMENT])


def _planes(classes: U8) -> Iterator[F32]:
    return ((classes == label).astype(np.float32) for label in range(len(CLASSES)))


def _halved(pixels: F32 | U8) -> F32:
    size = (pixels.shape[1] // 2, pixels.shape[0] // 2)
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
