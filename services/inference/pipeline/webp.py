"""The header of a WebP (RFC 9649, 2.3 to 2.7), read before its decoder makes room for what it says."""

from __future__ import annotations

from services.inference.errors import PictureRefused, RefusalCode
from services.inference.pipeline.limits import MAX_ANIMATED_PIXELS, check_pixels
from services.inference.pipeline.refusals import cut_short, damaged

_HEADER = 30
_FIRST_CHUNK, _FRAME = 12, 8
_PIXELS = (b"VP8 ", b"VP8L", b"ALPH", b"ANMF")
_MOST_KINDS = 16
_ANIMATION = 0x02


def check_webp(data: bytes) -> None:
    """Raises PictureRefused for a WebP that is too large, cut short, or of no known coding.

    libwebp reads an animation on two canvases of four channels: it may have half of the pixels.
    """
    if len(data) < max(_HEADER, 8 + _little(data[4:8]), 20 + _little(data[16:20])):
        raise cut_short()
    size = webp_size(data)
    if size is None:
        raise damaged("the WebP does not begin with a picture")
    check_pixels(*size)
    if _is_animated(data) and size[0] * size[1] > MAX_ANIMATED_PIXELS:
        raise PictureRefused(
            RefusalCode.TOO_MANY_PIXELS,
            f"an animation of over {MAX_ANIMATED_PIXELS // 1_000_000} MP; send it as a still picture",
        )


def webp_size(data: bytes) -> tuple[int, int] | None:
    """Width and height (px) in the header, or None where it is none.

    Pillow's decoder allocates the canvas when it opens the file, which would be too late for the check.
    """
    chunk = data[12:16]
    if len(data) < _HEADER:
        return None
    if chunk == b"VP8X":
        return 1 + _little(data[24:27]), 1 + _little(data[27:30])
    if chunk == b"VP8L":
        bits = _little(data[21:25])
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if chunk == b"VP8 ":
        return _little(data[26:28]) & 0x3FFF, _little(data[28:30]) & 0x3FFF
    return None


def webp_chunks(data: bytes) -> dict[bytes, bytes]:
    """The first chunk of each kind but pixels; empty for the simple files, which have nothing else."""
    chunks: dict[bytes, bytes] = {}
    at = _FIRST_CHUNK
    while data[12:16] == b"VP8X" and at + _FRAME <= len(data) and len(chunks) < _MOST_KINDS:
        length = _little(data[at + 4 : at + 8])
        if data[at : at + 4] not in _PIXELS:
            chunks.setdefault(data[at : at + 4], data[at + _FRAME : at + _FRAME + length])
        at += _FRAME + length + length % 2
    return chunks


def _is_animated(data: bytes) -> bool:
    return data[12:16] == b"VP8X" and bool(data[20] & _ANIMATION)


def _little(raw: bytes) -> int:
    return int.from_bytes(raw, "little")
