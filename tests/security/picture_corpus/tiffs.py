"""TIFFs: every compression, both byte orders, and directories that lead astray."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import cv2
import numpy as np
from PIL import Image, ImageCms

from services.inference.errors import RefusalCode
from tests.security.picture_corpus.case import Case, Make, Shows
from tests.security.picture_corpus.profiles import GAMUTS, Gamut, in_gamut, profile
from tests.security.picture_corpus.scene import (
    GREYS,
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
_COMPRESSIONS = ("raw", "tiff_lzw", "tiff_deflate", "tiff_adobe_deflate", "packbits")
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC = 256, 257, 258, 259, 262
_OFFSETS, _SAMPLES, _ROWS, _LENGTHS = 273, 277, 278, 279
_TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS, _TILE_LENGTHS = 322, 323, 324, 325
_DEFLATE = 8


def tiff(picture: Image.Image | None = None, **options: object) -> bytes:
    return file_of(picture or image(), "TIFF", **options)


def directory(tags: dict[int, int], body: bytes = b"", after: int = 0) -> bytes:
    """A TIFF of LONG tags. Where a value is -1, it is the place of `body`; `after` is the next directory."""
    start = 8 + 2 + 12 * len(tags) + 4
    entries = b"".join(
        struct.pack("<HHII", tag, 4, 1, start if value == -1 else value)
        for tag, value in sorted(tags.items())
    )
    return (
        b"II*\x00\x08\x00\x00\x00" + struct.pack("<H", len(tags)) + entries + struct.pack("<I", after) + body
    )


def _grey(**changed: int) -> dict[int, int]:
    """The tags of the scene's red channel in one strip, uncompressed."""
    tags = {"w": WIDTH, "h": HEIGHT, "bits": 8, "how": 1, "is": 1, "at": -1, "n": 1, "rows": HEIGHT}
    tags |= {"length": WIDTH * HEIGHT, **changed}
    names = (_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _OFFSETS, _SAMPLES, _ROWS, _LENGTHS)
    return dict(zip(names, tags.values(), strict=True))


_RED = scene()[..., 0].tobytes()
_GREY_SHOWN = Shows(corners=None)


def cases() -> Iterator[Case]:
    yield from _layouts()
    yield from _depths()
    yield from _turns()
    yield from _cuts()
    yield from _directories()
    yield from _bombs()


def _layouts() -> Iterator[Case]:
    for name in _COMPRESSIONS:
        yield Case(f"tiff {name}", "RGB", _compressed(name), Shows())
    yield Case("tiff jpeg", "JPEG inside", lambda: tiff(compression="jpeg", quality=92), Shows(tolerance=10))
    yield Case(
        "tiff fax", "group 4, 1 bit", lambda: tiff(image().convert("1"), compression="group4"), _GREY_SHOWN
    )
    yield Case("tiff big", "BigTIFF", lambda: tiff(big_tiff=True), Shows())
    yield Case("tiff tiled", "one tile of 32×32", _tiled, Shows(32, 32, corners=None))
    yield Case("tiff pages", "three of them", _pages, Shows())
    yield Case("tiff trailing bytes", "behind everything", lambda: tiff() + bytes(999), Shows())
    yield Case("tiff by hand", "grey, one strip", lambda: directory(_grey(), _RED), _GREY_SHOWN)
    for width, height in ((1, 1), (1, 8_000), (16_383, 1)):
        yield Case(
            f"tiff {width}×{height}",
            "tiny or thin",
            _sized(width, height),
            Shows(width, height, corners=None),
        )


def _compressed(name: str) -> Make:
    return lambda: tiff(compression=name)


def _sized(width: int, height: int) -> Make:
    return lambda: tiff(image(scene(width, height)), compression="tiff_lzw")


def _constant(data: bytes) -> Make:
    return lambda: data


def _pages() -> bytes:
    first, *others = frames()
    return tiff(first, save_all=True, append_images=others)


def _tiled(side: int = 32) -> bytes:
    return directory(_tile_tags(side), scene()[:side, :side, 0].tobytes())


def _tile_tags(side: int) -> dict[int, int]:
    tags = {tag: value for tag, value in _grey(w=32, h=32).items() if tag not in (_OFFSETS, _ROWS, _LENGTHS)}
    return tags | {_TILE_WIDTH: side, _TILE_HEIGHT: side, _TILE_OFFSETS: -1, _TILE_LENGTHS: side * side}


def _depths() -> Iterator[Case]:
    yield Case("tiff 16 bit", "RGB", _sixteen_bits, Shows())
    grey = np.asarray(image().convert("L")).astype(np.uint16) * 257
    yield Case("tiff 16 bit grey", "grey", lambda: tiff(Image.fromarray(grey)), Shows(corners=GREYS))
    yield Case("tiff alpha", "RGBA", lambda: tiff(with_alpha()), Shows(alpha=True))
    yield Case("tiff palette", "256 colours", lambda: tiff(image().quantize(256)), Shows(tolerance=20))
    yield Case("tiff cmyk", "inks", lambda: tiff(image().convert("CMYK")), Shows())
    yield Case("tiff lab", "CIELAB", _lab, Shows())
    floating = Image.fromarray(np.ones((HEIGHT, WIDTH), np.float32))
    yield Case("tiff float", "floating point", lambda: tiff(floating), RefusalCode.UNSUPPORTED_FORMAT)
    for name, gamut in GAMUTS.items():
        yield Case(f"tiff {name}", "under a profile", _tagged(gamut), Shows())


def _sixteen_bits() -> bytes:
    deep = cv2.cvtColor(scene(), cv2.COLOR_RGB2BGR).astype(np.uint16) * 257
    return bytes(cv2.imencode(".tiff", deep)[1])


def _lab() -> bytes:
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    converted = ImageCms.applyTransform(image(), ImageCms.buildTransform(srgb, lab, "RGB", "LAB"))
    assert converted is not None
    del converted.info["icc_profile"]  # it has the time of day in it
    return tiff(converted)


def _tagged(gamut: Gamut) -> Make:
    return lambda: tiff(Image.fromarray(in_gamut(*gamut)), icc_profile=profile(*gamut))


def _turns() -> Iterator[Case]:
    for number in range(1, 9):
        for compression in ("raw", "tiff_lzw"):
            yield Case(
                f"tiff turned {number} {compression}",
                f"tag 274 is {number}",
                _turned(number, compression),
                Shows(),
            )
    yield Case("tiff orientation 9", "no such one", lambda: tiff(exif=exif(9)), Shows())


def _turned(number: int, compression: str) -> Make:
    return lambda: tiff(turned(number), exif=exif(number), compression=compression)


def _cuts() -> Iterator[Case]:
    for name in _COMPRESSIONS:
        data = tiff(image(scene(192, 128)), compression=name)
        for share in (0.1, 0.5, 0.9):
            yield Case(
                f"tiff {name} cut at {share:.0%}",
                "nothing follows",
                _constant(data[: int(len(data) * share)]),
                CUT,
            )
    yield Case("tiff mark alone", "8 bytes", _constant(tiff()[:8]), CUT)


def _directories() -> Iterator[Case]:
    yield Case(
        "tiff directory beyond", "its offset lies outside", lambda: put(tiff(), 4, b"\xff\xff\xff\x7f"), CUT
    )
    yield Case(
        "tiff loop", "its directory follows itself", lambda: directory(_grey(), _RED, after=8), _GREY_SHOWN
    )
    loops = {**_grey(), 330: 8, 34_665: 8, 34_853: 8}
    yield Case("tiff loops below", "sub-directories lead back", lambda: directory(loops, _RED), _GREY_SHOWN)
    yield Case(
        "tiff strip beyond", "its offset lies outside", lambda: directory(_grey(at=2**31 - 1), _RED), CUT
    )
    yield Case(
        "tiff strip of 2 GiB", "by its length", lambda: directory(_grey(length=2**31 - 1), _RED), _GREY_SHOWN
    )
    yield Case("tiff taller than its data", "640 rows", lambda: directory(_grey(h=640, rows=640), _RED), CUT)
    yield Case("tiff huge count", "a tag of 4 billion values", lambda: _counted(0xFFFF_FFFF), _GREY_SHOWN)
    yield Case(
        "tiff 65,535 tags",
        "in the space of nine",
        lambda: put(directory(_grey(), _RED), 8, b"\xff\xff"),
        _GREY_SHOWN,
    )
    yield Case("tiff no tags", "an empty directory", lambda: directory({}), CUT)
    yield Case("tiff 3 bits", "no such depth", lambda: directory(_grey(bits=3), _RED), BROKEN)
    yield Case("tiff 60,000 channels", "per pixel", lambda: directory(_grey(n=60_000), _RED), BROKEN)
    yield Case("tiff unknown compression", "number 9,999", lambda: directory(_grey(how=9_999), _RED), BROKEN)
    yield Case("tiff lzw garbage", "strip of noise", lambda: directory(_grey(how=5), _RED), BROKEN)


def _counted(count: int) -> bytes:
    data = directory({**_grey(), 700: 8}, _RED)
    at = data.index(struct.pack("<HHI", 700, 4, 1))
    return put(data, at + 4, struct.pack("<I", count))


def _bombs() -> Iterator[Case]:
    too_many = RefusalCode.TOO_MANY_PIXELS
    yield Case("tiff bomb", "40,000 × 40,000", lambda: directory(_grey(w=40_000, h=40_000), _RED), too_many)
    yield Case(
        "tiff 16,384 wide", "one px over the limit", lambda: directory(_grey(w=16_384, h=1), _RED), too_many
    )
    tile = _tile_tags(32) | {_TILE_WIDTH: 30_000, _TILE_HEIGHT: 30_000}
    yield Case("tiff tile bomb", "a tile of 30,000² for 32×32 px", lambda: directory(tile, _RED), too_many)
    zeros = zlib.compress(bytes(200_000_000), 9)
    strip = _grey(how=_DEFLATE, length=len(zeros))
    yield Case("tiff deflate bomb", "a strip of 200 MB", lambda: directory(strip, zeros), _GREY_SHOWN)
    yield Case("tiff tags on one place", "4,000 tags of 1 MB each", _piled, Shows(8, 8, corners=None))


def _piled() -> bytes:
    """Each tag claims the same megabyte; a reader that copies it for each needs 4 GB."""
    small = directory(_grey(w=8, h=8, rows=8, length=64, at=8))
    count = len(_grey())
    piled = b"".join(struct.pack("<HHII", 1_000 + n, 1, 1_000_000, 8) for n in range(4_000))
    return put(small[: 10 + 12 * count], 8, struct.pack("<H", count + 4_000)) + piled + bytes(1_000_000)
