"""The small pictures of one photo: what went in, what was seen in it, and what came out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import cast

import cv2
import numpy as np

from deploy.engine.work import Outcome
from services.inference.pipeline.arrays import F32, U8
from services.inference.pipeline.decode import decode
from services.inference.pipeline.resample import reduced, within

LONGEST = 900
"""Longest side of a panel, px."""
COLOURS = {"garment": (46, 134, 255), "body": (255, 149, 0), "other": (191, 90, 242)}
"""Of the classes 1, 2 and 3; they differ in lightness also for eyes that mix up red and green."""
_TINT, _DIMMED = 0.6, 0.45


@dataclass(frozen=True, slots=True)
class Panels:
    """Paths of the panels, and their width and height in px: they all have the photo's shape.

    `result` is on a transparent ground; the others are opaque.
    """

    photo: Path
    classes: Path
    alpha: Path
    result: Path
    size: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Shown:
    """A photo of the gallery; `panels` is None if it failed."""

    outcome: Outcome
    panels: Panels | None


def draw_panels(outcome: Outcome, folder: Path) -> Panels:
    """Writes the panels of a photo that was rendered, from the files that it left."""
    job, files = outcome.job, outcome.told["files"]
    rgb = decode(job.photo.read_bytes()).rgb
    size = within(rgb.shape[1], rgb.shape[0], LONGEST)
    small = reduced(rgb, size)
    labels = cv2.resize(_read(job.output / files["classes"]), size, interpolation=cv2.INTER_NEAREST)
    drawn = {
        "photo.jpg": _bgr(small),
        "classes.jpg": _bgr(tinted(small, np.asarray(labels, np.uint8))),
        "alpha.png": reduced(_read(job.output / files["alpha"]), size),
        "result.webp": _reduced_cut_out(_read(job.output / files["result"]), size),
    }
    photo, classes, alpha, result = (
        _write(folder / f"{job.name}.{ending}", pixels) for ending, pixels in drawn.items()
    )
    return Panels(photo, classes, alpha, result, size)


def tinted(rgb: U8, labels: U8) -> U8:
    """The photo in greys, each class in its colour and the background dimmed; uint8 [H,W,3] and [H,W]."""
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)[..., None]
    palette = np.array([(0, 0, 0), *COLOURS.values()], np.float32)
    weights = np.array([1 - _DIMMED, *[_TINT] * len(COLOURS)], np.float32)[labels][..., None]
    return np.asarray(grey * (1 - weights) + palette[labels] * weights, np.uint8)


def checkered(size: tuple[int, int], tile: int = 12) -> U8:
    """White and light grey squares, uint8 [h,w,3]; size: width, height."""
    rows, columns = np.ogrid[: size[1], : size[0]]
    light = (rows // tile + columns // tile) % 2 == 0
    return np.repeat(np.where(light, 255, 222).astype(np.uint8)[..., None], 3, axis=2)


def over(rgba: U8, ground: U8) -> U8:
    """Straight RGBA on an opaque ground of the same size, uint8 [h,w,3]."""
    weight = rgba[..., 3:].astype(np.float32) / 255
    return np.asarray(np.rint(rgba[..., :3] * weight + ground * (1 - weight)), np.uint8)


def _reduced_cut_out(bgra: U8, size: tuple[int, int]) -> U8:
    """Smaller by weight of alpha: nothing bleeds in from what is not shown."""
    alpha = bgra[..., 3:].astype(np.float32) / 255
    weighted: F32 = np.concatenate([bgra[..., :3] * alpha, alpha], axis=2, dtype=np.float32)
    small = reduced(weighted, size)
    colours = small[..., :3] / np.maximum(small[..., 3:], 1e-6)
    straight = np.concatenate([np.minimum(colours, 255), small[..., 3:] * 255], axis=2)
    return np.asarray(np.rint(straight), np.uint8)


def _bgr(rgb: U8) -> U8:
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), np.uint8)


def _read(path: Path) -> U8:
    encoded = np.frombuffer(path.read_bytes(), np.uint8)
    return cast("U8", cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED))


def _write(path: Path, pixels: U8) -> Path:
    path.write_bytes(cv2.imencode(path.suffix, pixels, _quality(path))[1].tobytes())
    return path


def _quality(path: Path) -> tuple[int, ...]:
    kinds = {".jpg": cv2.IMWRITE_JPEG_QUALITY, ".webp": cv2.IMWRITE_WEBP_QUALITY}
    return (kinds[path.suffix], 90) if path.suffix in kinds else ()
