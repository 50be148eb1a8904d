"""The finished garment as layers at the photo's size, and which of its pixels are the photo's own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from services.inference.pipeline.arrays import U8
from services.inference.pipeline.decode import Picture
from services.inference.pipeline.hollow import Filling
from services.inference.pipeline.matte import Matte


@dataclass(frozen=True, slots=True, eq=False)
class Layers:
    """The visible garment of a photo over what was put into its openings."""

    picture: Picture
    matte: Matte
    filling: Filling

    def preserved(self) -> U8:
        """255 where the result holds the photo's own garment pixel bit for bit, else 0; uint8 [H,W]."""
        return np.where(self.matte.alpha == 255, np.uint8(255), np.uint8(0))

    def synthesized(self) -> U8:
        """255 for every pixel of the result that is not the photo's own; uint8 [H,W]."""
        return np.asarray(255 - self.preserved(), np.uint8)

    def preserved_fraction(self) -> float:
        """Share of the shown garment (inner back included) that is the photo's own pixels; 0 without any."""
        shown = int(np.count_nonzero((self.matte.alpha > 0) | (self.filling.alpha > 0)))
        own = int(np.count_nonzero(self.matte.alpha == 255))
        return own / shown if shown else 0.0
