"""The chunks of a PNG, looked through before a decoder trusts their lengths."""

from __future__ import annotations

from services.inference.errors import PictureRefused, RefusalCode

_SIGNATURE = 8
_FRAME = 12
"""Bytes of a chunk beside its data: length, kind, checksum."""
_MOST_CHUNKS = 100_000
"""A file of 50 MB in chunks of 4 KiB has an eighth of them."""


def chunk_kinds(data: bytes) -> frozenset[bytes]:
    """The kinds of chunks (PNG, third edition, 5.3) up to IEND.

    Raises PictureRefused for a chunk that is longer than the rest of the file: OpenCV's reader makes room for
    whatever a length says, up to 2 GiB, before it notices.
    """
    kinds: set[bytes] = set()
    at = _SIGNATURE
    for _ in range(_MOST_CHUNKS):
        if at + _FRAME > len(data) or b"IEND" in kinds:
            return frozenset(kinds)
        length = int.from_bytes(data[at : at + 4], "big")
        kinds.add(data[at + 4 : at + 8])
        at += _FRAME + length
        if at > len(data):
            raise PictureRefused(
                RefusalCode.TRUNCATED, "a part of the PNG is longer than the file; send it again"
            )
    raise PictureRefused(
        RefusalCode.CORRUPT, f"the PNG is in more than {_MOST_CHUNKS} parts; export it again"
    )
