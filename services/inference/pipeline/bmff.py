"""The boxes of an AVIF or HEIC: what their decoders do not tell, or tell too late.

ISO/IEC 14496-12, 4.2, and for the properties ISO/IEC 23008-12, 6.5.
"""

from __future__ import annotations

from collections.abc import Iterator

from services.inference.pipeline.limits import check_pixels

_HEAD = 8
_MOST_BOXES = 10_000
_FULL_BOX = 4
"""Bytes of version and flags at the start of a `meta` box."""
Box = tuple[bytes, int, int]
"""Kind, start and end of the content."""
_PROPERTIES = (b"meta", b"iprp", b"ipco")
_UNSPECIFIED = (2, 2)


def check_sizes(data: bytes) -> None:
    """Raises PictureRefused for a size (`ispe`) over the limits, of the picture or of a part of it."""
    for kind, start, end in _inside(data, _PROPERTIES):
        if kind == b"ispe" and end - start >= 12:
            check_pixels(_big(data[start + 4 : start + 8]), _big(data[start + 8 : start + 12]))


def nclx(data: bytes) -> tuple[int, int]:
    """Colour primaries and transfer characteristics (ITU-T H.273) of the first `colr` box that has them."""
    for kind, start, end in _inside(data, _PROPERTIES):
        if kind == b"colr" and data[start : start + 4] == b"nclx" and end - start >= 10:
            return _big(data[start + 4 : start + 6]), _big(data[start + 6 : start + 8])
    return _UNSPECIFIED


def boxes_end_early(data: bytes) -> bool:
    """Whether a box reaches beyond the end of the file, or the box of boxes or the pixels are missing."""
    whole = list(_boxes(data, 0, len(data)))
    kinds = {kind for kind, _, _ in whole}
    return not {b"meta", b"mdat"} <= kinds or whole[-1][2] < len(data)


def _inside(data: bytes, path: tuple[bytes, ...]) -> Iterator[Box]:
    """The boxes in the first one of each kind on the way down."""
    start, end = 0, len(data)
    for name in path:
        found = next((box for box in _boxes(data, start, end) if box[0] == name), None)
        if found is None:
            return
        start, end = found[1] + (_FULL_BOX if name == b"meta" else 0), found[2]
    yield from _boxes(data, start, end)


def _boxes(data: bytes, start: int, end: int) -> Iterator[Box]:
    """As far as their lengths make sense: it is the decoder that refuses a damaged file."""
    for _ in range(_MOST_BOXES):
        if start + _HEAD > end:
            return
        length, head = _big(data[start : start + 4]), _HEAD
        if length == 1:
            length, head = _big(data[start + 8 : start + 16]), 2 * _HEAD
        stop = start + length if length else end
        if stop < start + head or stop > end:
            return
        yield data[start + 4 : start + 8], start + head, stop
        start = stop


def _big(raw: bytes) -> int:
    return int.from_bytes(raw, "big")
