"""Kinds of files are told by their first bytes."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from libs.common.media import SNIFF_BYTES, ArchiveType, MediaType, sniff, sniff_archive


def _ftyp(major: bytes, *compatible: bytes) -> bytes:
    body = b"ftyp" + major + bytes(4) + b"".join(compatible)
    return (len(body) + 4).to_bytes(4, "big") + body


@pytest.mark.parametrize("media_type", [m for m in MediaType if m is not MediaType.HEIC])
def test_what_pillow_writes_is_recognised(media_type: MediaType) -> None:
    """A real file of each kind that Pillow can write is that kind."""
    stream = io.BytesIO()
    Image.new("RGB", (16, 16)).save(stream, media_type.value.removeprefix("image/"))
    assert sniff(stream.getvalue()[:SNIFF_BYTES]) is media_type


@pytest.mark.parametrize("head", [b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"])
def test_tiff_is_known_in_both_byte_orders(head: bytes) -> None:
    """Little and big endian, classic and BigTIFF."""
    assert sniff(head + bytes(20)) is MediaType.TIFF


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (_ftyp(b"heic", b"mif1"), MediaType.HEIC),
        (_ftyp(b"avif", b"mif1", b"miaf"), MediaType.AVIF),
        (_ftyp(b"mif1", b"mif1", b"heic"), MediaType.HEIC),
        (_ftyp(b"mif1", b"mif1", b"avif"), MediaType.AVIF),
        (_ftyp(b"isom", b"iso2", b"mp41"), None),
        (_ftyp(b"mif1", b"mif1") + b"heic", None),
    ],
)
def test_the_brand_tells_heic_from_avif_and_video(head: bytes, expected: MediaType | None) -> None:
    """Also where the major brand is generic; and only brands inside the box count."""
    assert sniff(head) is expected


def _tar() -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("a.jpg"))
    return stream.getvalue()


def _zip() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.jpg", b"")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (_zip(), ArchiveType.ZIP),
        (b"PK\x05\x06" + bytes(18), ArchiveType.ZIP),
        (gzip.compress(b""), ArchiveType.GZIP),
        (b"7z\xbc\xaf\x27\x1c\x00\x04", ArchiveType.SEVEN_ZIP),
        (b"Rar!\x1a\x07\x01\x00", ArchiveType.RAR),
        (_tar(), ArchiveType.TAR),
        (b"plain text", None),
    ],
)
def test_archives_are_named(content: bytes, expected: ArchiveType | None) -> None:
    """Each kind of archive by its mark, and none of them is a picture."""
    assert sniff_archive(content[:SNIFF_BYTES]) is expected
    assert sniff(content[:SNIFF_BYTES]) is None


@given(st.binary(max_size=300))
def test_any_bytes_have_an_answer(head: bytes) -> None:
    """No head, however short or odd, is an error; only a tar's mark can stand in a picture too."""
    picture, archive = sniff(head), sniff_archive(head)
    assert picture is None or archive in (None, ArchiveType.TAR)


@pytest.mark.parametrize(
    "head", [b"", b"\xff\xd8", b"RIFF\x00\x00\x00\x00WAVE", b"\x89PNG\r\n", b"GIF89a", b"%PDF-1.7"]
)
def test_what_is_not_a_picture_is_none(head: bytes) -> None:
    """Cut marks and other kinds of files."""
    assert sniff(head) is None
