"""Photos and maps of any shape and any nonsense: a filling of the photo's size, never an error."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from libs.common.contracts.options import RenderOptions
from services.inference.pipeline.arrays import F32
from services.inference.pipeline.decode import Picture
from services.inference.pipeline.hollow import InsideShot, hollow_out
from services.inference.pipeline.matte import Matte, mixed_pixels
from services.inference.pipeline.segment import GARMENT, Maps

SIZES = [(1, 1), (1, 300), (300, 1), (2, 3), (5, 900), (900, 7), (64, 48), (200, 150), (33, 1000)]
ASKED = RenderOptions(fill_occlusions=True, neck_label=True)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_nonsense_of_any_shape_is_filled_without_an_error(size: tuple[int, int]) -> None:
    """Blobs as maps, noise as a photo, some with an inside shot of the same kind."""
    for seed in range(12):
        rng = np.random.default_rng([seed, *size])
        picture, maps = nonsense(rng, size)
        inside = InsideShot(*nonsense(rng, SIZES[seed % len(SIZES)])) if seed % 3 == 0 else None
        filling = hollow_out(picture, maps, matte_of(maps, size), ASKED, inside)
        assert filling.alpha.shape == size
        assert filling.rgb.shape == (*size, 3)
        assert 0 <= filling.hidden.share <= 1


def nonsense(rng: np.random.Generator, size: tuple[int, int]) -> tuple[Picture, Maps]:
    height, width = (int(side) for side in rng.integers(1, 60, 2))
    planes = np.exp(np.stack([blobs(rng, height, width) * rng.uniform(0.5, 6) for _ in range(4)]))
    interior = 1 / (1 + np.exp(-4 * blobs(rng, height, width)))
    photo = rng.integers(0, 256, (*size, 3)).astype(np.uint8)
    return Picture(photo), Maps((planes / planes.sum(axis=0)).astype(np.float32), interior.astype(np.float32))


def blobs(rng: np.random.Generator, height: int, width: int) -> F32:
    coarse = max(1, height // int(rng.integers(1, 9))), max(1, width // int(rng.integers(1, 9)))
    return np.asarray(cv2.resize(rng.normal(size=coarse).astype(np.float32), (width, height)), np.float32)


def matte_of(maps: Maps, size: tuple[int, int]) -> Matte:
    likely = cv2.resize(maps.classes[GARMENT], size[::-1])
    alpha = np.clip((likely - 0.3) * 600, 0, 255).astype(np.uint8)
    edge = mixed_pixels(alpha)
    return Matte(alpha, edge, np.zeros((len(edge), 3), np.uint8))
