"""Photos for tests, drawn by the project's generator; no two alike."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable

import cv2

from training.photos import sample_photo


def jpegs(count: int, size: tuple[int, int] = (400, 300)) -> list[bytes]:
    """Different JPEGs of (height, width) px: a few scenes, each time with another number."""
    scenes = [cv2.cvtColor(sample_photo(seed, size)[0], cv2.COLOR_RGB2BGR) for seed in range(4)]
    made = []
    for number in range(count):
        scene = scenes[number % len(scenes)].copy()
        cv2.putText(scene, str(number), (4, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (0, 0, 0))
        made.append(cv2.imencode(".jpg", scene)[1].tobytes())
    return made


def zipped(files: Iterable[tuple[str, bytes]]) -> bytes:
    """A ZIP of them."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in files:
            archive.writestr(name, data)
    return buffer.getvalue()


def numbered(photos: Iterable[bytes]) -> list[tuple[str, bytes]]:
    """With the names photo-000.jpg, photo-001.jpg, …"""
    return [(f"photo-{number:03}.jpg", photo) for number, photo in enumerate(photos)]
