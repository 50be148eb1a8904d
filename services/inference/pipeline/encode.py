"""Pixels to the bytes of a result: tagged as sRGB, with no other metadata but the dpi that was asked for
and, if there are invented pixels, how the picture came about.
"""

from __future__ import annotations

import struct
from functools import cache
from io import BytesIO

import cv2
import numpy as np
from PIL import Image, ImageCms

from libs.common.contracts.options import ImageFormat, PictureFields
from services.inference.pipeline.arrays import U8
from services.inference.pipeline.encode_png import encode_png
from services.inference.pipeline.marks.source import DigitalSource
from services.inference.pipeline.marks.xmp import jpeg_segment, packet, png_text

_WEBP_METHOD = 0
"""Of 0 to 6: half the time of 2, and at the same likeness files of the same size."""
_AVIF_SPEED = 10
"""Of 0 to 10: a third of the time of 8 for 6 % larger files."""
_FULL_COLOUR_QUALITY = 90
"""Quality from which JPEG and AVIF keep colour at full resolution: saturated fabric frays without it."""
_PROFILE_DATE = struct.pack(">6H", 2000, 1, 1, 0, 0, 0)
_DENSITY = slice(13, 18)
"""Where JFIF (version 1.02, annex B) has its units and densities, in a file that begins with it."""
_PER_INCH = 1
_EXIF_X, _EXIF_Y, _EXIF_UNIT, _EXIF_INCH = 0x011A, 0x011B, 0x0128, 2


def encode(pixels: U8, asked: PictureFields, source: DigitalSource | None = None) -> bytes:
    """PNG, WebP, AVIF or JPEG of sRGB uint8 [H,W,3], or of [H,W,4] with straight alpha (JPEG has none).

    `source` is written into the file; without one there is nothing of the kind.

    PNG keeps every pixel as it is; it alone also takes one channel [H,W].
    The same pixels give the same bytes.
    """
    if asked.format is ImageFormat.PNG:
        return encode_png(pixels, asked.dpi, None if source is None else png_text(source))
    if asked.format is ImageFormat.JPEG:
        return _jpeg(pixels, asked, source)
    if asked.format is ImageFormat.WEBP:
        return _by_pillow(pixels, asked, source, method=_WEBP_METHOD)
    colour = "4:4:4" if asked.quality >= _FULL_COLOUR_QUALITY else "4:2:0"
    return _by_pillow(pixels, asked, source, speed=_AVIF_SPEED, subsampling=colour, max_threads=1)


def _jpeg(rgb: U8, asked: PictureFields, source: DigitalSource | None) -> bytes:
    quality, dpi = asked.quality, asked.dpi
    sampling = (
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444
        if quality >= _FULL_COLOUR_QUALITY
        else cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420
    )
    flags = (cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling)
    _, encoded = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), flags)
    if dpi is not None:
        encoded[_DENSITY] = np.frombuffer(struct.pack(">BHH", _PER_INCH, dpi, dpi), np.uint8)
    jfif_end = 4 + int(encoded[4]) * 256 + int(encoded[5])
    mark = b"" if source is None else jpeg_segment(source)
    return b"".join([encoded[:jfif_end].tobytes(), mark, _jpeg_profile(), encoded[jfif_end:].tobytes()])


def _jpeg_profile() -> bytes:
    """The profile as an APP2 segment (ICC.1:2022, B.4), the first and only part."""
    body = b"ICC_PROFILE\x00\x01\x01" + srgb_profile()
    return b"\xff\xe2" + struct.pack(">H", len(body) + 2) + body


def _by_pillow(pixels: U8, asked: PictureFields, source: DigitalSource | None, **settings: object) -> bytes:
    out = BytesIO()
    image = Image.fromarray(np.ascontiguousarray(pixels))
    if asked.dpi is not None:
        settings["exif"] = _exif(asked.dpi)
    if source is not None:
        settings["xmp"] = packet(source)
    profile = srgb_profile()
    image.save(out, asked.format.value, quality=asked.quality, icc_profile=profile, **settings)
    return out.getvalue()


def _exif(dpi: int) -> bytes:
    """Nothing but the resolution: WebP and AVIF have no other place for it."""
    exif = Image.Exif()
    exif[_EXIF_X] = exif[_EXIF_Y] = float(dpi)
    exif[_EXIF_UNIT] = _EXIF_INCH
    return exif.tobytes()


@cache
def srgb_profile() -> bytes:
    """sRGB as an ICC profile, under a fixed date: the same picture gives the same bytes on any day."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile[:24] + _PROFILE_DATE + profile[36:]
