"""Layers made by hand: garments of a known shape, and what was put under them."""

from __future__ import annotations

import numpy as np

from services.inference.pipeline.arrays import U8
from services.inference.pipeline.decode import Picture
from services.inference.pipeline.hollow import Filling
from services.inference.pipeline.layers import Layers
from services.inference.pipeline.matte import Matte, mixed_pixels


def noise(height: int, width: int, seed: int = 0) -> U8:
    """So that no pixel can be mistaken for its neighbour."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def layers_of(
    alpha: U8, rgb: U8 | None = None, filling: U8 | None = None, inside: U8 | None = None
) -> Layers:
    """A garment of this alpha [H,W], of noise unless of `rgb`; `filling` is the alpha of `inside`."""
    height, width = alpha.shape
    rgb = noise(height, width) if rgb is None else rgb
    edge = mixed_pixels(alpha)
    under = Filling(
        np.zeros_like(alpha) if filling is None else filling,
        noise(height, width, seed=1) if inside is None else inside,
    )
    return Layers(Picture(rgb), Matte(alpha, edge, rgb.reshape(-1, 3)[edge]), under)


def block(photo: tuple[int, int], left: int, top: int, width: int, height: int) -> U8:
    """Alpha [H,W] of a rectangular garment in a photo of a width and height (px)."""
    alpha = np.zeros(photo[::-1], np.uint8)
    alpha[top : top + height, left : left + width] = 255
    return alpha
