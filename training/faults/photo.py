"""Faults of the photo: it is taken, framed or arranged badly, and then rendered as it is."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from services.inference.pipeline.arrays import F32, U8
from services.inference.pipeline.segment import Maps
from training.faults.trials import Look, Plant, Random, Trial, smooth_noise, trial_of
from training.photos import BODY, GARMENT, OTHER, Drawn, sample_photo

_LEAST_TOUCH = 0.04
_HIDES = (0.03, 0.25)
_TRIES = 12


def cut_off(trial: Trial, rng: Random, look: Look) -> Trial | None:
    """The frame runs through the garment: 6 to 25 % of it are outside."""
    left, top, width, height = cv2.boundingRect(trial.garment.view(np.uint8))
    for _ in range(_TRIES):
        share, side = rng.uniform(0.06, 0.25), int(rng.integers(4))
        rows, columns = slice(None), slice(None)
        if side < 2:
            cut = top + round(height * share) if side == 0 else top + round(height * (1 - share))
            rows = slice(cut, None) if side == 0 else slice(None, cut)
        else:
            cut = left + round(width * share) if side == 2 else left + round(width * (1 - share))
            columns = slice(cut, None) if side == 2 else slice(None, cut)
        drawn = _part(trial.drawn, rows, columns)
        garment = drawn.classes == GARMENT
        touched = (garment[0], garment[-1], garment[:, 0], garment[:, -1])[side]
        if touched.mean() > _LEAST_TOUCH:
            return trial_of(drawn, look(drawn, rng))
    return None


def several(trial: Trial, rng: Random, look: Look) -> Trial | None:
    """Another garment hangs beside it; a segmenter takes it for one too, or for something other."""
    height, width = trial.alpha.shape
    second = sample_photo(int(rng.integers(1 << 30)), (height, width))
    classes = np.where(second.classes == GARMENT, rng.choice([GARMENT, GARMENT, OTHER]), second.classes)
    beside = second._replace(classes=classes.astype(np.uint8), interior=np.zeros_like(second.interior))
    drawn = _joined(trial.drawn, beside)
    return trial_of(drawn, look(drawn, rng))


def occluded(trial: Trial, rng: Random, look: Look) -> Trial | None:
    """An arm, hair or a strap lies over it and hides 3 to 25 %."""
    area = float(trial.garment.sum())
    body = trial.drawn.rgb[trial.body]
    for _ in range(_TRIES):
        cover = _limb(rng, trial)
        share = float((cover > 127)[trial.garment].sum()) / area
        if not _HIDES[0] <= share <= _HIDES[1]:
            continue
        label = BODY if rng.random() < 0.7 else OTHER
        colour = body.mean(0) if label == BODY and len(body) else rng.uniform(20, 220, 3)
        light = 1 + 0.1 * smooth_noise(rng, cover.shape, 60)[..., None]
        weight = cover[..., None].astype(np.float32) / 255
        rgb = trial.drawn.rgb * (1 - weight) + np.clip(colour * light, 0, 255) * weight
        hidden = cover > 127
        classes = np.where(hidden, label, trial.drawn.classes).astype(np.uint8)
        drawn = Drawn(rgb.astype(np.uint8), classes, trial.drawn.interior, trial.drawn.hint)
        return trial_of(drawn, look(drawn, rng))
    return None


def blurred(trial: Trial, rng: Random, look: Look) -> Trial | None:
    """Out of focus by 0.4 to 0.9 % of the longest side, or moved by 1.5 to 3 %."""
    longest = max(trial.drawn.rgb.shape)
    if rng.random() < 0.7:
        rgb = cv2.GaussianBlur(trial.drawn.rgb, (0, 0), rng.uniform(0.004, 0.009) * longest)
    else:
        rgb = cv2.filter2D(trial.drawn.rgb, -1, _streak(rng, rng.uniform(0.015, 0.03) * longest))
    drawn = trial.drawn._replace(rgb=np.asarray(rgb, np.uint8))
    return trial_of(drawn, look(drawn, rng))


def darkened(trial: Trial, rng: Random, look: Look) -> Trial | None:
    """Three to five stops too little light."""
    linear = (trial.drawn.rgb.astype(np.float32) / 255) ** 2.2 * 2.0 ** -rng.uniform(3, 5)
    rgb = linear ** (1 / 2.2) * 255 + rng.normal(0, 1.5, linear.shape)
    drawn = trial.drawn._replace(rgb=np.clip(rgb, 0, 255).astype(np.uint8))
    return trial_of(drawn, look(drawn, rng))


def unsure(trial: Trial, rng: Random, _: Look) -> Trial | None:
    """The segmenter can't decide: lumps of noise in its answer, and little between its classes."""
    logits = np.log(trial.maps.classes + 1e-3)
    shape = trial.maps.interior.shape
    noise = np.stack([smooth_noise(rng, shape, rng.uniform(8, 25)) for _ in range(4)])
    logits = logits * np.float32(rng.uniform(0.15, 0.4)) + noise * np.float32(rng.uniform(0.5, 1.2))
    classes = np.exp(logits)
    return trial_of(trial.drawn, Maps(_softmax(classes), trial.maps.interior))


def _softmax(weights: F32) -> F32:
    return np.asarray(weights / weights.sum(0), np.float32)


def _part(drawn: Drawn, rows: slice, columns: slice) -> Drawn:
    return _each(drawn, lambda plane: np.ascontiguousarray(plane[rows, columns]))


def _each(drawn: Drawn, change: Callable[[U8], U8]) -> Drawn:
    return Drawn(change(drawn.rgb), change(drawn.classes), change(drawn.interior), drawn.hint)


def _joined(left: Drawn, right: Drawn) -> Drawn:
    return Drawn(
        np.hstack([left.rgb, right.rgb]),
        np.hstack([left.classes, right.classes]),
        np.hstack([left.interior, right.interior]),
        left.hint,
    )


def _limb(rng: Random, trial: Trial) -> U8:
    """A smooth thick line from outside the garment to well inside of it, antialiased."""
    size = float(trial.garment.sum()) ** 0.5
    deep = cv2.distanceTransform(trial.garment.view(np.uint8), cv2.DIST_L2, 3)
    rows, columns = np.nonzero(deep > min(0.12 * size, 0.8 * float(deep.max())))
    end = int(rng.integers(len(rows)))
    inside = np.array([columns[end], rows[end]], float)
    angle = rng.uniform(0, 2 * np.pi)
    start = inside + np.array([np.cos(angle), np.sin(angle)]) * size * rng.uniform(0.4, 1.2)
    middle = (start + inside) / 2 + rng.normal(0, 0.08, 2) * size
    t = np.linspace(0, 1, 24)[:, None]
    curve = (1 - t) ** 2 * start + 2 * t * (1 - t) * middle + t**2 * inside
    cover = np.zeros(trial.garment.shape, np.uint8)
    points = np.round(curve * 16).astype(np.int32)
    cv2.polylines(cover, [points], False, 255, round(size * rng.uniform(0.07, 0.22)), cv2.LINE_AA, 4)
    return np.asarray(cv2.GaussianBlur(cover, (0, 0), 0.7), np.uint8)


def _streak(rng: Random, length: float) -> F32:
    side = round(length) | 1
    kernel = np.zeros((side, side), np.float32)
    angle, middle = rng.uniform(0, np.pi), side // 2
    reach = np.array([np.cos(angle), np.sin(angle)]) * middle
    first, last = np.round(middle - reach).astype(int), np.round(middle + reach).astype(int)
    cv2.line(kernel, tuple(map(int, first)), tuple(map(int, last)), 1.0)
    return np.asarray(kernel / kernel.sum(), np.float32)


PHOTO_FAULTS: dict[str, Plant] = {
    "cut_off_by_frame": cut_off,
    "several_garments": several,
    "occluded": occluded,
    "blurred": blurred,
    "too_dark": darkened,
    "low_confidence": unsure,
}
