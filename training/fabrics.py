"""Real cloth for drawn garments: the middles of photographed ones.

From the clothing dataset of Alexey Grigorev (github.com/alexeygrigorev/clothing-dataset-small, CC0).
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from training.cases import Case
from training.photos import GARMENT
from training.photos.arrays import Bytes

_SIDE = 224
_MIDDLE = 0.4
"""Share of a photo's sides that surely shows the garment."""


def load_fabrics(folder: Path) -> list[Bytes]:
    """The middle of each photo below the folder, uint8 [224,224,3] RGB."""
    return [_middle(path) for path in sorted(folder.glob("*/*.jpg"))]


def _middle(path: Path) -> Bytes:
    bgr = np.asarray(cv2.imread(str(path), cv2.IMREAD_REDUCED_COLOR_2), np.uint8)
    height, width = (round(side * (1 - _MIDDLE) / 2) for side in bgr.shape[:2])
    part = bgr[height : bgr.shape[0] - height, width : bgr.shape[1] - width, ::-1]
    return np.asarray(cv2.resize(part, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def dressed(rng: np.random.Generator, case: Case, fabric: Bytes) -> Case:
    """The garment of a drawn case in that cloth, with the light and the folds that were drawn."""
    height, width = case.classes.shape
    cloth = fabric[::-1] if rng.random() < 0.5 else fabric
    scale = rng.uniform(0.5, 1.6) * max(height, width) / _SIDE
    turn = cv2.getRotationMatrix2D((_SIDE / 2, _SIDE / 2), rng.uniform(-30, 30), scale)
    turn[:, 2] += width / 2 - _SIDE / 2, height / 2 - _SIDE / 2
    tiled = cv2.warpAffine(cloth, turn, (width, height), borderMode=cv2.BORDER_REFLECT).astype(np.float32)
    garment = case.classes == GARMENT
    light = case.rgb.astype(np.float32).mean(2)
    level = float(np.median(light[garment])) if garment.any() else 1.0
    shade = np.clip(light / max(level, 8), 0.35, 1.5)
    shade = shade ** np.float32(rng.uniform(0.5, 1.0))
    weight = cv2.GaussianBlur(garment.astype(np.float32), (0, 0), 0.6)[..., None]
    rgb = case.rgb * (1 - weight) + tiled * shade[..., None] * weight
    return Case(np.clip(rgb, 0, 255).astype(np.uint8), case.classes, case.interior, case.hint)
