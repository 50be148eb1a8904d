"""How well the garment is found: our mask of the visible garment and rembg's, of the same network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import mean

import cv2
import numpy as np
from rich.progress import track

from bench.engine.photos import Studio
from libs.common.contracts.options import RenderOptions
from services.inference.pipeline.arrays import Bools
from services.inference.renderer import OnnxRendererFactory
from training.evaluation.masks import boundary_f, iou

_HALF = 127


def compare(photos: Sequence[Studio], rembg_masks: Path) -> dict[str, float]:
    """Means over the photos: IoU, and boundary F at 0.3 % of the diagonal."""
    render = OnnxRendererFactory(provider="cpu")()
    ours, theirs = [], []
    for photo in track(photos, "quality", transient=True):
        made = render(photo.data, RenderOptions(artefacts=True))
        alpha = next(artefact.data for artefact in made.artefacts if artefact.name == "alpha")
        ours.append(_scores(alpha, photo.truth))
        theirs.append(_scores((rembg_masks / photo.mask.name).read_bytes(), photo.truth))
    return {
        "boundary_f": mean(score[0] for score in ours),
        "rembg_boundary_f": mean(score[0] for score in theirs),
        "iou": mean(score[1] for score in ours),
        "rembg_iou": mean(score[1] for score in theirs),
    }


def _scores(png: bytes, truth: Bools) -> tuple[float, float]:
    mask = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE)
    found = np.asarray(mask) > _HALF
    return boundary_f(found, truth)[0], iou(found, truth)
