"""How large a photo may be, asked of its bytes and of its header before anything is decoded."""

from __future__ import annotations

from services.inference.errors import PictureRefused, RefusalCode

MAX_BYTES = 50_000_000
MAX_PIXELS = 50_000_000
MAX_SIDE = 16_383
"""Longest side in pixels: the limit of WebP, one of the formats a result can have."""


def check_bytes(data: bytes) -> None:
    """Raises PictureRefused for no bytes at all or more than `MAX_BYTES`."""
    if not data:
        raise PictureRefused(RefusalCode.EMPTY, "the file has no content")
    if len(data) > MAX_BYTES:
        raise PictureRefused(RefusalCode.TOO_MANY_BYTES, f"the file is over {MAX_BYTES // 1_000_000} MB")


def check_pixels(width: int, height: int) -> None:
    """Raises PictureRefused for a size (px) that no photo has or that is over the limits."""
    if width < 1 or height < 1:
        raise PictureRefused(RefusalCode.CORRUPT, f"the header says {width}×{height} pixels")
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise PictureRefused(
            RefusalCode.TOO_MANY_PIXELS,
            f"{width}×{height} pixels; at most {MAX_PIXELS // 1_000_000} MP and {MAX_SIDE} px a side",
        )


def webp_size(data: bytes) -> tuple[int, int] | None:
    """Width and height (px) in a WebP header (RFC 9649, 2.5 to 2.7), or None where it is none.

    Pillow's decoder allocates the canvas when it opens the file, which would be too late for the check.
    """
    chunk = data[12:16]
    if len(data) < 30:
        return None
    if chunk == b"VP8X":
        return 1 + _little(data[24:27]), 1 + _little(data[27:30])
    if chunk == b"VP8L":
        bits = _little(data[21:25])
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if chunk == b"VP8 ":
        return _little(data[26:28]) & 0x3FFF, _little(data[28:30]) & 0x3FFF
    return None


def webp_is_cut_short(data: bytes) -> bool:
    """Whether a WebP is shorter than its RIFF header says."""
    return len(data) < 8 + _little(data[4:8])


def _little(raw: bytes) -> int:
    return int.from_bytes(raw, "little")
