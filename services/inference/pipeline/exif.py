"""The orientation in EXIF (CIPA DC-008), and nothing else of it."""

from __future__ import annotations

import struct

_MARK = b"Exif\x00\x00"
_BYTE_ORDERS = {b"II": "<", b"MM": ">"}
_ORIENTATION = 0x0112
_ENTRY = 12
_SHORT, _LONG = (3, "H"), (4, "I")


def orientation(exif: bytes) -> int:
    """1 to 8, with or without the mark `Exif` before it; 1 where there is none, or nonsense.

    A picture whose EXIF is damaged stands as it is: metadata is no reason to refuse it.
    """
    exif = exif.removeprefix(_MARK)
    order = _BYTE_ORDERS.get(exif[:2])
    if order is None or len(exif) < 8:
        return 1
    found = _find(exif, order)
    return found if found in range(1, 9) else 1


def _find(exif: bytes, order: str) -> int:
    """The value of the tag in the first directory (TIFF 6.0, section 2), or 0."""
    start = struct.unpack_from(order + "I", exif, 4)[0]
    if start + 2 > len(exif):
        return 0
    count = struct.unpack_from(order + "H", exif, start)[0]
    for at in range(start + 2, min(start + 2 + count * _ENTRY, len(exif) - _ENTRY + 1), _ENTRY):
        tag, kind, values = struct.unpack_from(order + "HHI", exif, at)
        if tag == _ORIENTATION:
            code = dict((_SHORT, _LONG)).get(kind) if values == 1 else None
            return int(struct.unpack_from(order + code, exif, at + 8)[0]) if code else 0
    return 0
