"""One header of the central directory (APPNOTE 4.3.12)."""

from __future__ import annotations

import stat
import struct
from dataclasses import dataclass

from services.batch.archive.errors import ArchiveCode, ArchiveRefused
from services.batch.archive.extra import unicode_path, widen
from services.batch.archive.names import decode_name

FIXED_BYTES = 46
FLAG_ENCRYPTED, FLAG_DESCRIPTOR, FLAG_STRONG_ENCRYPTION, FLAG_UTF8, FLAG_MASKED = (
    1 << bit for bit in (0, 3, 6, 11, 13)
)
"""Bits of the general purpose flag (APPNOTE 4.4.4)."""

_CENTRAL = struct.Struct("<4sBB3H4x3L5H2L")
_SIGNATURE = b"PK\x01\x02"
_UNIX_HOSTS = (3, 19)  # Unix, macOS (APPNOTE 4.4.2.2)


@dataclass(frozen=True, slots=True)
class CentralHeader:
    """What the directory says of one entry; sizes and positions in bytes.

    `position` counts from the start of the directory, `local_offset` from the start of the file.
    """

    index: int
    position: int
    length: int
    flags: int
    method: int
    crc32: int
    compressed_size: int
    size: int
    local_offset: int
    raw_name: bytes
    name: str
    symlink: bool

    @property
    def has_descriptor(self) -> bool:
        return bool(self.flags & FLAG_DESCRIPTOR)


def record_length(fixed: bytes) -> int:
    """Bytes of the header that starts with these `FIXED_BYTES`. Raises ArchiveRefused(damaged_directory)."""
    if not fixed.startswith(_SIGNATURE):
        raise ArchiveRefused(ArchiveCode.DAMAGED_DIRECTORY, "a header of the directory does not start as one")
    name_length, extra_length, comment_length = struct.unpack_from("<3H", fixed, 28)
    return int(FIXED_BYTES + name_length + extra_length + comment_length)


def parse_central(record: bytes, *, index: int, position: int, shift: int) -> CentralHeader:
    """The header in `record`, which is exactly `record_length` long.

    Raises ArchiveRefused: zip64_inconsistent, unsupported (an entry on another disk).
    """
    _, _, host, _, flags, method, *numbers, _, disk, _, attributes, offset = _CENTRAL.unpack_from(record)
    crc32, compressed, size, name_length, extra_length = numbers
    raw_name = record[FIXED_BYTES : FIXED_BYTES + name_length]
    extra = record[FIXED_BYTES + name_length :][:extra_length]
    size, compressed, offset, disk = widen((size, compressed, offset, disk), extra)
    if disk:
        raise ArchiveRefused(ArchiveCode.UNSUPPORTED, f"entry {index} lies on another disk")
    return CentralHeader(
        index=index,
        position=position,
        length=len(record),
        flags=flags,
        method=method,
        crc32=crc32,
        compressed_size=compressed,
        size=size,
        local_offset=offset + shift,
        raw_name=raw_name,
        name=_name(raw_name, extra, utf8=bool(flags & FLAG_UTF8), host=host),
        symlink=stat.S_ISLNK(attributes >> 16),
    )


def _name(raw: bytes, extra: bytes, *, utf8: bool, host: int) -> str:
    unicode_name = unicode_path(raw, extra)
    if unicode_name is not None:
        return decode_name(unicode_name, utf8=True, unix=True)
    return decode_name(raw, utf8=utf8, unix=host in _UNIX_HOSTS)
