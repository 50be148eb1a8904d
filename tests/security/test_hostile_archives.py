"""Archives made to hurt: each is refused by name, cheaply, and nothing else ever comes out of the reader."""

from __future__ import annotations

import struct
import tracemalloc
import zlib

import pytest

from libs.common.zip_entry import EntryDamaged, inflate_entry
from services.batch.archive import ArchiveCode, ArchiveRefused, Entry, Limits, open_archive
from tests.unit.archive_samples import (
    JPEG,
    BytesReader,
    Part,
    SparseReader,
    build,
    central_header,
    deflate,
    end_record,
    local_header,
    read_entries,
    zip64_archive,
    zip64_end,
    zip64_field,
)


async def _refusal(content: bytes, limits: Limits | None = None) -> ArchiveCode:
    with pytest.raises(ArchiveRefused) as caught:
        await open_archive(BytesReader(content), limits)
    assert caught.value.detail
    return caught.value.code


def _assembled(body: bytes, parts: list[tuple[Part, int]]) -> bytes:
    """A body with a directory that points wherever it likes."""
    directory = b"".join(central_header(part, offset) for part, offset in parts)
    return body + directory + end_record(len(parts), len(directory), len(body))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK",
        b"not a zip" * 100,
        JPEG,
        build([Part()])[:-1],
        build([Part()])[:200],
        build([Part()]) + b"tail",
    ],
)
async def test_what_does_not_end_as_a_zip_is_not_one(content: bytes) -> None:
    """Other files, uploads that were cut short, and bytes after the end."""
    assert await _refusal(content) is ArchiveCode.NOT_A_ZIP


@pytest.mark.parametrize("flag", [1 << 0, 1 << 6, 1 << 13])
async def test_one_encrypted_entry_refuses_the_archive(flag: int) -> None:
    """Plain, strong and masked encryption, at whatever place."""
    parts = [Part(), Part(name=b"b.jpg", flags=flag), Part(name=b"c.jpg")]
    assert await _refusal(build(parts)) is ArchiveCode.ENCRYPTED


async def test_5000_entries_pass_and_one_more_does_not() -> None:
    """The limit counts what the directory lists."""
    parts = [Part(name=b"%d.jpg" % n, method=0, content=b"\xff\xd8\xff") for n in range(5_001)]
    assert len(await read_entries(build(parts[:-1]))) == 5_000
    assert await _refusal(build(parts)) is ArchiveCode.TOO_MANY_ENTRIES


@pytest.mark.parametrize("claimed", [0, 1, 3, 65_535])
async def test_a_wrong_number_of_entries_is_found(claimed: int) -> None:
    """Neither entries beyond the announced ones nor fewer."""
    content = build([Part(), Part(name=b"b.jpg")], lies={"count": claimed, "disk_count": claimed})
    assert await _refusal(content, Limits(entries=70_000)) is ArchiveCode.DAMAGED_DIRECTORY


async def test_a_bomb_by_ratio_is_refused_and_a_plain_white_photo_is_not() -> None:
    """Over 200:1 counts from 10 MB on only."""
    bomb = Part(content=JPEG + bytes(10_000_000))
    small = Part(content=JPEG + bytes(9_000_000))
    assert await _refusal(build([bomb])) is ArchiveCode.RATIO_TOO_HIGH
    assert isinstance((await read_entries(build([small])))[0], Entry)


async def test_entries_that_add_up_to_more_than_8_gib_are_refused() -> None:
    """Each within its own limits, by their declared sizes."""
    parts = [Part(name=b"%d.jpg" % n, central={"size": 9_999_999}) for n in range(860)]
    assert await _refusal(build(parts)) is ArchiveCode.TOO_LARGE_UNPACKED


async def test_a_size_that_lies_is_cut_off_when_inflated() -> None:
    """What the directory hides from the limits never gets inflated either."""
    bomb = deflate(JPEG + bytes(50_000_000))
    content = build([Part(raw=bomb)])
    (entry,) = await read_entries(content)
    assert isinstance(entry, Entry)
    raw = content[entry.data_offset :][: entry.compressed_size]
    tracemalloc.start()
    with pytest.raises(EntryDamaged):
        inflate_entry(raw, method=entry.method, size=entry.size, crc32=entry.crc32)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


# Overlaps


async def test_entries_that_share_one_body_are_refused() -> None:
    """Full overlap: every header of the directory points to the same local header."""
    part = Part(method=8)
    content = _assembled(local_header(part) + part.data, [(part, 0)] * 20)
    assert await _refusal(content) is ArchiveCode.OVERLAPPING_ENTRIES


async def test_entries_that_quote_the_next_header_in_their_data_are_refused() -> None:
    """Fifield's bomb: a stored deflate block quotes the next local header; all share the kernel behind."""
    body, parts = _quoting_bomb(kernel=deflate(JPEG + bytes(200_000)), content=JPEG + bytes(200_000), files=6)
    assert await _refusal(_assembled(body, parts)) is ArchiveCode.OVERLAPPING_ENTRIES


def _quoting_bomb(kernel: bytes, content: bytes, files: int) -> tuple[bytes, list[tuple[Part, int]]]:
    """Built from the last file to the first; each one really inflates to its declared size and checksum."""
    body, parts = b"", list[tuple[Part, int]]()
    for number in range(files):
        if body:
            kernel = (
                b"\x00"
                + struct.pack("<HH", len(quoted := local_header(parts[-1][0])), len(quoted) ^ 0xFFFF)
                + body
            )
            content = quoted + content
        part = Part(name=b"%d.jpg" % number, content=content, raw=kernel)
        body = local_header(part) + kernel
        parts.append((part, len(body)))
    return body, [(part, len(body) - length) for part, length in parts]


def test_the_quoting_bomb_is_a_real_one() -> None:
    """Its files inflate as declared, so that only the overlap gives it away."""
    body, parts = _quoting_bomb(kernel=deflate(JPEG + bytes(200_000)), content=JPEG + bytes(200_000), files=6)
    for part, offset in parts:
        raw = body[offset + len(local_header(part)) :]
        size, crc32 = len(part.content), zlib.crc32(part.content)
        assert inflate_entry(raw, method=8, size=size, crc32=crc32) == part.content


async def test_entries_that_hide_the_next_header_in_an_extra_field_are_refused() -> None:
    """Here the sizes of the directory alone look disjoint; the local header shows the overlap."""
    kernel = JPEG[:3]
    last = Part(name=b"b.jpg", content=kernel, method=0)
    hidden = local_header(last)
    first = Part(
        name=b"a.jpg", content=kernel, method=0, local_extra=struct.pack("<HH", 0xCAFE, len(hidden)) + hidden
    )
    head = local_header(first)
    content = _assembled(head + kernel, [(first, 0), (last, len(head) - len(hidden))])
    assert await _refusal(content) is ArchiveCode.OVERLAPPING_ENTRIES


async def test_a_data_descriptor_counts_as_part_of_its_entry() -> None:
    """An entry that starts where another's descriptor must be overlaps it."""
    with_descriptor = Part(flags=8, descriptor=b"PK\x07\x08" + bytes(12))
    assert len(await read_entries(build([with_descriptor, Part(name=b"b.jpg")]))) == 2
    without = Part(flags=8)
    assert await _refusal(build([without, Part(name=b"b.jpg")])) is ArchiveCode.OVERLAPPING_ENTRIES


async def test_an_empty_entry_needs_no_descriptor() -> None:
    """Many tools set the flag for folders and write none."""
    folder = Part(name=b"photos/", content=b"", method=0, flags=8)
    assert len(await read_entries(build([folder, Part()]))) == 1


async def test_data_that_reaches_into_the_directory_is_refused() -> None:
    """By its declared size, however large."""
    for packed in (len(Part().data) + 1, 0xFFFFFFFE):
        content = build([Part(local={"packed": packed}, central={"packed": packed})])
        assert await _refusal(content) is ArchiveCode.OVERLAPPING_ENTRIES


async def test_an_entry_behind_the_directory_is_refused() -> None:
    """An offset outside of what lies in front of the directory."""
    content = build([Part(central={"offset": 0xFFFFFFFE})])
    assert await _refusal(content) is ArchiveCode.DAMAGED_DIRECTORY


# Zip64


async def test_an_honest_zip64_archive_passes() -> None:
    """The base of the lies below."""
    assert len(await read_entries(zip64_archive())) == 1


async def test_a_zip64_field_with_more_than_is_asked_for_passes_if_it_agrees() -> None:
    """Some writers repeat the offset in the local header."""
    part = Part(local_extra=zip64_field(len(JPEG), len(Part().data), 0))
    assert isinstance((await read_entries(build([part])))[0], Entry)


@pytest.mark.parametrize(
    "content",
    [
        zip64_archive({"size": 52}),
        zip64_archive({"offset": 3}),
        zip64_archive({"count": 2, "disk_count": 2}),
        zip64_archive(lies={"record": 7}),
        zip64_archive(lies={"offset": 1}),
        zip64_archive(lies={"size": 2**63}),
        zip64_archive(lies={"body": 100}),
        build([Part()], lies={"offset": 0xFFFFFFFF}),
        build([Part()], lies={"size": 0xFFFFFFFF}),
        build([Part(central={"size": 0xFFFFFFFF})]),
        build([Part(central={"size": 0xFFFFFFFF}, central_extra=zip64_field(5)[:-1])]),
        build([Part(central={"size": 0xFFFFFFFF}, central_extra=zip64_field(len(JPEG)) * 2)]),
        build([Part(central={"size": 0xFFFFFFFF, "packed": 0xFFFFFFFF}, central_extra=zip64_field(5))]),
        build([Part(central_extra=zip64_field(5))]),
        build([Part(central_extra=zip64_field(len(JPEG), 5))]),
        build([Part(local_extra=zip64_field(5, 5))]),
    ],
)
async def test_zip64_lies_are_refused(content: bytes) -> None:
    """64-bit values that contradict the 32-bit ones, are missing, are there twice, or lie elsewhere."""
    assert await _refusal(content) is ArchiveCode.ZIP64_INCONSISTENT


async def test_zip64_values_are_used_where_the_header_points_to_them() -> None:
    """A field that replaces the sizes, and one that only repeats them, are no lies."""
    packed = len(Part().data)
    replaced = Part(
        central={"size": 0xFFFFFFFF, "packed": 0xFFFFFFFF}, central_extra=zip64_field(len(JPEG), packed)
    )
    repeated = Part(name=b"b.jpg", central_extra=zip64_field(len(JPEG), packed))
    first, second = await read_entries(build([replaced, repeated]))
    assert isinstance(first, Entry)
    assert isinstance(second, Entry)
    assert (first.size, first.compressed_size) == (second.size, second.compressed_size) == (len(JPEG), packed)


async def test_a_64_bit_size_beyond_everything_is_refused() -> None:
    """No overflow on the way."""
    part = Part(central={"size": 0xFFFFFFFF, "packed": 0xFFFFFFFF}, central_extra=zip64_field(9, 2**64 - 1))
    assert await _refusal(build([part])) is ArchiveCode.OVERLAPPING_ENTRIES


# The directory


@pytest.mark.parametrize("lie", [{"disk": 1}, {"directory_disk": 1}, {"disk_count": 2}, {"disk": 0xFFFF}])
async def test_an_archive_in_several_parts_is_unsupported(lie: dict[str, int]) -> None:
    """By any of the fields that say so."""
    assert await _refusal(build([Part()], lies=lie)) is ArchiveCode.UNSUPPORTED


async def test_a_zip64_archive_in_several_parts_is_unsupported() -> None:
    """The locator counts the parts."""
    assert await _refusal(zip64_archive(lies={"disks": 2})) is ArchiveCode.UNSUPPORTED


async def test_an_entry_on_another_disk_is_unsupported() -> None:
    """The directory may say so of one entry alone."""
    assert await _refusal(build([Part(central={"disk": 1})])) is ArchiveCode.UNSUPPORTED


@pytest.mark.parametrize(
    "lie", [{"offset": 10**6}, {"size": 10**6}, {"size": 20}, {"size": 50}, {"size": 52}]
)
async def test_a_directory_that_is_not_where_or_what_it_says_is_damaged(lie: dict[str, int]) -> None:
    """Outside of the file, too small, or cut."""
    assert await _refusal(build([Part()], lies=lie)) is ArchiveCode.DAMAGED_DIRECTORY


async def test_bytes_between_the_entries_and_the_end_of_the_directory_are_damage() -> None:
    """Nothing hides behind the last header."""
    part = Part()
    body, directory = local_header(part) + part.data, central_header(part, 0) + b"hidden"
    content = body + directory + end_record(1, len(directory), len(body))
    assert await _refusal(content) is ArchiveCode.DAMAGED_DIRECTORY


async def test_a_directory_cut_within_a_header_is_damaged() -> None:
    """Also within the part of fixed length."""
    part = Part()
    body, header = local_header(part) + part.data, central_header(part, 0)
    for cut in (1, 20, 45, len(header) - 1):
        directory = header + header[:cut]
        content = body + directory + end_record(2, len(directory), len(body))
        assert await _refusal(content) is ArchiveCode.DAMAGED_DIRECTORY


async def test_two_ends_of_the_directory_are_damage() -> None:
    """One reader would see the first archive and another one the second."""
    inner = end_record(0, 0, 0)
    assert await _refusal(build([Part()], comment=inner)) is ArchiveCode.DAMAGED_DIRECTORY


async def test_a_directory_of_endless_names_is_refused_unread() -> None:
    """Names and comments alone may not cost more than 64 MiB of reading."""
    reader = SparseReader(total=2**30)
    reader.segments = [(2**30 - 22, end_record(2_000, 2**29, 2**30 - 22 - 2**29))]
    with pytest.raises(ArchiveRefused) as caught:
        await open_archive(reader)
    assert caught.value.code is ArchiveCode.UNSUPPORTED
    assert reader.bytes_read < 70_000


# Cost


def _large_archive(entries: int, each: int) -> SparseReader:
    """`entries` stored pictures of `each` bytes, of which only the headers are really there."""
    reader, directory, at = SparseReader(), b"", 0
    for number in range(entries):
        wide = at >= 0xFFFFFFFF
        extra = zip64_field(at) if wide else b""
        fields: dict[str, int | bytes] = {"packed": each, "size": each}
        offset: dict[str, int | bytes] = {"offset": 0xFFFFFFFF if wide else at}
        name = b"photos/%04d.jpg" % number
        part = Part(name=name, method=0, local=fields, central=fields | offset, central_extra=extra)
        head = local_header(part)
        reader.segments.append((at, head + JPEG[:20]))
        directory += central_header(part, at)
        at += len(head) + each
    narrow = end_record(entries, len(directory), min(at, 0xFFFFFFFF))
    end = directory + zip64_end(entries, len(directory), at) + narrow
    reader.segments.append((at, end))
    reader.total = at + len(end)
    return reader


async def test_memory_and_reading_stay_flat_for_8_gib() -> None:
    """5,000 entries in 8 GiB: a few MiB of memory, and under 1.5 KB read for each."""
    reader = _large_archive(5_000, 1_700_000)
    tracemalloc.start()
    archive = await open_archive(reader)
    found = 0
    async for entries in archive.entries():
        found += sum(isinstance(entry, Entry) for entry in entries)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == 5_000
    assert reader.bytes_read < 5_000 * 1_500
    assert peak < 4 * 2**20


async def test_reading_does_not_depend_on_the_size_of_the_photos() -> None:
    """The same number of entries costs the same, be they small or large."""
    costs = []
    for each in (100_000, 40_000_000):
        reader = _large_archive(100, each)
        await open_archive(reader)
        costs.append(reader.bytes_read)
    assert abs(costs[0] - costs[1]) < 100_000
