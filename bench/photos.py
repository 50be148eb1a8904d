"""The photos of the benchmarks: drawn by the project's generator, no two alike, kept between runs."""

from __future__ import annotations

import zipfile
from pathlib import Path

import cv2

from training.photos import sample_photo

FOLDER = Path(".mannequin/bench")
_SCENES = 12
_SIZE = (1333, 1000)
_SMALL = (160, 120)


def photos(count: int, size: tuple[int, int] = _SIZE) -> list[bytes]:
    """JPEGs of 1000x1333 px, or of another (height, width), none like another.

    A scene comes again with another number on it.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    scenes = [cv2.cvtColor(sample_photo(seed, size)[0], cv2.COLOR_RGB2BGR) for seed in range(_SCENES)]
    made = []
    for number in range(count):
        scene = scenes[number % _SCENES].copy()
        cv2.putText(scene, str(number), (8, 32), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (0, 0, 0))
        made.append(cv2.imencode(".jpg", scene, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes())
    return made


def archive(count: int) -> Path:
    """A ZIP of `count` photos."""
    path = FOLDER / f"photos-{count}.zip"
    if not path.exists():
        _write(path, photos(count))
    return path


def small_archive(count: int) -> Path:
    """A ZIP of photos so small that the way counts for more than the rendering."""
    path = FOLDER / f"small-{count}.zip"
    if not path.exists():
        _write(path, photos(count, _SMALL))
    return path


def tiny_archive(count: int) -> Path:
    """A ZIP of `count` different pictures of a few bytes, for what is not about rendering."""
    path = FOLDER / f"tiny-{count}.zip"
    if not path.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        head = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00"
        _write(path, [head + number.to_bytes(8, "big") for number in range(count)])
    return path


def _write(path: Path, items: list[bytes]) -> None:
    draft = path.with_suffix(".part")
    with zipfile.ZipFile(draft, "w", zipfile.ZIP_STORED) as zipped:
        for number, data in enumerate(items):
            zipped.writestr(f"photo-{number:04}.jpg", data)
    draft.rename(path)
