"""Studio photos of the generator at a shop's size, with the truth about them; drawn once and kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from bench.photos import FOLDER
from training.photos import GARMENT, sample_photo

SIZE = (2000, 1500)
"""Height and width, px."""
_QUALITY = 90
_NOISE = 2.0
"""Of a sensor, in steps of 255: without it files are a quarter of a photo's, and codecs look too cheap."""


@dataclass(frozen=True, slots=True)
class Studio:
    """A JPEG, and a mask PNG of its garment."""

    jpeg: Path
    mask: Path

    @property
    def data(self) -> bytes:
        return self.jpeg.read_bytes()

    @property
    def truth(self) -> NDArray[np.bool_]:
        """Where the garment is, bool [H,W]."""
        return np.asarray(cv2.imread(str(self.mask), cv2.IMREAD_GRAYSCALE)) > 127


def studio_photos(count: int, size: tuple[int, int] = SIZE) -> list[Studio]:
    """The first `count` sample photos at a height and width (px)."""
    folder = FOLDER / f"studio-{size[1]}x{size[0]}"
    folder.mkdir(parents=True, exist_ok=True)
    photos = [Studio(folder / f"{seed:03}.jpg", folder / f"{seed:03}.png") for seed in range(count)]
    missing = [seed for seed, photo in enumerate(photos) if not photo.jpeg.exists()]
    for seed in track(missing, "drawing photos", transient=True, disable=not missing):
        _draw(photos[seed], seed, size)
    return photos


def _draw(photo: Studio, seed: int, size: tuple[int, int]) -> None:
    drawn = sample_photo(seed, size)
    cv2.imwrite(str(photo.mask), (drawn.classes == GARMENT).astype(np.uint8) * 255)
    draft = photo.jpeg.with_suffix(".part.jpg")
    noise = np.random.default_rng(seed).normal(0, _NOISE, drawn.rgb.shape)
    noisy = np.clip(drawn.rgb + noise, 0, 255).astype(np.uint8)
    cv2.imwrite(str(draft), noisy[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    draft.rename(photo.jpeg)
