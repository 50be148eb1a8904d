"""JPEGs, checked for being whole: libjpeg paints grey what is missing, and most readers say nothing.

Segments and scans after ITU-T T.81, annex B.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO

import numpy as np
import simplejpeg  # type: ignore[import-untyped]
from PIL import Image

from services.inference.pipeline.arrays import U8
from services.inference.pipeline.limits import MAX_PARTS, MAX_SCANS, check_pixels
from services.inference.pipeline.refusals import cut_short, damaged, refusal_of, unsupported

_MARKER = re.compile(rb"\xff+([^\x00\xff])")
_AFTER_ENTROPY = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])")
_BARE = {0x01, *range(0xD0, 0xD9)}
_EOI, _SOS = 0xD9, 0xDA
_APP1, _APP2, _APP14 = 0xE1, 0xE2, 0xEE
_SOF = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = {0xC2, 0xCA}
_TAKEN_SOF = {0xC0, 0xC1, 0xC9} | _PROGRESSIVE
_EXIF, _ICC, _ADOBE = b"Exif\x00\x00", b"ICC_PROFILE\x00", b"Adobe"
_COEFFICIENTS = 64
_ODD_LAYOUT = "subsampling level"
_COLOURS = {1: "GRAY", 4: "CMYK"}
"""By the number of components; three are RGB, be it stored as that or as luma and chroma."""
_HARMLESS = (
    "extraneous bytes",
    "unknown jfif revision",
    "unknown adobe color transform",
    "invalid sos parameters",
)
"""Warnings of libjpeg about files that are whole; the first is what many cameras leave before the end."""


@dataclass(slots=True)
class JpegHeader:
    """What the segments say. `missing`: low bits of each coefficient that no scan has brought yet."""

    width: int = 0
    height: int = 0
    progressive: bool = False
    exif: bytes = b""
    adobe: bool = False
    scans: int = 0
    missing: dict[int, list[int]] = field(default_factory=dict)
    profile_parts: dict[int, bytes] = field(default_factory=dict)

    @property
    def profile(self) -> bytes | None:
        """The ICC profile (ICC.1, B.4), put together from its segments, or None."""
        return b"".join(self.profile_parts[number] for number in sorted(self.profile_parts)) or None

    @property
    def whole(self) -> bool:
        """Whether the scans bring every bit of every coefficient of every component."""
        return bool(self.missing) and not any(map(any, self.missing.values()))


def read_header(data: bytes) -> JpegHeader:
    """All segments up to the end of the first picture.

    Raises PictureRefused for a coding that is not taken, and for more parts than any picture needs.
    """
    header = JpegHeader()
    for number, (marker, body) in enumerate(_segments(data)):
        if number >= MAX_PARTS:
            raise damaged(f"the JPEG is in more than {MAX_PARTS} parts")
        _take(header, marker, body)
    if header.scans == 0:
        raise cut_short()
    return header


def jpeg_pixels(data: bytes, header: JpegHeader) -> U8:
    """Grey [H,W,1], RGB [H,W,3] or, as stored, CMYK [H,W,4], not turned.

    Raises PictureRefused for one that is too large, damaged or not whole.
    """
    check_pixels(header.width, header.height)
    colours = _COLOURS.get(len(header.missing), "RGB")
    try:
        return np.asarray(simplejpeg.decode_jpeg(data, colours), np.uint8)
    except ValueError as exc:
        said = str(exc).lower()
        if _ODD_LAYOUT in said and colours == "RGB":
            return _by_pillow(data)
        if not any(words in said for words in _HARMLESS):
            raise refusal_of(said) from exc
    return np.asarray(simplejpeg.decode_jpeg(data, colours, strict=False), np.uint8)


def _by_pillow(data: bytes) -> U8:
    """Slower, and silent about what is missing, but it takes any subsampling."""
    with Image.open(BytesIO(data), formats=("JPEG",)) as image:
        return np.asarray(image.convert("RGB"))


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Marker and body of each segment; of a scan, its header."""
    at, search = 2, _MARKER
    while found := search.search(data, at):
        marker, at = found[1][0], found.end()
        if marker == _EOI:
            return
        if marker in _BARE:
            continue
        length = int.from_bytes(data[at : at + 2], "big")
        if at + length > len(data):
            raise cut_short()
        yield marker, data[at + 2 : at + max(2, length)]
        at += max(2, length)
        search = _AFTER_ENTROPY if marker == _SOS else _MARKER


def _take(header: JpegHeader, marker: int, body: bytes) -> None:
    if marker in _SOF:
        _take_frame(header, marker, body)
    elif marker == _SOS:
        _take_scan(header, body)
    elif marker == _APP1 and body.startswith(_EXIF):
        header.exif = header.exif or body
    elif marker == _APP2 and body.startswith(_ICC):
        header.profile_parts.setdefault(body[12] if len(body) > 12 else 0, body[14:])
    elif marker == _APP14 and body.startswith(_ADOBE):
        header.adobe = True


def _take_frame(header: JpegHeader, marker: int, body: bytes) -> None:
    if len(body) < 6:
        raise damaged()
    if marker not in _TAKEN_SOF or body[0] != 8:
        raise unsupported(
            "this is a lossless, hierarchical or 12-bit JPEG", "save it as a usual one, 8 bits a channel"
        )
    if header.missing:
        raise damaged("the JPEG has two headers")
    header.height, header.width = struct.unpack_from(">HH", body, 1)
    header.progressive = marker in _PROGRESSIVE
    header.missing = {component: [1] * _COEFFICIENTS for component in body[6::3][: body[5]]}


def _take_scan(header: JpegHeader, body: bytes) -> None:
    header.scans += 1
    if header.scans > MAX_SCANS:
        raise damaged(f"the JPEG has more than {MAX_SCANS} scans")
    if not body or len(body) < 4 + 2 * body[0]:
        raise damaged()
    first, last, shift = body[-3], body[-2], body[-1] & 15
    if not header.progressive:
        first, last, shift = 0, _COEFFICIENTS - 1, 0
    for component in body[1 : 1 + 2 * body[0] : 2]:
        if component in header.missing:
            header.missing[component][first : last + 1] = [shift] * max(0, min(last, 63) + 1 - first)
