"""Scores of one photo, and of many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from services.inference.pipeline.arrays import F32, U8, Bools
from services.inference.pipeline.decode import Picture
from services.inference.pipeline.matte import matte
from services.inference.pipeline.segment import BODY, CLASSES, GARMENT, Segmenter, segment
from training.evaluation.alphas import alpha_errors
from training.evaluation.checks import check
from training.evaluation.labelled import Labelled
from training.evaluation.masks import TOLERANCES, boundary_f, iou, leak, loss

Figures = dict[str, float]
NETWORK, MATTE, RESULT = "network", "matte", "result"
PARTS = (NETWORK, MATTE, RESULT)
GOOD = 0.9
"""IoU from which a customer takes a cut-out as it is."""


@dataclass(frozen=True)
class Scores:
    """Figures of a photo by part: the network alone, the finished matte, and the result's promises.

    What its truth does not tell is not among them.
    """

    name: str
    hint: str
    parts: Mapping[str, Figures]

    @property
    def iou(self) -> float:
        """Of the finished matte: what a customer gets."""
        return self.parts[MATTE]["iou"]


def score(photo: Labelled, segmenter: Segmenter, *, checks: bool = True) -> Scores:
    """Runs the pipeline over the photo and compares each part with the truth."""
    picture = Picture(photo.rgb)
    maps = segment(picture, segmenter, photo.hint)
    finished = matte(picture, maps).alpha
    size = (picture.width, picture.height)
    planes = np.stack([cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR) for plane in maps.classes])
    labels = planes.argmax(0).astype(np.uint8)
    network = _garment(labels == GARMENT, planes[GARMENT], photo) | _classes(labels, photo)
    parts = {NETWORK: network, MATTE: _garment(finished > 127, np.asarray(finished / 255, np.float32), photo)}
    if checks:
        parts[RESULT] = check(photo.rgb, photo.hint, segmenter)
    return Scores(photo.name, photo.hint.value, parts)


def _garment(found: Bools, alpha: F32, photo: Labelled) -> Figures:
    truth = photo.classes == GARMENT
    figures = {"iou": iou(found, truth), "loss": loss(found, truth)}
    for tolerance, value in zip(TOLERANCES, boundary_f(found, truth, TOLERANCES), strict=True):
        figures[f"f_{tolerance * 100:g}"] = value
    if BODY in photo.known:
        figures["leak"] = leak(found, photo.classes == BODY)
    if photo.alpha is not None:
        figures |= alpha_errors(alpha, photo.alpha)
    return figures


def _classes(labels: U8, photo: Labelled) -> Figures:
    """IoU of the other classes, where they are: two empty masks say nothing."""
    figures = {}
    for label in photo.known:
        found, truth = labels == label, photo.classes == label
        if label != GARMENT and (found.any() or truth.any()):
            figures[f"iou_{CLASSES[label]}"] = iou(found, truth)
    return figures


def summary(scores: Sequence[Scores]) -> dict[str, Figures]:
    """Means by part; of the IoU also the worst decile's, and the share that is good."""
    return {
        part: _means(rows)
        for part in PARTS
        if (rows := [one.parts[part] for one in scores if part in one.parts])
    }


def _means(rows: Sequence[Figures]) -> Figures:
    names = list(dict.fromkeys(name for row in rows for name in row))
    means = {name: float(np.mean([row[name] for row in rows if name in row])) for name in names}
    if "iou" in means:
        ious = np.sort([row["iou"] for row in rows])
        means["worst_decile"] = float(ious[: max(1, round(len(ious) / 10))].mean())
        means["good"] = float((ious >= GOOD).mean())
    return means


def worst(scores: Sequence[Scores], count: int = 6) -> list[Scores]:
    """The photos to look at first."""
    return sorted(scores, key=lambda one: one.iou)[:count]
