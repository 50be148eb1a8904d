"""The photos of the demonstration: drawn by the project's own generator, or the user's own."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2

from libs.client.archives import zip_folder
from training.photos import sample_photo

COUNT = 12
_SIZE = (1333, 1000)
_SMALL = (800, 600)
_QUALITY = 92


@dataclass(frozen=True)
class Shoot:
    """An archive of photos. names: of the photos in it that must come back, where that is known."""

    archive: Path
    names: frozenset[str] = frozenset()


def shoot(photos: Path | None, folder: Path) -> Shoot:
    """The user's photos (a ZIP stays as it is), or drawn ones; `folder` takes what is made.

    NothingToSend if the user's folder is empty.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if photos is None:
        return _drawn(folder / "sample.zip")
    return Shoot(photos if photos.is_file() else zip_folder(photos, folder / "photos.zip"))


def many(folder: Path) -> Path:
    """A ZIP of more and smaller photos: each of some drawn ones, and what a mirror shows of it."""
    path = folder / "many.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for number in range(COUNT):
            picture = cv2.cvtColor(sample_photo(number, _SMALL).rgb, cv2.COLOR_RGB2BGR)
            for side, shown in (("left", picture), ("right", cv2.flip(picture, 1))):
                data = cv2.imencode(".jpg", shown, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes()
                archive.writestr(f"garment-{number + 1:02}-{side}.jpg", data)
    return path


def _drawn(path: Path) -> Shoot:
    names = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, data in _jpegs():
            archive.writestr(name, data)
            names.append(name)
    return Shoot(path, frozenset(names))


def _jpegs() -> Iterator[tuple[str, bytes]]:
    for number in range(COUNT):
        rgb = sample_photo(number, _SIZE).rgb
        options = [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
        encoded = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), options)[1]
        yield f"garment-{number + 1:02}.jpg", encoded.tobytes()
