"""What camera, light and files do to a picture."""

from __future__ import annotations

import cv2
import numpy as np

from training.photos.arrays import Bytes, Image


def develop(rng: np.random.Generator, picture: Image, *, calm: bool) -> Bytes:
    """A float picture in 0..1 as an 8-bit photo; a `calm` studio makes few mistakes."""
    picture = picture * np.float32(rng.uniform(0.9, 1.08) if calm else rng.uniform(0.6, 1.3))
    gains = rng.normal(1, 0.01 if calm else 0.06, 3).astype(np.float32)
    picture = np.clip(picture * gains, 0, 1) ** np.float32(
        rng.uniform(0.92, 1.08) if calm else rng.uniform(0.75, 1.3)
    )
    if not calm and rng.random() < 0.5:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 1.3)), np.float32)
    if rng.random() < 0.6:
        noise = rng.standard_normal(picture.shape, np.float32)
        picture = picture + noise * np.float32(rng.uniform(0.002, 0.008 if calm else 0.03))
    photo = np.clip(picture * 255 + 0.5, 0, 255).astype(np.uint8)
    return photo if calm or rng.random() < 0.3 else _as_jpeg(rng, photo)


def _as_jpeg(rng: np.random.Generator, photo: Bytes) -> Bytes:
    options = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(35, 96))]
    encoded = cv2.imencode(".jpg", photo[..., ::-1], options)[1]
    decoded = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8)
    return np.ascontiguousarray(decoded[..., ::-1])
