"""What of a drawing is no ground: a drawn garment stands on nothing or on one plain colour."""

from __future__ import annotations

import cv2
import numpy as np

from services.inference.pipeline.arrays import U8
from services.inference.pipeline.decode import Picture

_PLAIN = 10.0
"""Levels by which a plain ground may differ from its own middle."""
_CLEAR = 24.0
"""Levels from which a pixel is surely none of it."""
_MOSTLY = 0.7
"""Share of the border that is ground in a picture with one."""


def cover_of(picture: Picture, garment: U8) -> U8:
    """Alpha uint8 [h,w] of all that is drawn, the inner back included; `garment`: what a network found of it.

    By the drawing's own transparency or its plain ground; where it has neither, the network's word stands.
    """
    if picture.alpha is not None:
        return picture.alpha
    edge = np.concatenate([picture.rgb[0], picture.rgb[-1], picture.rgb[:, 0], picture.rgb[:, -1]])
    middle = np.median(edge, axis=0).astype(np.float32)
    if (np.abs(edge - middle).max(axis=1) <= _PLAIN).mean() < _MOSTLY:
        return garment
    apart = np.abs(picture.rgb - middle).max(axis=2)
    figure = np.clip((apart - _PLAIN) / (_CLEAR - _PLAIN), 0, 1) * 255
    return _without_holes(np.asarray(np.rint(figure), np.uint8))


def _without_holes(figure: U8) -> U8:
    """What the ground outside can't reach is drawn, whatever its colour."""
    padded = cv2.copyMakeBorder((figure > 127).view(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    cv2.floodFill(padded, None, (0, 0), 2)
    return np.where(padded[1:-1, 1:-1] == 0, np.uint8(255), figure)
