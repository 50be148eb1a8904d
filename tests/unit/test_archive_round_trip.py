"""What real writers put into a ZIP comes out again, byte for byte, by ranges alone."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stream_zip import NO_COMPRESSION_64, ZIP_32, ZIP_64, Method, stream_zip

from libs.common.zip_entry import inflate_entry
from services.batch.archive import Entry, RefusedEntry
from tests.unit.archive_samples import JPEG, Part, build, read_entries

_FOLDERS = st.lists(st.text("abcäöü東京 _-", min_size=1, max_size=8), max_size=2)
_FILE = st.text("abcXYZéß写真 _-()", min_size=1, max_size=12)
_NAMES = st.builds(lambda folders, file: "/".join([*folders, f"{file}.jpg"]), _FOLDERS, _FILE)
_PHOTOS = st.dictionaries(
    _NAMES,
    st.tuples(st.binary(max_size=3000), st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])),
    max_size=8,
)


class _Pipe(io.RawIOBase):
    """A sink that can't seek, so that sizes and checksums must follow the data in descriptors."""

    def __init__(self) -> None:
        self.content = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self.content += data
        return len(data)


@contextmanager
def _writing(sink: io.BytesIO | _Pipe, comment: bytes) -> Iterator[zipfile.ZipFile]:
    with zipfile.ZipFile(sink, "w") as archive:
        archive.comment = comment
        yield archive


def _pictures(content: bytes, results: list[Entry | RefusedEntry]) -> dict[str, bytes]:
    pictures = {}
    for entry in results:
        assert isinstance(entry, Entry), entry
        raw = content[entry.data_offset : entry.data_offset + entry.compressed_size]
        pictures[entry.name] = inflate_entry(raw, method=entry.method, size=entry.size, crc32=entry.crc32)
    return pictures


@settings(deadline=None, max_examples=60)
@given(
    photos=_PHOTOS,
    comment=st.binary(max_size=40),
    prefix=st.binary(max_size=40),
    zip64=st.booleans(),
    pipe=st.booleans(),
)
async def test_what_zipfile_writes_is_read_back(
    photos: dict[str, tuple[bytes, int]], comment: bytes, prefix: bytes, zip64: bool, pipe: bool
) -> None:
    """Stored and deflated, Zip64, Unicode, comments, data descriptors, and bytes in front of it all."""
    sink = _Pipe() if pipe else io.BytesIO()
    with _writing(sink, comment) as archive:
        for name, (body, method) in photos.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = method
            with archive.open(info, "w", force_zip64=zip64) as stream:
                stream.write(JPEG + body)
    content = prefix + bytes(sink.content if isinstance(sink, _Pipe) else sink.getvalue())
    expected = {name: JPEG + body for name, (body, _) in photos.items()}
    assert _pictures(content, await read_entries(content)) == expected


async def test_an_archive_appended_to_a_file_is_read_with_its_own_offsets() -> None:
    """Bytes in front that the offsets already count, as a self-extracting archive has them after a repair."""
    sink = io.BytesIO(b"#!/bin/sh\n" * 50)
    with zipfile.ZipFile(sink, "a") as archive:
        archive.writestr("a.jpg", JPEG)
    assert _pictures(sink.getvalue(), await read_entries(sink.getvalue())) == {"a.jpg": JPEG}


async def test_the_longest_comment_is_read_past() -> None:
    """65,535 bytes of comment lie between the end of the file and what is looked for."""
    content = build([Part()], comment=b"x" * 65_535)
    assert _pictures(content, await read_entries(content)) == {"a.jpg": JPEG}


@pytest.mark.parametrize("method", [ZIP_32, ZIP_64, NO_COMPRESSION_64])
async def test_what_a_streaming_writer_makes_is_read_back(method: Method) -> None:
    """Zip64 and descriptors as stream-zip writes them."""
    members = [(name, datetime(2024, 1, 1), 0o600, method, (JPEG,)) for name in ("a.jpg", "b/ü.jpg")]  # noqa: DTZ001
    content = b"".join(stream_zip(members))
    assert _pictures(content, await read_entries(content)) == {"a.jpg": JPEG, "b/ü.jpg": JPEG}


async def test_an_archive_can_be_resumed_at_any_entry() -> None:
    """From index n comes what the whole reading gives from n on, over slices and left-out entries."""
    names = [f"{n}.jpg" if n % 3 else f".hidden/{n}" for n in range(300)]
    content = build([Part(name=name.encode()) for name in names])
    whole = await read_entries(content)
    assert len(whole) == 200
    for start in (0, 1, 127, 128, 129, 299, 300, 1000):
        assert await read_entries(content, start=start) == [e for e in whole if e.index >= start]


async def test_an_archive_without_entries_has_none() -> None:
    """It is valid and empty; what that means is the caller's to say."""
    assert await read_entries(build([])) == []


async def test_a_long_local_extra_field_is_read_over() -> None:
    """The data's offset counts the local extra field, even one that exceeds the first read."""
    padding = b"\x35\xd9\xb8\x0b" + bytes(3000)
    content = build([Part(local_extra=padding, descriptor=b""), Part(name=b"b.jpg")])
    assert _pictures(content, await read_entries(content)) == {"a.jpg": JPEG, "b.jpg": JPEG}
