"""A training case: a picture, what is where on it, and which garment is asked for."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from training.photos.arrays import Bytes

UNKNOWN = 255
"""Label of what a picture's source does not know; no loss is taken there."""
HINTS = ("auto", "upper", "lower", "full")


@dataclass(frozen=True, eq=False)
class Case:
    """uint8: `rgb` [H,W,3], `classes` [H,W] of 0..3, `interior` [H,W] of 0, 1 or UNKNOWN; `hint` of HINTS."""

    rgb: Bytes
    classes: Bytes
    interior: Bytes
    hint: str

    def flipped(self) -> Case:
        """The mirror image."""
        rgb, classes, interior = (a[:, ::-1] for a in (self.rgb, self.classes, self.interior))
        return Case(rgb, classes, interior, self.hint)

    def cut(self, box: tuple[int, int, int, int]) -> Case:
        """The part inside (left, top, right, bottom)."""
        left, top, right, bottom = box
        part = np.s_[top:bottom, left:right]
        return Case(self.rgb[part], self.classes[part], self.interior[part], self.hint)


def letterboxed(case: Case, size: tuple[int, int]) -> Case:
    """The case as large as it fits into (height, width), centred, edges repeated: as the service does it."""
    height, width = case.classes.shape
    scale = min(size[0] / height, size[1] / width)
    inner = (
        min(size[1], max(2, 2 * round(width * scale / 2))),
        min(size[0], max(2, 2 * round(height * scale / 2))),
    )
    shrink = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    layers = (
        cv2.resize(case.rgb, inner, interpolation=shrink),
        cv2.resize(case.classes, inner, interpolation=cv2.INTER_NEAREST),
        cv2.resize(case.interior, inner, interpolation=cv2.INTER_NEAREST),
    )
    left, top = (size[1] - inner[0]) // 4 * 2, (size[0] - inner[1]) // 4 * 2
    frame = top, size[0] - inner[1] - top, left, size[1] - inner[0] - left
    rgb = cv2.copyMakeBorder(layers[0], *frame, borderType=cv2.BORDER_REPLICATE)
    classes, interior = (
        np.asarray(cv2.copyMakeBorder(layer, *frame, borderType=cv2.BORDER_CONSTANT, value=UNKNOWN), np.uint8)
        for layer in layers[1:]
    )
    return Case(np.asarray(rgb, np.uint8), classes, interior, case.hint)


def halved(classes: Bytes) -> Bytes:
    """Classes at half the size, by the majority of each block of four; UNKNOWN where nothing is known."""
    blocks = classes.reshape(classes.shape[0] // 2, 2, classes.shape[1] // 2, 2)
    counts = np.stack([(blocks == label).sum((1, 3)) for label in range(4)])
    return np.where(counts.any(0), np.argmax(counts, 0), UNKNOWN).astype(np.uint8)
