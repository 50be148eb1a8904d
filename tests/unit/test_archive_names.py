"""Names of entries: decoding, what is unsafe, what is passed over."""

from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.batch.archive.names import decode_name, is_passed_over, printable, unsafe_reason
from tests.unit.archive_samples import Part, build, read_entries, refusal_of


def _unicode_path(raw: bytes, name: str, *, crc: int | None = None) -> bytes:
    body = b"\x01" + struct.pack("<L", zlib.crc32(raw) if crc is None else crc) + name.encode()
    return struct.pack("<HH", 0x7075, len(body)) + body


async def _name_of(part: Part) -> str:
    (result,) = await read_entries(build([part]))
    return result.name


async def test_a_name_without_the_flag_is_code_page_437() -> None:
    """What DOS and Windows tools write."""
    assert await _name_of(Part(name="Ärmel.jpg".encode("cp437"), host=0)) == "Ärmel.jpg"


async def test_unflagged_utf8_from_a_mac_keeps_its_name() -> None:
    """Archives made in the Finder hold UTF-8 and do not say so."""
    assert await _name_of(Part(name="Ärmel.jpg".encode(), host=3)) == "Ärmel.jpg"
    assert await _name_of(Part(name=b"\x8ermel.jpg", host=3)) == "Ärmel.jpg"


async def test_the_utf8_flag_counts() -> None:
    """Bit 11, whatever the host."""
    assert await _name_of(Part(name="写真.jpg".encode(), host=0, flags=1 << 11)) == "写真.jpg"


async def test_the_unicode_path_field_counts_only_with_its_checksum() -> None:
    """A field left over from before a rename is ignored."""
    good, stale = _unicode_path(b"_.jpg", "写.jpg"), _unicode_path(b"_.jpg", "写.jpg", crc=1)
    assert await _name_of(Part(name=b"_.jpg", central_extra=good)) == "写.jpg"
    assert await _name_of(Part(name=b"_.jpg", central_extra=stale)) == "_.jpg"


async def test_the_unicode_path_field_is_checked_like_any_name() -> None:
    """A harmless name does not cover for what the field makes of it."""
    assert (
        await refusal_of(Part(name=b"_.jpg", central_extra=_unicode_path(b"_.jpg", "../x.jpg")))
        == "path_traversal"
    )


@pytest.mark.parametrize(
    "name",
    ["", "../a.jpg", "a/../../b.jpg", "a/..", "/etc/a.jpg", "C:/a.jpg", "c:a.jpg", "a\\b.jpg", "a\x00.jpg",
     "a\n.jpg", "a\x7f.jpg", "a\x85.jpg", "x" * 1025],
)  # fmt: skip
def test_names_that_must_not_become_paths_are_unsafe(name: str) -> None:
    """Climbing, absolute, drives, backslashes, control characters, empty, endless."""
    assert unsafe_reason(name)


@pytest.mark.parametrize(
    "name", ["a.jpg", "a/b/c.jpg", "./a.jpg", "a..b.jpg", "...jpg", "a (2).jpg", "写真/服.heic"]
)
def test_ordinary_names_are_safe(name: str) -> None:
    """Dots inside a name climb nowhere."""
    assert unsafe_reason(name) is None


@pytest.mark.parametrize(
    "name",
    ["photos/", "__MACOSX/._a.jpg", "x/__MACOSX/a.jpg", ".DS_Store", "a/.hidden.jpg", ".git/a.jpg",
     "Thumbs.db", "a/thumbs.DB", "desktop.ini", "a/Desktop.ini"],
)  # fmt: skip
def test_litter_is_passed_over(name: str) -> None:
    """Folders, hidden files, and what systems leave beside photos."""
    assert is_passed_over(name)


@pytest.mark.parametrize("name", ["a.jpg", "./a.jpg", "../a.jpg", "a/..", "Thumbs.db.jpg", "a.b/c.jpg"])
def test_photos_and_attacks_are_not_passed_over(name: str) -> None:
    """What climbs is refused aloud, not hidden."""
    assert not is_passed_over(name)


@given(st.binary(max_size=600), st.booleans(), st.booleans())
def test_any_bytes_decode_to_something_a_database_takes(raw: bytes, utf8: bool, unix: bool) -> None:
    """Text that encodes again, without NUL, of bounded length."""
    shown = printable(decode_name(raw, utf8=utf8, unix=unix))
    assert "\x00" not in shown
    assert len(shown) <= 256
    assert shown.encode().decode() == shown
