"""The camera's and the file's share: framing, light, colour, blur, noise and JPEG."""

from __future__ import annotations

import cv2
import numpy as np

from training.cases import UNKNOWN, Case, letterboxed
from training.photos import GARMENT
from training.photos.arrays import Bytes


def augmented(rng: np.random.Generator, case: Case, size: tuple[int, int]) -> Case:
    """A letterboxed variant of the case, (height, width) px."""
    if rng.random() < 0.5:
        case = case.flipped()
    case = letterboxed(_reframed(rng, case), size)
    if rng.random() < 0.35:
        case = _turned(rng, case)
    rgb = case.rgb.astype(np.float32) * np.float32(1 / 255)
    if rng.random() < 0.3:
        rgb = _recoloured(rng, rgb, case.classes == GARMENT)
    return Case(_developed(rng, rgb), case.classes, case.interior, case.hint)


def _reframed(rng: np.random.Generator, case: Case) -> Case:
    """Cropped a little, or put on a larger sheet of its own edge."""
    if rng.random() < 0.5:
        return case
    height, width = case.classes.shape
    cut = rng.uniform(0, 0.12, 4)
    box = (
        int(cut[0] * width), int(cut[1] * height),
        width - int(cut[2] * width), height - int(cut[3] * height),
    )  # fmt: skip
    return case.cut(box)


def _turned(rng: np.random.Generator, case: Case) -> Case:
    height, width = case.classes.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), rng.normal(0, 7), rng.uniform(0.75, 1.2))
    move = np.asarray(turn, np.float64) + rng.normal(0, 0.03, (2, 3)) * [1, 1, (width + height) / 2]
    size = (width, height)
    rgb = cv2.warpAffine(case.rgb, move, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    classes, interior = (
        np.asarray(cv2.warpAffine(layer, move, size, flags=cv2.INTER_NEAREST, borderValue=UNKNOWN), np.uint8)
        for layer in (case.classes, case.interior)
    )
    return Case(np.asarray(rgb, np.uint8), classes, interior, case.hint)


def _recoloured(rng: np.random.Generator, rgb: np.ndarray, garment: np.ndarray) -> np.ndarray:
    """The garment alone in another colour: no colour means anything by itself."""
    tone = rgb.mean(2, keepdims=True)
    colour = rng.uniform(0.1, 1.3, 3).astype(np.float32)
    keep = np.float32(rng.uniform(0, 0.6))
    dyed = np.clip((tone + (rgb - tone) * keep) * colour * np.float32(rng.uniform(0.6, 1.4)), 0, 1)
    weight = cv2.GaussianBlur(garment.astype(np.float32), (0, 0), 0.6)[..., None]
    return rgb * (1 - weight) + dyed * weight


def _developed(rng: np.random.Generator, rgb: np.ndarray) -> Bytes:
    rgb = rgb * (rng.uniform(0.75, 1.2) * rng.normal(1, 0.05, 3)).astype(np.float32)
    rgb = np.clip(rgb, 0, 1) ** np.float32(rng.uniform(0.75, 1.35))
    if rng.random() < 0.3:
        tone = rgb.mean(2, keepdims=True)
        rgb = tone + (rgb - tone) * np.float32(rng.uniform(0.1, 1.5))
    if rng.random() < 0.3:
        rgb = cv2.GaussianBlur(rgb, (0, 0), rng.uniform(0.3, 1.2))
    if rng.random() < 0.4:
        rgb = rgb + rng.standard_normal(rgb.shape, np.float32) * np.float32(rng.uniform(0.002, 0.035))
    photo = np.clip(rgb * 255 + 0.5, 0, 255).astype(np.uint8)
    if rng.random() < 0.4:
        _, data = cv2.imencode(".jpg", photo, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(35, 96))])
        photo = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    return photo
