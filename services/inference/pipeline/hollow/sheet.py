"""Where invented pixels are collected: parts of a photo laid over each other."""

from __future__ import annotations

import numpy as np

from services.inference.pipeline.arrays import F32, U8
from services.inference.pipeline.hollow.evidence import Frame


class Sheet:
    """A filling in the making, of a photo [H,W,3]; it costs nothing until something is put on it."""

    def __init__(self, photo: U8) -> None:
        self._photo = photo
        self.alpha: U8 = np.zeros(photo.shape[:2], np.uint8)
        self.rgb: U8 = photo

    def put(self, frame: Frame, alpha: U8, rgb: F32) -> None:
        """Lays colours [h,w,3] (0..255) weighted by alpha [h,w] over a part of the sheet."""
        if self.rgb is self._photo:
            self.rgb = self._photo.copy()
        before, part = self.alpha[frame.window], self.rgb[frame.window]
        # Under nothing a colour counts whole; only over what lies there already is it weighted.
        weight = np.where(before > 0, alpha * np.float32(1 / 255), (alpha > 0).astype(np.float32))[..., None]
        part[:] = np.rint(part * (1 - weight) + rgb * weight)
        np.maximum(before, alpha, out=before)
