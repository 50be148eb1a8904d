"""The photos of the demonstration: drawn by the project's own generator, or the user's own."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from pathlib import Path

import cv2

from training.photos import sample_photo

COUNT = 12
_SIZE = (1333, 1000)
_QUALITY = 92


def as_archive(photos: Path | None, folder: Path) -> Path:
    """A ZIP of the user's photos (a ZIP stays as it is), or of drawn ones; `folder` takes what is made."""
    if photos is None:
        return _write(folder / "sample.zip", _drawn())
    if photos.is_file():
        return photos
    files = sorted(path for path in photos.rglob("*") if path.is_file())
    return _write(
        folder / "photos.zip", ((str(path.relative_to(photos)), path.read_bytes()) for path in files)
    )


def _drawn() -> Iterable[tuple[str, bytes]]:
    for number in range(COUNT):
        rgb, _ = sample_photo(number, _SIZE)
        options = [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
        encoded = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), options)[1]
        yield f"garment-{number + 1:02}.jpg", encoded.tobytes()


def _write(path: Path, files: Iterable[tuple[str, bytes]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, data in files:
            archive.writestr(name, data)
    return path
