"""A ZIP of photos, read by ranges: checked as a whole once, then handed out in slices from any entry on."""

from __future__ import annotations

from array import array
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from services.batch.archive.central import CentralHeader
from services.batch.archive.content import judge_content, judge_header
from services.batch.archive.directory import read_headers
from services.batch.archive.end import TAIL_BYTES, Directory, locate_directory
from services.batch.archive.errors import EntryCode, EntryRefusal
from services.batch.archive.limits import Limits, Tally, check_count, check_directory_size
from services.batch.archive.local import FIXED_BYTES, parse_local, read_heads
from services.batch.archive.names import is_passed_over, printable
from services.batch.archive.reader import RangeReader
from services.batch.archive.spans import SHORTEST_DESCRIPTOR, Spans


@dataclass(frozen=True, slots=True)
class Entry:
    """A picture to be read in place: `compressed_size` bytes at `data_offset` of the archive's file.

    `index` is its place in the directory, the same on every reading; `method` is 0 (stored) or 8 (deflated).
    `inflate_entry` of `libs.common.zip_entry` turns the bytes into the content.
    """

    index: int
    name: str
    data_offset: int
    compressed_size: int
    size: int
    method: int
    crc32: int


@dataclass(frozen=True, slots=True)
class RefusedEntry:
    """An entry that is left out, with the reason for the manifest; its `name` is made printable."""

    index: int
    name: str
    code: EntryCode
    detail: str


class Archive:
    """An archive that passed every check of the whole. Holds a few numbers an entry, no names and no data."""

    def __init__(self, reader: RangeReader, directory: Directory, limits: Limits) -> None:
        self._reader = reader
        self._directory = directory
        self._limits = limits
        self._positions = array("Q")
        self._data_offsets = array("Q")
        self._refusals: dict[int, EntryRefusal] = {}

    @property
    def entry_count(self) -> int:
        """Entries of the directory, also those that are passed over or refused."""
        return self._directory.count

    async def entries(self, start_index: int = 0) -> AsyncIterator[list[Entry | RefusedEntry]]:
        """Entries from `start_index` on, in order and in slices; folders and litter are left out.

        To resume after the last one seen, pass its index + 1. Only the directory is read.
        """
        if start_index >= self.entry_count:
            return
        position = self._positions[start_index]
        async for headers in read_headers(
            self._reader, self._directory, index=start_index, position=position
        ):
            found = [self._result(header) for header in headers if not is_passed_over(header.name)]
            if found:
                yield found

    async def document(self, index: int) -> Entry | None:
        """An entry that was refused for nothing but its content: what is no picture may still be of use."""
        refusal = self._refusals.get(index)
        if refusal is None or refusal.code is not EntryCode.NOT_AN_IMAGE:
            return None
        slices = read_headers(self._reader, self._directory, index=index, position=self._positions[index])
        header = (await anext(slices))[0]
        return None if judge_header(header, self._limits) else self._entry(header)

    async def survey(self) -> None:
        """Read every header once and check the whole; see `open_archive`."""
        tally, spans = Tally(self._limits), Spans(self._directory.start)
        async for headers in read_headers(self._reader, self._directory):
            for header in headers:
                tally.add(header)
            await self._survey_slice(headers, spans)
        spans.check_disjoint()

    async def _survey_slice(self, headers: Sequence[CentralHeader], spans: Spans) -> None:
        heads = await read_heads(self._reader, headers, self._directory.start)
        for header, head in zip(headers, heads, strict=True):
            self._survey_entry(header, head, spans)

    def _survey_entry(self, header: CentralHeader, head: bytes, spans: Spans) -> None:
        data_start = FIXED_BYTES + len(header.raw_name)  # at least; all that is known of a damaged one
        descriptor = 0
        local = parse_local(head, header)
        if isinstance(local, EntryRefusal):
            self._refusals[header.index] = local
        else:
            data_start = local.data_start
            # Empty entries often have the flag and no descriptor.
            descriptor = SHORTEST_DESCRIPTOR if local.has_descriptor and header.compressed_size else 0
            self._judge(header, head[data_start:])
        start = header.local_offset
        spans.add(start, start + data_start + header.compressed_size + descriptor)
        self._positions.append(header.position)
        self._data_offsets.append(start + data_start)

    def _judge(self, header: CentralHeader, data: bytes) -> None:
        if is_passed_over(header.name) or judge_header(header, self._limits):
            return
        refusal = judge_content(data, header)
        if refusal:
            self._refusals[header.index] = refusal

    def _result(self, header: CentralHeader) -> Entry | RefusedEntry:
        refusal = judge_header(header, self._limits) or self._refusals.get(header.index)
        if refusal:
            return RefusedEntry(header.index, printable(header.name), refusal.code, refusal.detail)
        return self._entry(header)

    def _entry(self, header: CentralHeader) -> Entry:
        return Entry(
            index=header.index,
            name=header.name,
            data_offset=self._data_offsets[header.index],
            compressed_size=header.compressed_size,
            size=header.size,
            method=header.method,
            crc32=header.crc32,
        )


async def open_archive(reader: RangeReader, limits: Limits | None = None) -> Archive:
    """Check the archive as a whole: its directory, its local headers, the first bytes of each entry.

    The cost is about 1.2 KB a read entry and memory of some bytes an entry, whatever the size of the file.
    Raises ArchiveRefused; errors of the reader pass through.
    """
    limits = limits or Limits()
    tail_length = min(reader.size, TAIL_BYTES)
    directory = locate_directory(await reader.read(reader.size - tail_length, tail_length), reader.size)
    check_count(directory.count, limits)
    check_directory_size(directory.size, limits)
    archive = Archive(reader, directory, limits)
    await archive.survey()
    return archive
