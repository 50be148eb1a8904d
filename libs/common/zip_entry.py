"""One entry of a ZIP from its compressed bytes, read in place: no archive object, no trust in its numbers."""

from __future__ import annotations

import zlib
from enum import StrEnum

from libs.common.errors import Permanent

STORED = 0
DEFLATED = 8
"""Compression methods (APPNOTE 4.4.5); these two are all that the system reads."""


class EntryDamage(StrEnum):
    """What is wrong with the bytes of an entry."""

    TRUNCATED = "truncated"
    CORRUPT = "corrupt"


class EntryDamaged(Permanent):
    """The bytes of the entry are not what the directory of its archive says."""

    def __init__(self, code: EntryDamage, detail: str) -> None:
        super().__init__(detail)
        self.code = code


def inflate_entry(raw: bytes, *, method: int, size: int, crc32: int) -> bytes:
    """The content of an entry, exactly `size` bytes with that CRC-32.

    `raw` are its bytes in the archive and `method` is `STORED` or `DEFLATED`. Never holds more than
    `size` + 1 bytes of output, so a bomb costs what its directory admitted. Raises EntryDamaged.
    """
    if method == STORED:
        content = raw
    elif method == DEFLATED:
        content = _inflate(raw, size)
    else:
        raise EntryDamaged(EntryDamage.CORRUPT, f"compression method {method} is neither stored nor deflated")
    _check(content, size, crc32)
    return content


def _inflate(raw: bytes, size: int) -> bytes:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        # One byte more than declared: it shows a stream that goes on, and lets an exact one reach its end.
        content = inflater.decompress(raw, size + 1)
    except zlib.error as exc:
        raise EntryDamaged(EntryDamage.CORRUPT, "not a deflate stream") from exc
    if len(content) <= size and not inflater.eof:
        raise EntryDamaged(EntryDamage.TRUNCATED, f"the stream breaks off after {len(content):,} bytes")
    if inflater.unused_data:
        raise EntryDamaged(EntryDamage.CORRUPT, "bytes follow the end of the stream")
    return content


def _check(content: bytes, size: int, crc32: int) -> None:
    if len(content) < size:
        raise EntryDamaged(EntryDamage.TRUNCATED, f"{len(content):,} bytes of {size:,}")
    if len(content) > size:
        raise EntryDamaged(EntryDamage.CORRUPT, f"holds more than the {size:,} bytes it declares")
    if zlib.crc32(content) != crc32:
        raise EntryDamaged(EntryDamage.CORRUPT, "the checksum does not match")
