"""What most files of the corpus show: four quarters of different colour, so that no turn is missed."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

import numpy as np
from PIL import Image

from services.inference.pipeline.arrays import U8

WIDTH, HEIGHT = 96, 64
Colour = tuple[int, int, int]
Corners = tuple[Colour, Colour, Colour, Colour]
CORNERS: Corners = ((200, 60, 50), (60, 150, 80), (60, 80, 180), (222, 220, 214))
GREYS: Corners = ((100, 100, 100), (115, 115, 115), (85, 85, 85), (220, 220, 220))
"""CORNERS in black and white, by ITU-R BT.601."""
_INTO_FILE = {2: "fh", 3: "r180", 4: "fv", 5: "t", 6: "r90", 7: "tv", 8: "r270"}
"""What a camera that is held that way does to the upright scene."""


def scene(width: int = WIDTH, height: int = HEIGHT, corners: Corners = CORNERS) -> U8:
    """uint8 [H,W,3], with a little noise: damage to a file must show in its bytes."""
    rows = np.arange(height)[:, None] * 2 // max(height, 2)
    columns = np.arange(width)[None, :] * 2 // max(width, 2)
    flat = np.array(corners, np.float64)[rows * 2 + columns]
    noise = np.random.default_rng(3).normal(0, 3, flat.shape)
    return np.asarray(np.clip(flat + noise, 0, 255).round(), np.uint8)


def quarter_means(rgb: U8) -> Iterator[np.ndarray[tuple[int, ...], np.dtype[np.float64]]]:
    """Mean colour of each quarter, its rims left out."""
    height, width = rgb.shape[:2]
    for top in (0, height // 2):
        for left in (0, width // 2):
            part = rgb[top + height // 8 : top + height // 2 - height // 8][:, left + width // 8 :]
            yield part[:, : width // 2 - width // 4].mean(axis=(0, 1))


def image(rgb: U8 | None = None) -> Image.Image:
    return Image.fromarray(scene() if rgb is None else rgb)


def turned(orientation: int) -> Image.Image:
    """The scene as it lies in a file whose EXIF orientation (1 to 8) makes it upright."""
    rgb = scene()
    ways = {
        "fh": lambda a: a[:, ::-1],
        "r180": lambda a: a[::-1, ::-1],
        "fv": lambda a: a[::-1],
        "t": lambda a: a.transpose(1, 0, 2),
        "r90": lambda a: np.rot90(a, 1),
        "tv": lambda a: a[::-1, ::-1].transpose(1, 0, 2),
        "r270": lambda a: np.rot90(a, -1),
    }
    way = _INTO_FILE.get(orientation)
    return Image.fromarray(np.ascontiguousarray(ways[way](rgb)) if way else rgb)


def with_alpha() -> Image.Image:
    alpha = np.linspace(0, 255, WIDTH * HEIGHT).reshape(HEIGHT, WIDTH).astype(np.uint8)
    return Image.fromarray(np.dstack([scene(), alpha]))


def file_of(picture: Image.Image, kind: str, **options: object) -> bytes:
    out = BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def exif(orientation: int) -> bytes:
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags.tobytes()


def frames(count: int = 3) -> list[Image.Image]:
    """The scene, and others that must not be taken for it."""
    return [image(), *(image(scene(corners=(CORNERS[n % 4],) * 4)) for n in range(1, count))]


def put(data: bytes, at: int, new: bytes) -> bytes:
    """`new` written over what is there."""
    return data[:at] + new + data[at + len(new) :]
