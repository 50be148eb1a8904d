"""What is no picture of ours, whatever it is called: refused by name."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from io import BytesIO

from services.inference.errors import RefusalCode
from tests.security.picture_corpus.case import Case, Make
from tests.security.picture_corpus.scene import file_of, frames, image

_NOT, _OTHER = RefusalCode.NOT_AN_IMAGE, RefusalCode.UNSUPPORTED_FORMAT
_TEXTS = {
    "text": b"just some words, and then some more of them " * 9,
    "html": b"<!DOCTYPE html><html><body>404 Not Found</body></html>",
    "svg": b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>",
    "svg with entities": b"<?xml version='1.0'?><!DOCTYPE s [<!ENTITY a 'aaaa'>]><svg>&a;</svg>",
    "pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj<<>>endobj",
    "zeros": bytes(5_000),
    "executable": b"MZ\x90\x00" + bytes(200),
    "video": b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + bytes(300),
    "pdf before a jpeg": b"%PDF-1.4\n\xff\xd8\xff\xe0",
    "riff sound": b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(40),
    "one byte": b"\xff",
}
_OTHERS = {
    "psd": b"8BPS\x00\x01" + bytes(60),
    "icon": b"\x00\x00\x01\x00\x01\x00" + bytes(60),
    "jpeg xl": b"\xff\x0a" + bytes(60),
    "jpeg xl in boxes": b"\x00\x00\x00\x0cJXL \x0d\x0a\x87\x0a" + bytes(60),
    "openexr": b"\x76\x2f\x31\x01" + bytes(60),
    "raw of a camera": b"\x00\x00\x00\x18ftypcrx \x00\x00\x00\x01crx isom" + bytes(60),
    "heif of jpeg": b"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1jpeg" + bytes(60),
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n" + bytes(60),
}


def cases() -> Iterator[Case]:
    yield Case("empty", "no bytes", lambda: b"", RefusalCode.EMPTY)
    yield Case("over 50 MB", "one byte too many", _too_long, RefusalCode.TOO_MANY_BYTES)
    for name, data in _TEXTS.items():
        yield Case(name, "called a photo", _constant(data), _NOT)
    yield Case("zip", "an archive", _zip, _NOT)
    for name, data in _OTHERS.items():
        yield Case(name, "its first bytes", _constant(data), _OTHER)
    for kind in ("GIF", "BMP", "JPEG2000"):
        yield Case(kind.lower(), "by Pillow", _saved(kind), _OTHER)
    yield Case("gif animated", "three frames", _animated, _OTHER)


def _constant(data: bytes) -> Make:
    return lambda: data


def _saved(kind: str) -> Make:
    return lambda: file_of(image(), kind)


def _too_long() -> bytes:
    return b"\xff\xd8\xff" + bytes(50_000_000 - 2)


def _animated() -> bytes:
    first, *others = frames()
    return file_of(first, "GIF", save_all=True, append_images=others)


def _zip() -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(zipfile.ZipInfo("a.txt"), b"hello")
    return out.getvalue()
