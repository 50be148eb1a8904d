"""Local headers (APPNOTE 4.3.7): where an entry's data really starts, and whether the directory is right."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from services.batch.archive.central import (
    FLAG_DESCRIPTOR,
    FLAG_ENCRYPTED,
    FLAG_STRONG_ENCRYPTION,
    CentralHeader,
)
from services.batch.archive.errors import EntryCode, EntryRefusal
from services.batch.archive.extra import widen
from services.batch.archive.reader import RangeReader

FIXED_BYTES = 30
CONTENT_BYTES = 1024
"""Bytes of (compressed) data read with the header: enough to tell what the content is."""

_LOCAL = struct.Struct("<4s3H4x3L2H")
_LENGTHS = struct.Struct("<2H")
_SIGNATURE = b"PK\x03\x04"
_USUAL_EXTRA_BYTES = 64
_ENCRYPTION = FLAG_ENCRYPTED | FLAG_STRONG_ENCRYPTION


@dataclass(frozen=True, slots=True)
class LocalHeader:
    """Where the data starts, from the header on, and whether a descriptor follows it (APPNOTE 4.3.9)."""

    data_start: int
    has_descriptor: bool


async def read_heads(reader: RangeReader, headers: Sequence[CentralHeader], end: int) -> list[bytes]:
    """The local header and the first `CONTENT_BYTES` of data of each entry; nothing from `end` on.

    The length of the local extra field is only known once it is read; where it is unusually long, a second
    read gets the whole. A head that is no local header comes back as it is.
    """
    lengths = [FIXED_BYTES + len(h.raw_name) + _USUAL_EXTRA_BYTES + CONTENT_BYTES for h in headers]
    heads = await _read(reader, headers, lengths, end)
    longer = [i for i, head in enumerate(heads) if _wanted(head) > lengths[i]]
    if longer:
        again = await _read(reader, [headers[i] for i in longer], [_wanted(heads[i]) for i in longer], end)
        for i, head in zip(longer, again, strict=True):
            heads[i] = head
    return heads


def parse_local(head: bytes, header: CentralHeader) -> LocalHeader | EntryRefusal:
    """The local header at the start of `head`, or why it and the directory can't both be right.

    Raises ArchiveRefused(zip64_inconsistent).
    """
    if len(head) < FIXED_BYTES or not head.startswith(_SIGNATURE):
        return _damaged("no header where the directory says")
    _, _, flags, method, crc32, compressed, size, name_length, extra_length = _LOCAL.unpack_from(head)
    data_start = FIXED_BYTES + name_length + extra_length
    if head[FIXED_BYTES : FIXED_BYTES + name_length] != header.raw_name:
        return _damaged("another name than in the directory")
    if method != header.method or flags & _ENCRYPTION:
        return _damaged("another method than in the directory")
    has_descriptor = bool(flags & FLAG_DESCRIPTOR)
    size, compressed = widen((size, compressed), head[FIXED_BYTES + name_length : data_start])
    if not _agrees((crc32, compressed, size), header, has_descriptor):
        return _damaged("other sizes or another checksum than in the directory")
    return LocalHeader(data_start, has_descriptor or header.has_descriptor)


def _agrees(local: tuple[int, int, int], header: CentralHeader, has_descriptor: bool) -> bool:
    """With a data descriptor the local numbers may be zero: unknown when the header was written."""
    central = (header.crc32, header.compressed_size, header.size)
    return all(a == b or (has_descriptor and a == 0) for a, b in zip(local, central, strict=True))


async def _read(
    reader: RangeReader, headers: Sequence[CentralHeader], lengths: Sequence[int], end: int
) -> list[bytes]:
    starts = [header.local_offset for header in headers]
    ranges = [(start, min(length, end - start)) for start, length in zip(starts, lengths, strict=True)]
    return await reader.read_many(ranges)


def _wanted(head: bytes) -> int:
    if len(head) < FIXED_BYTES or not head.startswith(_SIGNATURE):
        return 0
    name_length, extra_length = _LENGTHS.unpack_from(head, 26)
    return int(FIXED_BYTES + name_length + extra_length + CONTENT_BYTES)


def _damaged(detail: str) -> EntryRefusal:
    return EntryRefusal(EntryCode.DAMAGED, detail)
