"""The central directory as a stream: one block of it in memory, however long it is."""

from __future__ import annotations

from collections.abc import AsyncIterator

from services.batch.archive.central import FIXED_BYTES, CentralHeader, parse_central, record_length
from services.batch.archive.end import Directory
from services.batch.archive.errors import ArchiveCode, ArchiveRefused
from services.batch.archive.reader import RangeReader

SLICE_ENTRIES = 128
_BLOCK_BYTES = 256 * 1024


async def read_headers(
    reader: RangeReader, directory: Directory, *, index: int = 0, position: int = 0
) -> AsyncIterator[list[CentralHeader]]:
    """Headers in slices of up to `SLICE_ENTRIES`, from entry `index` on, whose record is at `position`.

    Raises ArchiveRefused where a header is damaged or the directory does not end after its last one.
    """
    window = _Window(reader, directory)
    while index < directory.count:
        end = min(index + SLICE_ENTRIES, directory.count)
        headers = []
        for number in range(index, end):
            headers.append(await _read_header(window, number, position, directory))
            position += headers[-1].length
        index = end
        yield headers
    if position != directory.size:
        raise _damaged(f"{directory.size - position:,} bytes follow its last entry")


async def _read_header(window: _Window, index: int, position: int, directory: Directory) -> CentralHeader:
    length = record_length(await window.take(position, FIXED_BYTES))
    record = await window.take(position, length)
    header = parse_central(record, index=index, position=position, shift=directory.shift)
    if header.local_offset >= directory.start:
        raise _damaged(f"entry {index} does not lie in front of it")
    return header


class _Window:
    """The block of the directory around the last position asked for."""

    def __init__(self, reader: RangeReader, directory: Directory) -> None:
        self._reader = reader
        self._directory = directory
        self._start = 0
        self._block = b""

    async def take(self, position: int, length: int) -> bytes:
        rest = self._directory.size - position
        if length > rest:
            raise _damaged("it ends in the middle of a header")
        if not self._start <= position <= position + length <= self._start + len(self._block):
            block_length = min(max(length, _BLOCK_BYTES), rest)
            self._block = await self._reader.read(self._directory.start + position, block_length)
            self._start = position
        offset = position - self._start
        return self._block[offset : offset + length]


def _damaged(detail: str) -> ArchiveRefused:
    return ArchiveRefused(ArchiveCode.DAMAGED_DIRECTORY, f"the directory is damaged: {detail}")
