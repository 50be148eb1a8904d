"""Scores of the shipped model: on held-out synthetic photos, and on real ones with a mask of the garment.

IoU of the garment, and boundary F (DAVIS, Perazzi et al. 2016: contours match within 0.3 % of the diagonal),
both at the photo's size, of the network alone and of the matte that the pipeline makes of it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from services.inference.models.registry import load_model
from services.inference.models.sessions import open_session
from services.inference.pipeline.decode import Picture
from services.inference.pipeline.matte import matte
from services.inference.pipeline.segment import Segmenter, segment
from training.photos import GARMENT, training_photo

HELD_OUT = 1_000_000_000
"""Seeds from here on were never trained on."""

_TOLERANCE = 0.003
_PHOTO = (768, 576)
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Scores:
    """Means over a set; `good` is the share of photos with an IoU of 0.9 and more."""

    photos: int
    iou: float
    good: float
    boundary_f: float


def iou(found: Mask, truth: Mask) -> float:
    union = np.logical_or(found, truth).sum()
    return float(np.logical_and(found, truth).sum() / union) if union else 1.0


def boundary_f(found: Mask, truth: Mask) -> float:
    """Harmonic mean of how much of each contour lies close to the other."""
    reach = max(1, round(_TOLERANCE * float(np.hypot(*truth.shape))))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    one, other = _contour(found), _contour(truth)
    if not one.any() or not other.any():
        return float(one.any() == other.any())
    precision = (one & (cv2.dilate(other.astype(np.uint8), disc) > 0)).sum() / one.sum()
    recall = (other & (cv2.dilate(one.astype(np.uint8), disc) > 0)).sum() / other.sum()
    return float(2 * precision * recall / (precision + recall)) if precision + recall else 0.0


def _contour(mask: Mask) -> Mask:
    inner = cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return mask & ~inner


def synthetic(count: int) -> Iterator[tuple[NDArray[np.uint8], Mask]]:
    for seed in range(HELD_OUT, HELD_OUT + count):
        rgb, classes = training_photo(seed, _PHOTO)
        if (classes == GARMENT).any():
            yield rgb, classes == GARMENT


def real(folder: Path) -> Iterator[tuple[NDArray[np.uint8], Mask]]:
    """Photos of a folder whose `manifest.json` names a mask for them."""
    for entry in json.loads((folder / "manifest.json").read_text()):
        if "mask" in entry:
            bgr = np.asarray(cv2.imread(str(folder / entry["file"])), np.uint8)
            truth = np.asarray(cv2.imread(str(folder / entry["mask"]), cv2.IMREAD_GRAYSCALE))
            yield np.ascontiguousarray(bgr[..., ::-1]), truth > 127


def score(photos: Iterator[tuple[NDArray[np.uint8], Mask]], segmenter: Segmenter) -> tuple[Scores, Scores]:
    """Of the network alone, and of the finished matte."""
    alone: list[tuple[float, float]] = []
    finished: list[tuple[float, float]] = []
    for rgb, truth in photos:
        picture = Picture(rgb, None)
        maps = segment(picture, segmenter)
        classes = cv2.resize(maps.transpose(1, 2, 0), (rgb.shape[1], rgb.shape[0])).argmax(2)
        alpha = matte(picture, maps).alpha
        half = 127 if alpha.dtype == np.uint8 else 0.5
        for kept, found in ((alone, classes == GARMENT), (finished, alpha > half)):
            kept.append((iou(found, truth), boundary_f(found, truth)))
    return _mean(alone), _mean(finished)


def _mean(values: list[tuple[float, float]]) -> Scores:
    table = np.array(values)
    return Scores(
        len(values), float(table[:, 0].mean()), float((table[:, 0] >= 0.9).mean()), float(table[:, 1].mean())
    )


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--photos", type=Path, help="folder of real photos with masks and manifest.json")
    arguments.add_argument("--synthetic", type=int, default=200)
    given = arguments.parse_args()
    segmenter = open_session(load_model(), provider="cpu", threads=1)
    sets = {"held-out synthetic": synthetic(given.synthetic)}
    if given.photos:
        sets["real"] = real(given.photos)
    for name, photos in sets.items():
        for part, scores in zip(("network", "matte"), score(photos, segmenter), strict=True):
            print(
                f"{name:20} {part:8} photos {scores.photos:4}  IoU {scores.iou:.3f}  "
                f"IoU>=0.9 {scores.good:.2f}  boundary F {scores.boundary_f:.3f}"
            )


if __name__ == "__main__":
    main()
