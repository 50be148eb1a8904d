"""The chunks of a PNG, looked through before a decoder trusts their lengths, and what they say of colours."""

from __future__ import annotations

import struct

from services.inference.errors import PictureRefused, RefusalCode
from services.inference.pipeline.icc import BT709, SRGB_CURVE, Primaries, profile_of, profile_of_codes
from services.inference.pipeline.limits import MAX_PARTS
from services.inference.pipeline.refusals import damaged

_SIGNATURE = 8
_FRAME = 12
"""Bytes of a chunk beside its data: length, kind, checksum."""
_EXIF = b"eXIf"
_KEPT, _KEPT_OF_EXIF = 32, 65_536
"""Bytes kept of a chunk: those with numbers are no longer (IHDR 13, cHRM 32), nor is EXIF in a JPEG."""
_SCALE = 100_000
"""PNG's numbers for gamma and chromaticities are hundred-thousandths."""

Chunks = dict[bytes, bytes]


def read_chunks(data: bytes) -> Chunks:
    """The start of the first chunk of each kind (PNG, third edition, 5.3) up to IEND.

    Raises PictureRefused for a chunk that is longer than the rest of the file: OpenCV's reader makes room for
    whatever a length says, up to 2 GiB, before it notices.
    """
    chunks: Chunks = {}
    at = _SIGNATURE
    for _ in range(MAX_PARTS):
        if at + _FRAME > len(data) or b"IEND" in chunks:
            return chunks
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        kept = min(length, _KEPT_OF_EXIF if kind == _EXIF else _KEPT)
        chunks.setdefault(kind, data[at + 8 : at + 8 + kept])
        at += _FRAME + length
        if at > len(data):
            raise PictureRefused(
                RefusalCode.TRUNCATED, "a part of the PNG is longer than the file; upload it again"
            )
    raise damaged(f"the PNG is in more than {MAX_PARTS} parts")


def named_profile(chunks: Chunks, embedded: bytes | None) -> bytes | None:
    """The ICC profile in force (11.3.2): cICP before iCCP before sRGB before gAMA and cHRM; None for sRGB."""
    codes = chunks.get(b"cICP", b"")
    if len(codes) == 4:
        return profile_of_codes(codes[0], codes[1])
    if embedded or b"sRGB" in chunks:
        return embedded
    return profile_of(_primaries(chunks.get(b"cHRM", b"")), _exponent(chunks.get(b"gAMA", b"")))


def _exponent(body: bytes) -> float:
    gamma = int.from_bytes(body, "big") if len(body) == 4 else 0
    return _SCALE / gamma if gamma else SRGB_CURVE


def _primaries(body: bytes) -> Primaries:
    if len(body) != 32:
        return BT709
    x_y = [value / _SCALE for value in struct.unpack(">8I", body)]
    found = Primaries(*zip(x_y[::2], x_y[1::2], strict=True))
    return BT709 if _are_close(found, BT709) else found


def _are_close(one: Primaries, other: Primaries) -> bool:
    return all(abs(a - b) < 0.001 for p, q in zip(one, other, strict=True) for a, b in zip(p, q, strict=True))
