"""What of a person stays in front of the garment: head, hair, hands, and arms that no sleeve covers.

Skin and hair are one class to the segmenter; they are told apart by the colour of the skin at the neck. Hair
of the skin's own colour is therefore taken for skin, and lies behind where it is below the chin.
"""

from __future__ import annotations

import cv2
import numpy as np

from services.inference.pipeline.arrays import F32, U8, Bools
from services.inference.pipeline.on_model.arms import ELBOW, HAND
from services.inference.pipeline.on_model.contour import F64
from services.inference.pipeline.on_model.figure import Figure

_CHIN = 0.3
"""How far above the shoulders a collar may reach at most, in shoulder widths."""
_HEAD = 0.6
"""Height of a head with its hair, in shoulder widths: so far below its top nothing is covered."""
_SKIN_RADIUS = 0.14
_SAME_SKIN = 26.0
"""Distance in CIELAB (lightness at half weight) up to which a colour is the neck's."""
_LIGHTNESS = 0.5


def in_front(figure: Figure, rgb: U8, shoulders: F64, arms: F32, *, sleeves: bool) -> Bools:
    """Mask [h,w] of the figure. `rgb` [h,w,3] is the photo at its size, `arms` as `along_arms` says.

    `sleeves`: whether the garment's outline covers the arms, all but their hands.
    """
    unit = float(np.linalg.norm(shoulders[1] - shoulders[0]))
    middle, y = shoulders.mean(0)
    skin = is_skin(rgb, figure, (float(middle), float(y) - 0.1 * unit), unit)
    rows = np.arange(figure.shape[0])[:, None]
    head = figure.body & (rows < max(y - _CHIN * unit, _chin(figure, float(y), unit)))
    hair = _opened(figure.body & ~skin & (rows < y + 1.6 * unit) & np.isnan(arms))
    with np.errstate(invalid="ignore"):
        reach = arms > (HAND if sleeves else ELBOW)
    return np.asarray(head | hair | (figure.body & reach), np.bool_)


def _chin(figure: Figure, y: float, unit: float) -> float:
    """The row below which a head that is seen whole ends, for all that its top says; never the shoulders'."""
    top = int(np.argmax(figure.body.any(1)))
    return 0.0 if top < 2 else min(top + _HEAD * unit, y - 0.1 * unit)


def is_skin(rgb: U8, figure: Figure, neck: tuple[float, float], unit: float) -> Bools:
    """Where the colour is that of the skin around the neck (px of the figure)."""
    lab = np.asarray(cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)
    lab[..., 0] *= _LIGHTNESS
    x, y = np.meshgrid(np.arange(figure.shape[1]), np.arange(figure.shape[0]))
    near = figure.body & ((x - neck[0]) ** 2 + (y - neck[1]) ** 2 < (_SKIN_RADIUS * unit) ** 2)
    if near.sum() < 12:
        return figure.body.copy()
    colour = np.median(lab[near], axis=0)
    return np.asarray(np.linalg.norm(lab - colour, axis=-1) < _SAME_SKIN, np.bool_)


def _opened(mask: Bools) -> Bools:
    return np.asarray(
        cv2.morphologyEx(mask.view(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)), np.bool_
    )
