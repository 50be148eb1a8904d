"""Faults of the result: the photo is good, and what was made of it is not."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from services.inference.pipeline.arrays import F32, Bools
from services.inference.pipeline.hollow import Filling
from services.inference.pipeline.segment import Maps
from training.faults.trials import Look, Plant, Random, Trial
from training.photos import BACKGROUND, GARMENT

_SEEN = 50.0
"""Distance in RGB by which two colours differ clearly."""
_FULL = np.uint8(255)


def body_left(trial: Trial, rng: Random, _: Look) -> Trial | None:
    """A piece of body at the garment's edge, 2 to 10 % of it, that the matte took along."""
    area = float(trial.garment.sum())
    outside = trial.body & (trial.drawn.interior == 0)
    seeds = np.argwhere(outside & (cv2.dilate(trial.garment.view(np.uint8), np.ones((7, 7), np.uint8)) > 0))
    if not len(seeds):
        return None
    for _try in range(12):
        row, column = seeds[int(rng.integers(len(seeds)))]
        disc = np.zeros(trial.garment.shape, np.uint8)
        cv2.circle(disc, (int(column), int(row)), round(area**0.5 * rng.uniform(0.1, 0.4)), 1, -1)
        piece = outside & (disc > 0)
        if 0.02 <= piece.sum() / area <= 0.1:
            faulty = trial.showing(np.where(piece, _FULL, trial.alpha))
            return replace(faulty, maps=_misled(trial, rng, piece))
    return None


def opening_full(trial: Trial, rng: Random, _: Look) -> Trial | None:
    """What is in the neckline, waist or cuff stayed there."""
    piece = trial.body & (trial.drawn.interior > 0)
    if piece.sum() < 0.012 * trial.garment.sum():
        return None
    return trial.showing(np.where(piece, _FULL, trial.alpha), _nothing(trial))


def opening_empty(trial: Trial, rng: Random, _: Look) -> Trial | None:
    """What was in the neckline, waist or cuff is gone, and the ground shows instead of the inner back."""
    hole = (trial.drawn.interior > 0) & (trial.alpha < 128)
    return None if hole.sum() < 0.018 * trial.garment.sum() else trial.showing(trial.alpha, _nothing(trial))


def halo(trial: Trial, rng: Random, _: Look) -> Trial | None:
    """A rim of ground, 0.5 to 1.2 % of the longest side, sharp or soft. Only where it would be seen."""
    if _contrast(trial) < _SEEN:
        return None
    reach = rng.uniform(0.005, 0.012) * max(trial.alpha.shape)
    side = 2 * round(reach) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    rim = cv2.dilate(trial.alpha, disc)
    if rng.random() < 0.5:
        rim = cv2.blur(rim, (side, side))
    wide = np.where(trial.drawn.classes == BACKGROUND, np.maximum(rim, trial.alpha), trial.alpha)
    return trial.showing(wide.astype(np.uint8))


def ground_patch(trial: Trial, rng: Random, _: Look) -> Trial | None:
    """Some of the ground, 2 to 12 % of the frame, is taken for garment."""
    height, width = trial.alpha.shape
    away = cv2.dilate(trial.garment.view(np.uint8), np.ones((15, 15), np.uint8)) == 0
    free = away & (trial.drawn.classes == BACKGROUND)
    for _try in range(12):
        patch = np.zeros((height, width), np.uint8)
        middle = (int(rng.integers(width)), int(rng.integers(height)))
        axes = (round(width * rng.uniform(0.08, 0.25)), round(height * rng.uniform(0.06, 0.2)))
        cv2.ellipse(patch, middle, axes, rng.uniform(0, 180), 0, 360, 1, -1)
        left = free & (patch > 0)
        if 0.02 <= left.mean() <= 0.12:
            return trial.showing(
                np.where(left, np.uint8(rng.integers(90, 256)), trial.alpha).astype(np.uint8)
            )
    return None


def ground_haze(trial: Trial, rng: Random, _: Look) -> Trial | None:
    """The ground was not taken away altogether, and is seen faintly."""
    faint = np.where(trial.drawn.classes == BACKGROUND, np.uint8(rng.integers(25, 90)), np.uint8(0))
    return trial.showing(np.maximum(faint, trial.alpha))


def ground_tinted(trial: Trial, rng: Random, _: Look) -> Trial | None:
    """The finished picture's ground is not the white that was asked for."""
    tint = np.array([255, 255, 255] - rng.uniform(10, 30, 3), np.float32)
    weight = trial.alpha[..., None].astype(np.float32) / 255
    result = np.where(
        (trial.alpha[..., None] == 0) & (trial.layers.filling.alpha[..., None] == 0),
        tint,
        trial.result * weight + trial.result * (1 - weight),
    )
    return replace(trial, result=result.astype(np.uint8))


def input_shown(trial: Trial, rng: Random, _: Look) -> Trial | None:
    """The whole photo is taken for garment."""
    return trial.showing(np.full_like(trial.alpha, _FULL))


def input_returned(trial: Trial, rng: Random, _: Look) -> Trial | None:
    """The finished picture is the photo."""
    return replace(trial, result=trial.layers.picture.rgb)


def _misled(trial: Trial, rng: Random, piece: Bools) -> Maps:
    """Maps that such a matte may come from: right, undecided, or, if colours differ, quite wrong."""
    kind = rng.choice(["right", "undecided", "wrong"], p=[0.5, 0.3, 0.2])
    own, body = (trial.drawn.rgb[mask].mean(0) for mask in (trial.garment, piece))
    if kind == "right" or (kind == "wrong" and np.abs(own - body).max() < _SEEN):
        return trial.maps
    size = trial.maps.interior.shape[::-1]
    share = {"undecided": rng.uniform(0.35, 0.55), "wrong": 0.92}[str(kind)]
    weight = cv2.resize(piece.astype(np.float32), size, interpolation=cv2.INTER_AREA) * np.float32(share)
    return Maps(_towards(trial.maps.classes, GARMENT, weight), trial.maps.interior)


def _towards(classes: F32, label: int, weight: F32) -> F32:
    moved = classes * (1 - weight)
    moved[label] += weight
    return np.asarray(moved, np.float32)


def _contrast(trial: Trial) -> float:
    """Distance in RGB of the ground at the edge from the garment there; less if it is close to white."""
    kernel = np.ones((9, 9), np.uint8)
    garment = trial.garment.view(np.uint8)
    ground = (trial.drawn.classes == BACKGROUND).view(np.uint8)
    rim = (cv2.dilate(garment, kernel) > 0) & (ground > 0)
    inner = trial.garment & (cv2.dilate(rim.view(np.uint8), kernel) > 0)
    if not rim.any() or not inner.any():
        return 0.0
    colour, cloth = trial.drawn.rgb[rim].mean(0), trial.drawn.rgb[inner].mean(0)
    return min(float(np.linalg.norm(colour - cloth)), 2 * float(np.linalg.norm(255 - colour)))


def _nothing(trial: Trial) -> Filling:
    return Filling(np.zeros_like(trial.alpha), trial.layers.filling.rgb)


RESULT_FAULTS: dict[str, Plant] = {
    "residual": body_left,
    "opening_not_hollow:full": opening_full,
    "opening_not_hollow:empty": opening_empty,
    "halo": halo,
    "off_white_background:patch": ground_patch,
    "off_white_background:haze": ground_haze,
    "off_white_background:tint": ground_tinted,
    "output_equals_input:shown": input_shown,
    "output_equals_input:returned": input_returned,
}
