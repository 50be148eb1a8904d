"""Extra fields of a header (APPNOTE 4.5): the two that change what the header says."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from itertools import accumulate

from services.batch.archive.errors import ArchiveCode, ArchiveRefused

_FIELD = struct.Struct("<HH")
_ZIP64 = 0x0001
_UNICODE_PATH = 0x7075
_WIDTHS = (8, 8, 8, 4)
_SENTINELS = (0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFF)
_FULL_LENGTHS = tuple(accumulate(_WIDTHS))


def widen(narrow: Sequence[int], extra: bytes) -> tuple[int, ...]:
    """Size, compressed size and (in the directory) offset and disk, taken from the Zip64 field where needed.

    The field holds only the values whose own place is all ones (APPNOTE 4.5.3). Some writers give all of
    them; that passes as long as both places agree. Raises ArchiveRefused(zip64_inconsistent).
    """
    fields = [body for kind, body in _fields(extra) if kind == _ZIP64]
    needed = [i for i, value in enumerate(narrow) if value == _SENTINELS[i]]
    if not fields and not needed:
        return tuple(narrow)
    if len(fields) != 1:
        raise _lie(f"{len(fields)} Zip64 fields")
    if len(fields[0]) == sum(_WIDTHS[i] for i in needed):
        return _replaced(narrow, needed, fields[0])
    return _agreed(narrow, needed, fields[0])


def unicode_path(raw_name: bytes, extra: bytes) -> bytes | None:
    """The UTF-8 name of Info-ZIP's field 0x7075, if it was made for this `raw_name` (APPNOTE 4.6.9)."""
    expected = b"\x01" + zlib.crc32(raw_name).to_bytes(4, "little")
    for kind, body in _fields(extra):
        if kind == _UNICODE_PATH and body.startswith(expected):
            return body[len(expected) :]
    return None


def _fields(extra: bytes) -> Iterator[tuple[int, bytes]]:
    """Fields as (id, body). Padding or a field that runs over ends them: some tools align data that way."""
    at = 0
    while at + _FIELD.size <= len(extra):
        kind, length = _FIELD.unpack_from(extra, at)
        at += _FIELD.size
        if at + length > len(extra):
            return
        yield kind, extra[at : at + length]
        at += length


def _replaced(narrow: Sequence[int], needed: Sequence[int], body: bytes) -> tuple[int, ...]:
    values = list(narrow)
    at = 0
    for i in needed:
        values[i] = int.from_bytes(body[at : at + _WIDTHS[i]], "little")
        at += _WIDTHS[i]
    return tuple(values)


def _agreed(narrow: Sequence[int], needed: Sequence[int], body: bytes) -> tuple[int, ...]:
    if len(body) not in _FULL_LENGTHS:
        raise _lie(f"a Zip64 field of {len(body)} bytes for {len(needed)} values")
    given = range(min(_FULL_LENGTHS.index(len(body)) + 1, len(narrow)))
    wide = _replaced(narrow, given, body)
    if any(i not in given for i in needed):
        raise _lie("the Zip64 field lacks a value that is needed")
    if any(i not in needed and wide[i] != narrow[i] for i in given):
        raise _lie("the Zip64 field contradicts the header")
    return wide


def _lie(detail: str) -> ArchiveRefused:
    return ArchiveRefused(ArchiveCode.ZIP64_INCONSISTENT, detail)
