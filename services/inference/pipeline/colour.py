"""Any colour model that a photo comes in, as 8-bit sRGB and an optional alpha."""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO

import cv2
import numpy as np
from PIL import Image, ImageCms

from services.inference.pipeline.arrays import U8
from services.inference.pipeline.refusals import unsupported

_SIXTEEN_BIT = ("I", "I;16", "I;16B", "I;16L", "I;16N")
_PREMULTIPLIED = {"RGBa": "RGBA", "La": "LA"}
_WITH_ALPHA = ("RGBA", "LA")
_PROFILED = ("L", "RGB", "CMYK", "LAB")
_KNOWN_PROFILES = 16
"""The photos of a batch come from one camera."""
_SMALL_PROFILE = 1 << 16
"""Bytes; what is kept between pictures is bounded."""
_BAND = 256
"""Rows converted at a time: copies of the whole picture on the way would cost four times its size."""


def to_srgb(image: Image.Image, profile: bytes | None) -> tuple[U8, U8 | None]:
    """sRGB uint8 [H,W,3] of a loaded image under an ICC profile, and its alpha uint8 [H,W] if it has one.

    16-bit channels keep their high byte, as libpng's `png_set_strip_16` does. Raises PictureRefused for
    floating-point pixels.
    """
    pixels, mode = _taken_out(_eight_bit(image))
    if mode not in _WITH_ALPHA:
        return in_srgb(pixels, mode, profile), None
    alpha = np.ascontiguousarray(pixels[..., -1])
    if mode == "LA":
        return in_srgb(np.ascontiguousarray(pixels[..., 0]), "L", profile), alpha
    return in_srgb(np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGBA2RGB), np.uint8), "RGB", profile), alpha


def in_srgb(pixels: U8, mode: str, profile: bytes | None) -> U8:
    """sRGB uint8 [H,W,3] of L, RGB, CMYK or LAB pixels uint8 [H,W] or [H,W,C] under an ICC profile.

    Mapped by relative colorimetry with black point compensation; what is sRGB already is returned as it is. A
    profile that is broken or made for another colour model counts as none.
    """
    if mode == "RGB" and is_srgb(profile):
        return pixels
    transform = _lab_transform() if mode == "LAB" else _transform(profile, mode) if profile else None
    if mode == "L" and transform is None:
        return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB), np.uint8)
    result = np.empty((*pixels.shape[:2], 3), np.uint8)
    for top in range(0, len(pixels), _BAND):
        band = pixels[top : top + _BAND]
        image = Image.frombuffer(mode, band.shape[1::-1], band, "raw", mode, 0, 1)
        moved = image.convert("RGB") if transform is None else ImageCms.applyTransform(image, transform)
        result[top : top + _BAND] = np.asarray(moved)
    return result


def is_srgb(profile: bytes | None) -> bool:
    """Whether RGB pixels under an ICC profile are sRGB as they stand: none, a broken one, or sRGB's own."""
    if not profile:
        return True
    return _says_srgb_again(profile) if len(profile) <= _SMALL_PROFILE else _says_srgb(profile)


def _says_srgb(profile: bytes) -> bool:
    transform = _transform(profile, "RGB")
    return transform is None or _changes_nothing(transform)


_says_srgb_again = lru_cache(_KNOWN_PROFILES)(_says_srgb)


def _eight_bit(image: Image.Image) -> Image.Image:
    if image.mode == "F":
        raise unsupported("its pixels are floating-point numbers", "save it with 8 or 16 bits a channel")
    if image.mode not in _SIXTEEN_BIT:
        return image
    sixteen = np.clip(np.asarray(image), 0, 0xFFFF)
    return Image.fromarray((sixteen >> 8).astype(np.uint8))


def _taken_out(image: Image.Image) -> tuple[U8, str]:
    """The pixels of an image and their mode: one with alpha, or one that a profile can be for."""
    if image.mode in _PREMULTIPLIED:
        image = image.convert(_PREMULTIPLIED[image.mode])
    if image.mode in ("P", "PA") or "transparency" in image.info:
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    if image.mode not in _WITH_ALPHA + _PROFILED:
        image = image.convert("RGB")
    return np.asarray(image), image.mode


def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """From the profile to sRGB; None for a profile that is broken or made for another colour model."""
    if mode not in _PROFILED:
        return None
    try:
        return _to_srgb_transform(ImageCms.ImageCmsProfile(BytesIO(profile)), mode)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


def _lab_transform() -> ImageCms.ImageCmsTransform:
    return _to_srgb_transform(ImageCms.createProfile("LAB"), "LAB")


def _to_srgb_transform(source: object, mode: str) -> ImageCms.ImageCmsTransform:
    return ImageCms.buildTransform(
        source,  # type: ignore[arg-type]  # the core profile is taken too
        ImageCms.createProfile("sRGB"),
        mode,
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )


def _changes_nothing(transform: ImageCms.ImageCmsTransform) -> bool:
    """Whether no colour of a coarse RGB cube moves by more than rounding: then pixels stay bit for bit."""
    steps = np.arange(0, 256, 15, dtype=np.uint8)
    cube = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(len(steps), -1, 3)
    moved = ImageCms.applyTransform(Image.fromarray(cube), transform)
    return bool(np.abs(np.asarray(moved, np.int16) - cube).max() <= 1)
