"""PNGs: every depth and colour type, colours by number, and chunks that lie."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import numpy as np

from services.inference.errors import RefusalCode
from services.inference.pipeline.arrays import U8
from tests.security.picture_corpus.case import Case, Make, Shows
from tests.security.picture_corpus.profiles import GAMUTS, cmyk_profile, in_gamut, profile
from tests.security.picture_corpus.scene import (
    CORNERS,
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
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY, _RGB, _PALETTE, _GREY_ALPHA, _RGBA = 0, 2, 3, 4, 6
_COARSE = Shows(tolerance=40)
_GREYSCALE = Shows(corners=GREYS)
_BIG = b"\x00\x00\xc3\x50"
_ADAM7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def rows(pixels: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> bytes:
    """Scan lines without a filter; of 16-bit values, the high byte first."""
    swapped = pixels.astype(">u2") if pixels.dtype == np.uint16 else pixels
    return b"".join(b"\x00" + row.tobytes() for row in swapped)


def png(
    pixels: bytes | None = None,
    *before: bytes,
    size: tuple[int, int] = (WIDTH, HEIGHT),
    depth: int = 8,
    colour: int = _RGB,
    interlaced: bool = False,
) -> bytes:
    """A PNG with these scan lines (the scene's by default) and any chunks before them."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", *size, depth, colour, 0, 0, interlaced))
    body = zlib.compress(rows(scene()) if pixels is None else pixels)
    return _SIGNATURE + header + b"".join(before) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def cases() -> Iterator[Case]:
    yield from _layouts()
    yield from _palettes()
    yield from _sixteen_bits()
    yield from _colours()
    yield from _turns()
    yield from _cuts()
    yield from _lies()
    yield from _bombs()


def _layouts() -> Iterator[Case]:
    yield Case("png", "RGB, 8 bits", png, Shows())
    yield Case("png rgba", "with alpha", lambda: file_of(with_alpha(), "PNG"), Shows(alpha=True))
    yield Case("png grey", "8 bits", lambda: file_of(image().convert("L"), "PNG"), _GREYSCALE)
    yield Case(
        "png grey alpha",
        "8 bits",
        lambda: file_of(with_alpha().convert("LA"), "PNG"),
        Shows(corners=GREYS, alpha=True),
    )
    yield Case(
        "png black and white", "1 bit", lambda: file_of(image().convert("1"), "PNG"), Shows(corners=None)
    )
    yield Case("png interlaced", "Adam7", _interlaced, Shows())
    yield Case("png one colour transparent", "tRNS of RGB", _one_colour_transparent, Shows(alpha=True))
    yield Case("png animated", "three frames", _animated, Shows())
    for width, height in ((1, 1), (1, 8_000), (8_000, 1), (3, 5), (16_383, 2)):
        data = png(rows(scene(width, height)), size=(width, height))
        yield Case(
            f"png {width}×{height}", "tiny or thin", _constant(data), Shows(width, height, corners=None)
        )


def _constant(data: bytes) -> Make:
    return lambda: data


def _interlaced() -> bytes:
    pixels = scene()
    passes = (pixels[top::down, left::right] for top, left, down, right in _ADAM7)
    return png(b"".join(rows(part) for part in passes), interlaced=True)


def _one_colour_transparent() -> bytes:
    return png(None, chunk(b"tRNS", struct.pack(">3H", *(int(v) for v in scene()[0, 0]))))


def _animated() -> bytes:
    first, *others = frames()
    return file_of(first, "PNG", save_all=True, append_images=others)


def _palettes() -> Iterator[Case]:
    for bits in (1, 2, 4, 8):
        colours = 1 << bits
        for transparent in (False, True):
            expected = Shows(corners=None if bits == 1 else _COARSE.corners, tolerance=40, alpha=transparent)
            name = f"png palette {bits} bit{' tRNS' if transparent else ''}"
            yield Case(name, f"{colours} colours", _indexed(colours, transparent), expected)
    yield Case("png palette too short", "indices beyond it", _short_palette, Shows(corners=None))
    yield Case("png palette missing", "no PLTE", lambda: png(rows(scene()[..., 0]), colour=_PALETTE), BROKEN)


def _indexed(colours: int, transparent: bool) -> Make:
    options: dict[str, object] = {"transparency": 0} if transparent else {}
    return lambda: file_of(image().quantize(colours), "PNG", **options)


def _short_palette() -> bytes:
    indices = (scene()[..., 0] % 8).astype(np.uint8)
    return png(rows(indices), chunk(b"PLTE", bytes(range(9))), colour=_PALETTE)


def _sixteen_bits() -> Iterator[Case]:
    deep = scene().astype(np.uint16) * 257
    grey = np.asarray(image().convert("L")).astype(np.uint16) * 257
    alpha = np.asarray(with_alpha())[..., 3:].astype(np.uint16) * 257
    gamma = chunk(b"gAMA", struct.pack(">I", 45_455))
    yield Case("png 16 bit", "RGB", _deep(deep, _RGB), Shows())
    yield Case("png 16 bit rgba", "RGB with alpha", _deep(np.dstack([deep, alpha]), _RGBA), Shows(alpha=True))
    yield Case("png 16 bit grey", "grey", _deep(grey, _GREY), _GREYSCALE)
    la = np.dstack([grey[..., None], alpha])
    yield Case(
        "png 16 bit grey alpha", "grey with alpha", _deep(la, _GREY_ALPHA), Shows(corners=GREYS, alpha=True)
    )
    yield Case("png 16 bit gAMA", "RGB, the gamma of sRGB", _deep(deep, _RGB, gamma), Shows())
    wide, icc = in_gamut(*GAMUTS["ProPhoto"]).astype(np.uint16) * 257, profile(*GAMUTS["ProPhoto"])
    yield Case("png 16 bit ProPhoto", "RGB under a profile", _deep(wide, _RGB, _iccp(icc)), Shows())


def _deep(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint16]], colour: int, *chunks: bytes) -> Make:
    return lambda: png(rows(pixels), *chunks, depth=16, colour=colour)


def _iccp(icc: bytes) -> bytes:
    return chunk(b"iCCP", b"icc\x00\x00" + zlib.compress(icc))


def _colours() -> Iterator[Case]:
    for name, gamut in GAMUTS.items():
        pixels = in_gamut(*gamut)
        yield Case(f"png {name}", "iCCP", _tagged(pixels, _iccp(profile(*gamut))), Shows())
    linear = in_gamut(
        ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.7141)), 1.0
    )
    yield Case("png linear", "gAMA 1.0", _tagged(linear, _gama(100_000)), Shows())
    p3 = in_gamut(*GAMUTS["Display P3"])
    points = (31_270, 32_900, 68_000, 32_000, 26_500, 69_000, 15_000, 6_000)
    chroma = chunk(b"cHRM", struct.pack(">8I", *points))
    yield Case("png cHRM", "Display P3 by numbers", _tagged(p3, _gama(45_455), chroma), Shows())
    yield Case("png cICP", "Display P3 by code points", _tagged(p3, _cicp(12, 13)), Shows())
    yield Case("png HDR", "PQ by code points", _tagged(p3, _cicp(9, 16)), RefusalCode.UNSUPPORTED_FORMAT)
    srgb = chunk(b"sRGB", b"\x00")
    yield Case("png sRGB", "stands over gAMA", _tagged(scene(), srgb, _gama(100_000)), Shows())
    for name, numbers in {"zeros": (0,) * 8, "no triangle": (33_333,) * 8, "huge": (2**31 - 1,) * 8}.items():
        nonsense = chunk(b"cHRM", struct.pack(">8I", *numbers))
        yield Case(f"png cHRM of {name}", "counts as none", _tagged(scene(), nonsense), Shows())
    for value in (0, 1, 2**31 - 1):
        yield Case(f"png gAMA {value}", "counts as none", _tagged(scene(), _gama(value)), Shows(corners=None))
    for name, icc in {"nonsense": b"nothing" * 30, "for inks": cmyk_profile()}.items():
        yield Case(f"png iCCP {name}", "counts as none", _tagged(scene(), _iccp(icc)), Shows())
    damaged = chunk(b"iCCP", b"icc\x00\x00" + bytes(90))
    yield Case("png iCCP damaged", "does not inflate", _tagged(scene(), damaged), Shows())


def _tagged(pixels: U8, *chunks: bytes) -> Make:
    return lambda: png(rows(pixels), *chunks)


def _gama(value: int) -> bytes:
    return chunk(b"gAMA", struct.pack(">I", value))


def _cicp(primaries: int, transfer: int) -> bytes:
    return chunk(b"cICP", bytes([primaries, transfer, 0, 1]))


def _turns() -> Iterator[Case]:
    for number in range(1, 9):
        yield Case(f"png turned {number}", f"EXIF orientation {number}", _turned(number), Shows())
    late = png()[:-12] + chunk(b"eXIf", exif(3)[6:]) + chunk(b"IEND", b"")
    upside_down = Shows(corners=(CORNERS[3], CORNERS[2], CORNERS[1], CORNERS[0]))
    yield Case("png turned late", "EXIF behind the pixels", _constant(late), upside_down)


def _turned(number: int) -> Make:
    return lambda: file_of(turned(number), "PNG", exif=exif(number))


def _cuts() -> Iterator[Case]:
    data = png()
    idat = data.index(b"IDAT")
    for where, at in {"after its signature": 8, "in IHDR": 20, "before IDAT": idat - 4}.items():
        yield Case(f"png cut {where}", "nothing follows", _constant(data[:at]), CUT)
    for share in (0.3, 0.7, 0.95):
        at = idat + int((len(data) - idat) * share)
        yield Case(f"png cut at {share:.0%}", "in IDAT", _constant(data[:at]), CUT)
    half = zlib.compress(rows(scene()))[:9_000]
    short = data[: idat - 4] + chunk(b"IDAT", half) + chunk(b"IEND", b"")
    yield Case("png half the pixels", "IDAT ends early, IEND follows", _constant(short), CUT)
    yield Case("png no IEND", "the end missing", _constant(data[:-12]), CUT)
    yield Case("png no IDAT", "no pixels", _constant(data[: idat - 4] + chunk(b"IEND", b"")), CUT)


def _lies() -> Iterator[Case]:
    data = png()
    yield Case("png taller than its data", "96 rows", lambda: png(size=(WIDTH, 96)), BROKEN)
    yield Case("png wider than its data", "960 columns", lambda: png(size=(960, HEIGHT)), BROKEN)
    yield Case(
        "png smaller than its data", "32 rows", lambda: png(size=(WIDTH, 32)), Shows(WIDTH, 32, corners=None)
    )
    yield Case("png no rows", "a height of 0", lambda: png(size=(WIDTH, 0)), BROKEN)
    yield Case("png IHDR damaged", "wrong checksum", lambda: put(data, 29, b"\x00\x00\x00\x00"), BROKEN)
    yield Case("png IDAT damaged", "bytes overwritten", lambda: put(data, 4_000, b"\x00" * 40), BROKEN)
    second = data[8:16] + _BIG * 2 + data[24:33]
    yield Case("png two headers", "the second is huge", lambda: data[:33] + second + data[33:], BROKEN)
    yield Case("png colour type 5", "there is none", lambda: png(colour=5), BROKEN)
    yield Case("png depth 3", "there is none", lambda: png(depth=3), BROKEN)
    yield Case("png filter 9", "there is none", lambda: png(b"\x09" + rows(scene())[1:]), BROKEN)
    for kind in (b"IDAT", b"tRNS", b"fdAT", b"teXt"):
        claim = struct.pack(">I", 0x7FFF_FFF0) + kind + bytes(40)
        yield Case(
            f"png {kind.decode()} of 2 GiB", "by its length", _constant(data[:33] + claim + data[33:]), CUT
        )
    yield Case("png trailing bytes", "behind IEND", lambda: data + b"PK\x03\x04" + bytes(900), Shows())


def _bombs() -> Iterator[Case]:
    too_many = RefusalCode.TOO_MANY_PIXELS
    for width, height in ((50_000, 50_000), (2_000_000_000, 1), (8_000, 8_000), (16_384, 1)):
        yield Case(f"png {width:,}×{height:,}", "in its header", _claim(width, height), too_many)
    yield Case(
        "png of 2.7 GB zeros",
        "inflates to it",
        lambda: png(bytes(20_000_000), size=(30_000, 30_000)),
        too_many,
    )
    blown = zlib.compress(bytes(100_000_000), 9)
    yield Case(
        "png zTXt bomb", "100 MB of text", lambda: png(None, chunk(b"zTXt", b"C\x00\x00" + blown)), BROKEN
    )
    text = chunk(b"iTXt", b"C\x00\x01\x00\x00\x00" + blown)
    yield Case("png iTXt bomb", "100 MB of text", lambda: png(None, text), BROKEN)
    yield Case(
        "png iCCP bomb", "100 MB of profile", lambda: png(None, chunk(b"iCCP", b"i\x00\x00" + blown)), BROKEN
    )
    yield Case(
        "png in a million parts", "empty chunks", lambda: png(None, chunk(b"teXt", b"") * 1_000_000), BROKEN
    )


def _claim(width: int, height: int) -> Make:
    return lambda: png(bytes(1_000), size=(width, height))
