"""Where the directory of a ZIP lies: the records at the end of the file (APPNOTE 4.3.14 to 4.3.16)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import NamedTuple

from services.batch.archive.errors import ArchiveCode, ArchiveRefused

_END = struct.Struct("<4s4H2LH")
_END_SIGNATURE = b"PK\x05\x06"
_LOCATOR = struct.Struct("<4sLQL")
_LOCATOR_SIGNATURE = b"PK\x06\x07"
_END64 = struct.Struct("<4sQ2H2L4Q")
_END64_SIGNATURE = b"PK\x06\x06"
_END64_BODY = _END64.size - 12  # its size field does not count the signature and itself
_MAX_16, _MAX_32 = 0xFFFF, 0xFFFFFFFF
_SENTINELS = (_MAX_16, _MAX_16, _MAX_16, _MAX_16, _MAX_32, _MAX_32)

TAIL_BYTES = _END64.size + _LOCATOR.size + _END.size + _MAX_16
"""Bytes at the end of the file that hold every record below, after the longest comment there can be."""


@dataclass(frozen=True, slots=True)
class Directory:
    """The central directory: where it starts in the file, bytes, entries.

    `shift` is what must be added to every offset the archive names: the bytes put in front of it, such as the
    program of a self-extracting archive.
    """

    start: int
    size: int
    count: int
    shift: int


class _End(NamedTuple):
    """Fields that the 32-bit and the 64-bit record share."""

    disk: int
    directory_disk: int
    disk_entries: int
    entries: int
    size: int
    offset: int


def locate_directory(tail: bytes, file_size: int) -> Directory:
    """The directory, from the last `TAIL_BYTES` of the file (the whole file if it is shorter).

    Raises ArchiveRefused: not_a_zip, zip64_inconsistent, unsupported (several disks), damaged_directory.
    """
    at = _find_end(tail)
    end = _End(*_END.unpack_from(tail, at)[1:7])
    directory_end = file_size - len(tail) + at
    if at >= _LOCATOR.size and tail.startswith(_LOCATOR_SIGNATURE, at - _LOCATOR.size):
        end = _widened(end, tail, at - _LOCATOR.size)
        directory_end -= _LOCATOR.size + _END64.size
    elif _MAX_32 in (end.size, end.offset):
        raise _zip64_lie("fields point to a Zip64 record that is not there")
    _check_disks(end)
    return _directory(end, directory_end)


def _find_end(tail: bytes) -> int:
    """Position of the one end record whose comment reaches exactly to the end of the file."""
    found = []
    at = tail.rfind(_END_SIGNATURE)
    while at >= 0:
        if at + _END.size <= len(tail) and at + _END.size + _END.unpack_from(tail, at)[7] == len(tail):
            found.append(at)
        at = tail.rfind(_END_SIGNATURE, 0, at)
    if not found:
        raise ArchiveRefused(ArchiveCode.NOT_A_ZIP, "no end of a ZIP directory; is the file complete?")
    if len(found) > 1:  # readers would disagree on what the archive holds
        raise ArchiveRefused(ArchiveCode.DAMAGED_DIRECTORY, "two ends of the directory")
    return found[0]


def _widened(narrow: _End, tail: bytes, locator_at: int) -> _End:
    """The Zip64 end record, which must say what the 32-bit one says wherever that could."""
    _, disk, offset, disks = _LOCATOR.unpack_from(tail, locator_at)
    if disk != 0 or disks > 1:
        raise _several_disks()
    at = locator_at - _END64.size
    if at < 0 or not tail.startswith(_END64_SIGNATURE, at):
        raise _zip64_lie("no Zip64 record in front of its locator")
    _, body, _, _, *fields = _END64.unpack_from(tail, at)
    wide = _End(*fields)
    if body != _END64_BODY or offset != wide.offset + wide.size:
        raise _zip64_lie("the Zip64 record is not where its locator says, or has a foreign size")
    for name, small, large, sentinel in zip(_End._fields, narrow, wide, _SENTINELS, strict=True):
        if small not in (large, sentinel):
            raise _zip64_lie(f"{name} is {small} and {large}")
    return wide


def _check_disks(end: _End) -> None:
    if end.disk or end.directory_disk or end.disk_entries != end.entries:
        raise _several_disks()


def _directory(end: _End, directory_end: int) -> Directory:
    shift = directory_end - end.size - end.offset
    if shift < 0:
        raise ArchiveRefused(ArchiveCode.DAMAGED_DIRECTORY, "the directory does not lie inside the file")
    return Directory(directory_end - end.size, end.size, end.entries, shift)


def _several_disks() -> ArchiveRefused:
    return ArchiveRefused(ArchiveCode.UNSUPPORTED, "an archive split over several files")


def _zip64_lie(detail: str) -> ArchiveRefused:
    return ArchiveRefused(ArchiveCode.ZIP64_INCONSISTENT, detail)
