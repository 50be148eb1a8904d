"""Real photos with pixel labels: Clothing Co-Parsing (Yang, Luo, Lin 2014), 59 classes, people in streets.

Public original: github.com/bearpaw/clothing-co-parsing (Apache-2.0; the photographs' own rights are not
documented there). A folder holds `photos/NAME.jpg`, `labels/NAME.png` and `labels.json`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from training.photos import BACKGROUND, BODY, GARMENT, OTHER
from training.photos.arrays import Bytes

UPPER = (4, 5, 6, 10, 11, 13, 22, 24, 26, 38, 48, 49, 51, 54, 55)
LOWER = (25, 27, 31, 40, 42)
FULL = (14, 35, 46, 50)
SKIN, HAIR = 41, 19
HEADGEAR = (15, 17, 20, 29, 47)
_KINDS = {"upper": UPPER, "lower": LOWER, "full": FULL}
_HELD_OUT_EVERY = 10
_SMALLEST = 0.012
"""Share of the photo that a garment must cover to be worth a picture."""


@dataclass(frozen=True, eq=False)
class Street:
    """A photo (uint8 RGB [H,W,3]) and its labels (uint8 [H,W], the original's numbers)."""

    name: str
    rgb: Bytes
    labels: Bytes


@dataclass(frozen=True)
class Target:
    """One garment of a photo: its label, the hint that asks for it, and whether it is the largest one."""

    label: int
    hint: str
    largest: bool


def load(folder: Path, *, held_out: bool) -> Iterator[Street]:
    """The photos for training, or those kept for evaluation (each tenth by name)."""
    for index, path in enumerate(sorted((folder / "labels").glob("*.png"))):
        if (index % _HELD_OUT_EVERY == 0) is held_out:
            bgr = np.asarray(cv2.imread(str(folder / "photos" / f"{path.stem}.jpg")), np.uint8)
            labels = np.asarray(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), np.uint8)
            yield Street(path.stem, np.ascontiguousarray(bgr[..., ::-1]), labels)


def targets(labels: Bytes) -> list[Target]:
    """The garments that a photo with these labels can be about: the largest one of each kind."""
    areas = np.bincount(labels.reshape(-1), minlength=64)
    best = {hint: max(kinds, key=lambda label: int(areas[label])) for hint, kinds in _KINDS.items()}
    worth = {hint: label for hint, label in best.items() if areas[label] > _SMALLEST * labels.size}
    if not worth:
        return []
    largest = max(worth.values(), key=lambda label: int(areas[label]))
    return [Target(label, hint, label == largest) for hint, label in worth.items()]


def classes_of(labels: Bytes, target: int) -> Bytes:
    """Our classes when the photo is about the garment of this label."""
    table = np.full(256, OTHER, np.uint8)
    table[0] = BACKGROUND
    table[[SKIN, HAIR]] = BODY
    table[target] = GARMENT
    return table[labels]
