"""WebPs: lossy, lossless, alpha, animated, and canvases that lie."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from PIL import Image

from services.inference.errors import RefusalCode
from tests.security.picture_corpus.case import Case, Make, Shows
from tests.security.picture_corpus.profiles import GAMUTS, in_gamut, profile
from tests.security.picture_corpus.scene import (
    HEIGHT,
    WIDTH,
    exif,
    file_of,
    frames,
    image,
    put,
    scene,
    turned,
    with_alpha,
)

CUT, BROKEN = RefusalCode.TRUNCATED, RefusalCode.CORRUPT
_LOSSY = Shows(tolerance=10)


def webp(picture: Image.Image | None = None, **options: object) -> bytes:
    return file_of(picture or image(), "WEBP", **{"quality": 90, **options})


def cases() -> Iterator[Case]:
    yield from _layouts()
    yield from _cuts()
    yield from _lies()


def _layouts() -> Iterator[Case]:
    yield Case("webp", "lossy", webp, _LOSSY)
    yield Case("webp lossless", "lossless", lambda: webp(lossless=True), Shows())
    yield Case(
        "webp alpha",
        "lossy with alpha",
        lambda: webp(with_alpha(), exact=True),
        Shows(tolerance=12, alpha=True),
    )
    yield Case(
        "webp lossless alpha",
        "RGBA",
        lambda: webp(with_alpha(), lossless=True, exact=True),
        Shows(alpha=True),
    )
    yield Case("webp animated", "three frames", _animated, _LOSSY)
    yield Case("webp 1×1", "tiny", lambda: webp(image(scene(1, 1))), Shows(1, 1, corners=None))
    yield Case("webp 16383×1", "thin", lambda: webp(image(scene(16_383, 1))), Shows(16_383, 1, corners=None))
    for number in range(1, 9):
        yield Case(f"webp turned {number}", f"EXIF orientation {number}", _turned(number), _LOSSY)
    yield Case("webp orientation 9", "no such one", lambda: webp(exif=exif(9)), _LOSSY)
    for name, gamut in GAMUTS.items():
        picture, icc = Image.fromarray(in_gamut(*gamut)), profile(*gamut)
        yield Case(f"webp {name}", "ICCP", _tagged(picture, icc), _LOSSY)
    yield Case("webp profile nonsense", "counts as none", lambda: webp(icc_profile=b"none" * 50), _LOSSY)
    yield Case("webp trailing bytes", "behind its RIFF", lambda: webp() + bytes(500), _LOSSY)


def _animated() -> bytes:
    first, *others = frames()
    return webp(first, save_all=True, append_images=others)


def _turned(number: int) -> Make:
    return lambda: webp(turned(number), exif=exif(number))


def _tagged(picture: Image.Image, icc: bytes) -> Make:
    return lambda: webp(picture, icc_profile=icc, quality=97)


def _constant(data: bytes) -> Make:
    return lambda: data


def _cuts() -> Iterator[Case]:
    for name, data in {"": webp(), "lossless ": webp(lossless=True), "animated ": _animated()}.items():
        for at in (12, 20, 29, len(data) // 2, len(data) - 9):
            yield Case(f"webp {name}cut at byte {at}", "nothing follows", _constant(data[:at]), CUT)
    data = webp()
    half = data[: len(data) // 2]
    riff = put(half, 4, struct.pack("<I", len(half) - 8))
    yield Case("webp cut, RIFF mended", "its chunk is longer than the file", _constant(riff), CUT)
    mended = put(riff, 16, struct.pack("<I", len(half) - 20))
    yield Case("webp cut, both lengths mended", "half of the macroblocks", _constant(mended), BROKEN)


def _lies() -> Iterator[Case]:
    data, extended = webp(), webp(exif=exif(1))
    too_many = RefusalCode.TOO_MANY_PIXELS
    yield Case("webp bomb", "a canvas of 16,383²", lambda: put(extended, 24, b"\xfe\x3f\x00" * 2), too_many)
    yield Case("webp lossy bomb", "a frame of 16,383²", lambda: put(data, 26, b"\xff\x3f" * 2), too_many)
    yield Case(
        "webp lossless bomb", "16,384²", lambda: put(webp(lossless=True), 21, b"\xff\xff\xff\x0f"), too_many
    )
    bomb = put(_animated(), 24, struct.pack("<I", 5_999)[:3] * 2)
    yield Case("webp animated, 36 MP", "canvas over 25 MP", _constant(bomb), too_many)
    larger = put(extended, 24, struct.pack("<I", WIDTH * 2)[:3] + struct.pack("<I", HEIGHT * 2)[:3])
    yield Case("webp canvas too large", "twice its picture", _constant(larger), BROKEN)
    smaller = put(extended, 24, b"\x07\x00\x00" * 2)
    yield Case("webp canvas too small", "8×8 round 96×64", _constant(smaller), BROKEN)
    taller = put(data, 28, struct.pack("<H", HEIGHT * 4))
    yield Case("webp taller than its data", "256 rows", _constant(taller), BROKEN)
    yield Case("webp no size", "0×0", lambda: put(data, 26, bytes(4)), BROKEN)
    yield Case("webp longer by its RIFF", "length of 2 GiB", lambda: put(data, 4, b"\xff\xff\xff\x7f"), CUT)
    yield Case("webp unknown chunk first", "no picture begins it", lambda: put(data, 12, b"JUNK"), BROKEN)
    yield Case("webp damaged", "bytes overwritten", lambda: put(data, 30, bytes(200)), Shows(corners=None))
