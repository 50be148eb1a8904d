"""Damage of any kind gives a refusal or entries, never another exception, and never takes long."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.common.zip_entry import EntryDamaged, inflate_entry
from services.batch.archive import ArchiveCode, ArchiveRefused, Entry, RefusedEntry
from tests.unit.archive_samples import JPEG, Part, build, end_record, read_entries, zip64_archive, zip64_field

_SEED = build(
    [
        Part(),
        Part(name=b"b.jpg", method=0, content=JPEG * 2),
        Part(name="ü/c.jpg".encode(), flags=1 << 11 | 8, descriptor=bytes(16)),
        Part(name=b"x/", content=b"", method=0),
        Part(name=b"n.jpg", central={"size": 0xFFFFFFFF}, central_extra=zip64_field(len(JPEG))),
    ],
    comment=b"comment",
)
_SEEDS = (_SEED, zip64_archive())


async def _read_everything(content: bytes) -> None:
    """Anything but a refusal, refused entries and entries that inflate or are damaged fails the test."""
    try:
        results = await read_entries(content)
    except ArchiveRefused:
        return
    for entry in results:
        assert isinstance(entry, Entry | RefusedEntry)
        if isinstance(entry, Entry):
            _inflate(content, entry)


def _inflate(content: bytes, entry: Entry) -> None:
    raw = content[entry.data_offset : entry.data_offset + entry.compressed_size]
    assert len(raw) == entry.compressed_size
    try:
        assert len(inflate_entry(raw, method=entry.method, size=entry.size, crc32=entry.crc32)) == entry.size
    except EntryDamaged:
        return


@pytest.mark.parametrize("seed", _SEEDS)
async def test_any_changed_byte_is_survived(seed: bytes) -> None:
    """Every byte of the archive set to each of five values, one at a time, in bounded time."""
    started = time.monotonic()
    for at in range(len(seed)):
        for value in (0, 0x01, 0x7F, 0xFF, seed[at] ^ 0x08):
            await _read_everything(seed[:at] + bytes([value]) + seed[at + 1 :])
    assert time.monotonic() - started < 60


@pytest.mark.parametrize("seed", _SEEDS)
async def test_an_archive_cut_anywhere_is_survived(seed: bytes) -> None:
    """Missing its end it is no ZIP; missing its start it has at least no readable entries."""
    for at in range(len(seed)):
        with pytest.raises(ArchiveRefused) as caught:
            await read_entries(seed[:at])
        assert caught.value.code is ArchiveCode.NOT_A_ZIP
        await _read_everything(seed[at:])


_EDITS = st.tuples(st.integers(0, 10_000), st.integers(0, 12), st.binary(max_size=12))


@settings(deadline=2_000, max_examples=400)
@given(seed=st.sampled_from(_SEEDS), edits=st.lists(_EDITS, min_size=1, max_size=6))
async def test_any_edited_archive_is_survived(seed: bytes, edits: list[tuple[int, int, bytes]]) -> None:
    """Bytes overwritten, taken out and put in, at several places at once."""
    content = seed
    for from_end, removed, inserted in edits:
        at = max(len(content) - from_end % (len(content) + 1), 0)
        content = content[:at] + inserted + content[at + removed :]
    await _read_everything(content)


@settings(deadline=2_000, max_examples=200)
@given(st.binary(max_size=400))
async def test_any_bytes_with_an_end_record_are_survived(body: bytes) -> None:
    """Noise that claims to be a directory."""
    await _read_everything(body + end_record(1, min(len(body), 60), max(len(body) - 60, 0)))
