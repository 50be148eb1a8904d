"""Any colour model that a photo comes in, as 8-bit sRGB and an optional alpha."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image, ImageCms

from services.inference.errors import PictureRefused, RefusalCode
from services.inference.pipeline.arrays import U8

_SIXTEEN_BIT = ("I", "I;16", "I;16B", "I;16L", "I;16N")
_PREMULTIPLIED = {"RGBa": "RGBA", "La": "LA"}
_PROFILED = ("L", "RGB", "CMYK", "LAB")


def to_srgb(image: Image.Image) -> tuple[U8, U8 | None]:
    """sRGB uint8 [H,W,3] of a loaded Pillow image, and its alpha uint8 [H,W] if it has one.

    16-bit channels keep their high byte, as libpng's `png_set_strip_16` does. Other colour spaces are mapped
    by relative colorimetry with black point compensation. Raises PictureRefused for floating-point pixels.
    """
    flat, alpha = _split_alpha(_eight_bit(image))
    profile = image.info.get("icc_profile")
    return np.asarray(_in_srgb(flat, profile)), alpha


def is_srgb(profile: bytes | None) -> bool:
    """Whether RGB pixels under an ICC profile are sRGB as they stand: none, a broken one, or sRGB's own."""
    transform = _transform(profile, "RGB") if profile else None
    return transform is None or _changes_nothing(transform)


def _eight_bit(image: Image.Image) -> Image.Image:
    if image.mode == "F":
        raise PictureRefused(
            RefusalCode.UNSUPPORTED_FORMAT, "floating-point pixels; save it with 8 or 16 bits"
        )
    if image.mode not in _SIXTEEN_BIT:
        return image
    sixteen = np.clip(np.asarray(image), 0, 0xFFFF)
    return Image.fromarray((sixteen >> 8).astype(np.uint8))


def _split_alpha(image: Image.Image) -> tuple[Image.Image, U8 | None]:
    if image.mode in _PREMULTIPLIED:
        image = image.convert(_PREMULTIPLIED[image.mode])
    if image.mode in ("P", "PA") or "transparency" in image.info:
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    if image.mode not in ("RGBA", "LA"):
        return image, None
    return image.convert(image.mode[:-1]), np.asarray(image.getchannel("A"))


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    if image.mode == "LAB":
        return ImageCms.applyTransform(image, _lab_transform()) or image
    transform = _transform(profile, image.mode) if profile else None
    if transform is None or (image.mode == "RGB" and _changes_nothing(transform)):
        return image.convert("RGB")
    return ImageCms.applyTransform(image, transform) or image


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
