"""Single entries: why one is refused, how its bytes become its content, which are the same picture."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.zip_entry import DEFLATED, STORED, EntryDamage, EntryDamaged, inflate_entry
from services.batch.archive import Entry, Limits
from tests.unit.archive_samples import JPEG, Part, build, deflate, read_entries, refusal_of


def _inner_zip() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("b.jpg", JPEG)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("part", "code"),
    [
        (Part(content=b"just text"), "not_an_image"),
        (Part(content=b"just text", method=0), "not_an_image"),
        (Part(content=_inner_zip(), method=8), "nested_archive"),
        (Part(content=bytes(257) + b"ustar\x0000" + bytes(300)), "nested_archive"),
        (Part(name=b"../a.jpg"), "path_traversal"),
        (Part(attributes=0o120777 << 16), "symlink"),
        (Part(method=12, raw=b"BZh9"), "unsupported_method"),
        (Part(content=b""), "empty"),
        (Part(raw=deflate(JPEG)[:0]), "truncated"),
        (Part(raw=deflate(JPEG)[:40]), "truncated"),
        (Part(raw=b"\xff" * 40), "damaged"),
        (Part(local={"name": b"b.jpg"}), "damaged"),
        (Part(local={"name": b"longer.jpg"}), "damaged"),
        (Part(local={"method": 0}), "damaged"),
        (Part(local={"size": 7}), "damaged"),
        (Part(local={"crc": 7}), "damaged"),
        (Part(local={"flags": 1}), "damaged"),
        (Part(method=0, local={"size": 7}, central={"size": 7}), "damaged"),
    ],
)
async def test_an_entry_is_refused_by_name(part: Part, code: str) -> None:
    """One bad entry, one reason."""
    assert await refusal_of(part) == code


async def test_a_refused_entry_does_not_keep_its_neighbours_out() -> None:
    """The rest goes on."""
    results = await read_entries(build([Part(), Part(name=b"b.txt", content=b"text"), Part(name=b"c.jpg")]))
    assert [(type(r) is Entry, r.index, r.name) for r in results] == [
        (True, 0, "a.jpg"), (False, 1, "b.txt"), (True, 2, "c.jpg")
    ]  # fmt: skip


async def test_content_that_starts_slowly_is_still_recognised() -> None:
    """Blocks of nothing behind the first hundred bytes do not make the entry a truncated one."""
    first = b"\x00" + struct.pack("<HH", 100, 100 ^ 0xFFFF) + JPEG[:100]
    part = Part(raw=first + b"\x00\x00\x00\xff\xff" * 300 + deflate(JPEG[100:]))
    assert isinstance((await read_entries(build([part])))[0], Entry)


async def test_an_entry_over_the_limit_is_refused_and_one_at_the_limit_is_not() -> None:
    """The limit itself is allowed."""
    content = build([Part()])
    assert isinstance((await read_entries(content, Limits(entry_bytes=len(JPEG))))[0], Entry)
    (result,) = await read_entries(content, Limits(entry_bytes=len(JPEG) - 1))
    assert getattr(result, "code", None) == "too_many_bytes"


@given(st.binary(max_size=5000))
def test_an_entry_inflates_to_its_content(content: bytes) -> None:
    """Stored and deflated give the same."""
    crc32 = zlib.crc32(content)
    assert inflate_entry(content, method=STORED, size=len(content), crc32=crc32) == content
    assert inflate_entry(deflate(content), method=DEFLATED, size=len(content), crc32=crc32) == content


@pytest.mark.parametrize(
    ("raw", "method", "size", "crc32", "code"),
    [
        (JPEG[:-1], STORED, len(JPEG), zlib.crc32(JPEG), "truncated"),
        (JPEG, STORED, len(JPEG) - 1, zlib.crc32(JPEG), "corrupt"),
        (JPEG, STORED, len(JPEG), 1, "corrupt"),
        (deflate(JPEG)[:-9], DEFLATED, len(JPEG), zlib.crc32(JPEG), "truncated"),
        (deflate(JPEG)[:-1], DEFLATED, len(JPEG), zlib.crc32(JPEG), "truncated"),
        (deflate(JPEG), DEFLATED, len(JPEG) + 1, zlib.crc32(JPEG), "truncated"),
        (deflate(JPEG), DEFLATED, len(JPEG) - 1, zlib.crc32(JPEG), "corrupt"),
        (deflate(JPEG) + b"x", DEFLATED, len(JPEG), zlib.crc32(JPEG), "corrupt"),
        (b"\xff\xff\xff", DEFLATED, 10, 0, "corrupt"),
        (b"", DEFLATED, 0, 0, "truncated"),
        (JPEG, 12, len(JPEG), zlib.crc32(JPEG), "corrupt"),
    ],
)
def test_damage_is_named(raw: bytes, method: int, size: int, crc32: int, code: str) -> None:
    """Too short, too long, another checksum, no deflate stream, another method."""
    with pytest.raises(EntryDamaged) as caught:
        inflate_entry(raw, method=method, size=size, crc32=crc32)
    assert caught.value.code == EntryDamage(code)


@given(st.binary(max_size=400), st.sampled_from([STORED, DEFLATED, 9]), st.integers(0, 500))
def test_any_bytes_inflate_or_are_damaged(raw: bytes, method: int, size: int) -> None:
    """Nothing but EntryDamaged comes of bytes that were never an entry."""
    try:
        content = inflate_entry(raw, method=method, size=size, crc32=zlib.crc32(raw))
    except EntryDamaged:
        return
    assert len(content) == size
