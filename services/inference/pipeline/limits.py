"""How large a photo may be, asked of its bytes and of its header before anything is decoded.

| what                                 | limit      | where it is held |
| ------------------------------------ | ---------- | ---------------- |
| bytes of a file                      | 50 MB      | `check_bytes`    |
| pixels                               | 50 MP      | `check_pixels`   |
| pixels of an animated WebP           | 25 MP      | `webp`           |
| longest side                         | 16,383 px  | `check_pixels`   |
| parts of a PNG, segments of a JPEG   | 100,000    | `png`, `jpeg`    |
| scans of a progressive JPEG          | 100        | `jpeg`           |
| a tile of a TIFF                      | as pixels  | `decode`         |
| inflated text or profile of a PNG    | 1 MB       | Pillow           |
| memory while one picture is decoded  | 1 GiB      | the limits above |

The last line is what the others add up to. Measured on 50 MP, in MiB: JPEG 290 (in CMYK 340, turned 430),
PNG 380 (16 bits 760, in P3 and turned 810), WebP 380, TIFF 570, HEIC 630, AVIF 590 (alpha, turned: 830).
Nothing is decoded at reduced scale: what is taken keeps all its pixels.
"""

from __future__ import annotations

from services.inference.errors import PictureRefused, RefusalCode

MAX_BYTES = 50_000_000
MAX_PIXELS = 50_000_000
MAX_ANIMATED_PIXELS = 25_000_000
MAX_SIDE = 16_383
"""Longest side in pixels: the limit of WebP, one of the formats a result can have."""
MAX_PARTS = 100_000
"""A PNG of 50 MB in chunks of 4 KiB has an eighth of them."""
MAX_SCANS = 100
"""Each one costs a pass over all pixels, and a byte or two of the file; libtiff draws the line here too."""
DECODE_MEMORY = 1 << 30
"""Bytes by which a process may grow while it decodes a picture, file and result included."""


def check_bytes(data: bytes) -> None:
    """Raises PictureRefused for no bytes at all or more than `MAX_BYTES`."""
    if not data:
        raise PictureRefused(RefusalCode.EMPTY, "the file has no content; upload the photo again")
    if len(data) > MAX_BYTES:
        raise PictureRefused(
            RefusalCode.TOO_MANY_BYTES,
            f"the file is over {MAX_BYTES // 1_000_000} MB; save it smaller or as JPEG",
        )


def check_pixels(width: int, height: int) -> None:
    """Raises PictureRefused for a size (px) that no photo has or that is over the limits."""
    if width < 1 or height < 1:
        raise PictureRefused(
            RefusalCode.CORRUPT, f"the header says {width}×{height} pixels; export the picture again"
        )
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise PictureRefused(
            RefusalCode.TOO_MANY_PIXELS,
            f"{width}×{height} pixels; shrink it to {MAX_PIXELS // 1_000_000} MP and {MAX_SIDE} px a side",
        )
