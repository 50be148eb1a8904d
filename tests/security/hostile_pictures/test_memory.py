"""The largest pictures that are taken stay within the memory that is promised for them."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

import pytest
from PIL import Image

from services.inference.pipeline.limits import DECODE_MEMORY, MAX_PIXELS
from tests.security.fuzz_pictures import SECONDS
from tests.security.guard import Guard
from tests.security.outcomes import PICTURE, decoded
from tests.security.picture_corpus.pngs import chunk
from tests.security.picture_corpus.profiles import GAMUTS, profile
from tests.security.picture_corpus.scene import exif, file_of

_SIZE = (7_070, 7_071)
_P3 = profile(*GAMUTS["Display P3"])
_MEBIBYTE = 1 << 20


def _png(depth: int) -> bytes:
    """RGBA of one colour in P3, to be turned; row by row, for the test is not to need the memory itself."""
    width, height = _SIZE
    packer = zlib.compressobj(1)
    row = b"\x00" + (b"\x20\x60\xa0\xc0" if depth == 8 else b"\x20\x20\x60\x60\xa0\xa0\xc0\xc0") * width
    pixels = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, depth, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (
            chunk(b"IHDR", header),
            chunk(b"iCCP", b"P3\x00\x00" + zlib.compress(_P3)),
            chunk(b"eXIf", exif(6).removeprefix(b"Exif\x00\x00")),
            chunk(b"IDAT", pixels),
            chunk(b"IEND", b""),
        )
    )


def _saved(mode: str, kind: str, **options: object) -> bytes:
    colour = {"RGB": (90, 20, 30), "RGBA": (90, 20, 30, 40)}[mode]
    return file_of(Image.new(mode, _SIZE, colour), kind, **options)


_LARGEST: dict[str, Callable[[], bytes]] = {
    "jpeg in P3, turned": lambda: _saved("RGB", "JPEG", icc_profile=_P3, exif=exif(6)),
    "png rgba in P3, turned": lambda: _png(8),
    "png rgba of 16 bits in P3, turned": lambda: _png(16),
    "webp rgba": lambda: _saved("RGBA", "WEBP", quality=20, method=0),
    "avif rgba, turned": lambda: _saved("RGBA", "AVIF", quality=20, speed=10, exif=exif(6)),
}


@pytest.mark.parametrize("name", _LARGEST)
def test_the_largest_picture_is_decoded_within_its_memory(name: str) -> None:
    """50 MP, in the costliest layout of each format."""
    assert _SIZE[0] * _SIZE[1] > MAX_PIXELS * 0.999
    with Guard(decoded, memory=DECODE_MEMORY, seconds=SECONDS * 2) as guard:
        report = guard.run(_LARGEST[name]())
    assert report.outcome == PICTURE
    assert report.growth < DECODE_MEMORY, f"{report.growth // _MEBIBYTE} MiB"
