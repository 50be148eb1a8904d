"""A bank of noise fields, made once a process, from which every texture is cut at any size and scale."""

from functools import lru_cache

import cv2
import numpy as np

from training.photos.arrays import Image

SIDE = 384
CLOUD_CELLS = 5
FOLD_CELLS = 14
_FIELDS = 16


def clouds(rng: np.random.Generator, shape: tuple[int, int], feature: float) -> Image:
    """Fractal noise with blobs of about `feature` pixels; mean 0, deviation 1."""
    angle = rng.uniform(-np.pi, np.pi)
    return _cut(rng, _pick(rng, _cloud_bank()), shape, SIDE / CLOUD_CELLS / max(feature, 1.0), angle)


def folds(rng: np.random.Generator, shape: tuple[int, int], feature: float, angle: float) -> Image:
    """Ridges like those of hanging cloth, `feature` pixels apart, `angle` radians off the vertical."""
    return _cut(rng, _pick(rng, _fold_bank()), shape, SIDE / FOLD_CELLS / max(feature, 1.0), angle)


def grain(rng: np.random.Generator, shape: tuple[int, int], feature: float) -> Image:
    """Thread-sized noise, `feature` pixels wide."""
    return _cut(rng, _pick(rng, _grain_bank()), shape, 1.0 / max(feature, 0.5), rng.choice([0.0, np.pi / 2]))


def _pick(rng: np.random.Generator, bank: tuple[Image, ...]) -> Image:
    return bank[int(rng.integers(len(bank)))]


def _cut(rng: np.random.Generator, field: Image, shape: tuple[int, int], scale: float, angle: float) -> Image:
    cosine, sine = np.cos(angle) * scale, np.sin(angle) * scale
    shift_x, shift_y = rng.uniform(0, SIDE, 2)
    matrix = np.array([[cosine, -sine, shift_x], [sine, cosine, shift_y]], np.float32)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    cut = cv2.warpAffine(field, matrix, (shape[1], shape[0]), flags=flags, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(cut, np.float32)


@lru_cache(maxsize=1)
def _cloud_bank() -> tuple[Image, ...]:
    rng = np.random.default_rng(11)
    return tuple(_cloud_field(rng) for _ in range(_FIELDS))


@lru_cache(maxsize=1)
def _fold_bank() -> tuple[Image, ...]:
    rng = np.random.default_rng(12)
    return tuple(_fold_field(rng) for _ in range(_FIELDS))


@lru_cache(maxsize=1)
def _grain_bank() -> tuple[Image, ...]:
    rng = np.random.default_rng(13)
    return tuple(_grain_field(rng, index) for index in range(8))


def _cloud_field(rng: np.random.Generator) -> Image:
    field = np.zeros((SIDE, SIDE), np.float32)
    fade, weight = rng.uniform(0.4, 0.75), 1.0
    for octave in range(5):
        cells = CLOUD_CELLS * 2**octave
        field += weight * _smooth(rng, cells, cells)
        weight *= fade
    return _standard(field)


def _fold_field(rng: np.random.Generator) -> Image:
    """Light on draped cloth: bent ridges, stretched along y, lit from the side."""
    across, along = int(rng.integers(7, 16)), int(rng.integers(2, 5))
    height = _ridges(_smooth(rng, along, across)) + 0.6 * _smooth(rng, along, across // 2 + 2)
    height += 0.25 * _ridges(_smooth(rng, along * 2, across * 2))
    bend = _smooth(rng, 4, 4) * rng.uniform(4, 20)
    rows, columns = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    bent = cv2.remap(
        height.astype(np.float32), columns + bend, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )
    soft = np.asarray(cv2.GaussianBlur(bent, (0, 0), rng.uniform(2.0, 4.0)), np.float32)
    slope = np.asarray(cv2.Sobel(soft, cv2.CV_32F, 1, 0, ksize=5), np.float32)
    return np.clip(_standard(_standard(slope) * 0.8 + _standard(soft) * 0.45), -2.6, 2.6)


def _ridges(noise: Image) -> Image:
    """Rounded valleys between narrow crests."""
    return np.asarray(1.0 - np.sqrt(noise * noise + 0.02), np.float32)


def _grain_field(rng: np.random.Generator, index: int) -> Image:
    field = rng.standard_normal((SIDE, SIDE)).astype(np.float32)
    if index % 2:
        field = np.asarray(cv2.GaussianBlur(field, (0, 0), rng.uniform(0.6, 1.4)), np.float32)
    if index % 4 >= 2:
        field = np.asarray(cv2.blur(field, (1, 7)), np.float32)
    return _standard(field)


def _smooth(rng: np.random.Generator, rows: int, columns: int) -> Image:
    coarse = rng.standard_normal((rows + 3, columns + 3)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC), np.float32)


def _standard(field: Image) -> Image:
    return np.asarray((field - field.mean()) / (field.std() + 1e-6), np.float32)
