"""JPEGs: every layout, every way to be cut, every way to lie."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from io import BytesIO

import cv2
import numpy as np
from PIL import Image

from services.inference.errors import RefusalCode
from services.inference.pipeline.arrays import U8
from tests.security.picture_corpus.case import Case, Make, Shows
from tests.security.picture_corpus.profiles import (
    GAMUTS,
    assembled,
    cmyk_profile,
    in_gamut,
    profile,
)
from tests.security.picture_corpus.scene import GREYS, exif, file_of, frames, image, put, scene, turned

EOI, SOI = b"\xff\xd9", b"\xff\xd8"
CUT, BROKEN = RefusalCode.TRUNCATED, RefusalCode.CORRUPT
_COLOURS = Shows(tolerance=10)
_LARGE = (640, 480)


def jpeg(**options: object) -> bytes:
    return file_of(image(), "JPEG", **{"quality": 92, **options})


def large(**options: object) -> bytes:
    """Large enough to be cut in the middle of its scan."""
    return file_of(image(scene(*_LARGE)), "JPEG", quality=85, **options)


def segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def after_start(data: bytes, *segments: bytes) -> bytes:
    return data[:2] + b"".join(segments) + data[2:]


def cases() -> Iterator[Case]:
    yield from _layouts()
    yield from _inks()
    yield from _cuts()
    yield from _lies()
    yield from _turns()
    yield from _profiles()
    yield from _company()


def _layouts() -> Iterator[Case]:
    yield Case("jpeg", "baseline, 4:2:0", jpeg, _COLOURS)
    yield Case("jpeg progressive", "ten scans", lambda: jpeg(progressive=True), _COLOURS)
    yield Case("jpeg 4:4:4", "no subsampling", lambda: jpeg(subsampling=0), _COLOURS)
    yield Case("jpeg restarts", "a restart after each row", lambda: jpeg(restart_marker_rows=1), _COLOURS)
    yield Case(
        "jpeg grey", "one component", lambda: file_of(image().convert("L"), "JPEG"), Shows(corners=GREYS)
    )
    yield Case("jpeg own rgb", "RGB as such, by Adobe's mark", lambda: jpeg(keep_rgb=True), _COLOURS)
    yield Case("jpeg no tables", "Huffman tables left out, as in video", _without_tables, _COLOURS)
    yield Case("jpeg odd sampling", "wider chroma than luma", _odd_sampling, Shows(tolerance=14))
    yield Case("jpeg component missing", "two scans of three", lambda: _odd_sampling(2), CUT)
    for width, height in ((1, 1), (1, 300), (300, 1), (8_000, 1), (1, 16_383)):
        expected = Shows(width, height, corners=None)
        yield Case(f"jpeg {width}×{height}", "tiny or thin", _sized(width, height), expected)
    yield Case("jpeg 16,384 long", "one px over the limit", _sized(16_384, 8), RefusalCode.TOO_MANY_PIXELS)


def _sized(width: int, height: int) -> Make:
    return lambda: file_of(image(scene(width, height)), "JPEG")


def _without_tables() -> bytes:
    return _drop(jpeg(subsampling=0), 0xC4)


def _odd_sampling(scans: int = 3) -> bytes:
    """Three grey JPEGs as the components of one, each in a scan of its own; blue chroma at full width."""
    luma, red, blue = cv2.split(cv2.cvtColor(scene(), cv2.COLOR_RGB2YCrCb))
    narrow = (48, 64)
    planes = [cv2.resize(luma, narrow), blue, cv2.resize(red, narrow)]
    files = [file_of(Image.fromarray(plane), "JPEG", quality=95) for plane in planes]
    frame = files[0].index(b"\xff\xc0")
    header = struct.pack(">BHHB", 8, 64, 96, 3) + bytes([1, 0x11, 0, 2, 0x21, 0, 3, 0x11, 0])
    start = files[0].index(b"\xff\xda")
    head = files[0][:frame] + segment(0xC0, header) + files[0][frame + 13 : start]
    bodies = [
        segment(0xDA, bytes([1, number, 0, 0, 63, 0])) + data[data.index(b"\xff\xda") + 10 : -2]
        for number, data in enumerate(files, 1)
    ]
    return head + b"".join(bodies[:scans]) + EOI


def _drop(data: bytes, marker: int) -> bytes:
    """All segments of a kind taken out, up to the scan."""
    at, kept = 2, data[:2]
    while data[at + 1] != 0xDA:
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        kept += b"" if data[at + 1] == marker else data[at:end]
        at = end
    return kept + data[at:]


def _inks() -> Iterator[Case]:
    yield Case("jpeg cmyk", "Adobe's, inverted", lambda: _cmyk(), _COLOURS)
    yield Case("jpeg cmyk unmarked", "without Adobe's mark, not inverted", _plain_cmyk, _COLOURS)
    yield Case("jpeg ycck", "Adobe's, as luma and chroma", _ycck, _COLOURS)
    expected = Shows(tolerance=20)
    yield Case(
        "jpeg cmyk profile", "a printer's profile", lambda: _cmyk(icc_profile=cmyk_profile()), expected
    )
    wrong = profile(*GAMUTS["ProPhoto"])
    yield Case("jpeg cmyk rgb profile", "a screen's profile", lambda: _cmyk(icc_profile=wrong), _COLOURS)
    yield Case("jpeg cmyk cut", "cut at 60 %, with an end", lambda: _ended(_cmyk(_LARGE), 0.6), CUT)


def _cmyk(size: tuple[int, int] = (96, 64), **options: object) -> bytes:
    return file_of(image(scene(*size)).convert("CMYK"), "JPEG", quality=92, **options)


def _plain_cmyk() -> bytes:
    inverted = Image.frombytes("CMYK", (96, 64), bytes(255 - b for b in image().convert("CMYK").tobytes()))
    return _drop(file_of(inverted, "JPEG", quality=92), 0xEE)


def _ycck() -> bytes:
    ycc = cv2.cvtColor(255 - scene(), cv2.COLOR_RGB2YCrCb)[..., (0, 2, 1)]
    ink = np.dstack([255 - ycc, np.zeros((64, 96), np.uint8)])
    data = file_of(Image.frombytes("CMYK", (96, 64), ink.tobytes()), "JPEG", quality=92)
    return put(data, data.index(b"Adobe") + 11, b"\x02")


def _cuts() -> Iterator[Case]:
    whole = large()
    places = {
        "after its start": 3,
        "in APP0": 12,
        "in the quantisation tables": whole.index(b"\xff\xdb") + 20,
        "in the frame header": whole.index(b"\xff\xc0") + 8,
        "in the Huffman tables": whole.index(b"\xff\xc4") + 9,
        "in the scan header": whole.index(b"\xff\xda") + 5,
    }
    for where, at in places.items():
        yield Case(f"jpeg cut {where}", "nothing follows", _constant(whole[:at]), CUT)
        yield Case(f"jpeg cut {where} +EOI", "an end of image follows", _constant(whole[:at] + EOI), CUT)
    for share in (0.1, 0.5, 0.9, 0.99):
        for name, options in _WAYS.items():
            data = large(**options)
            yield Case(
                f"jpeg {name} cut at {share:.0%}", "in a scan", _constant(data[: int(len(data) * share)]), CUT
            )
            yield Case(
                f"jpeg {name} cut at {share:.0%} +EOI",
                "in a scan; an end follows",
                _constant(_ended(data, share)),
                CUT,
            )
    progressive = large(progressive=True)
    starts = [found.start() for found in re.finditer(b"\xff\xda", progressive)]
    for number, start in enumerate(starts[1:], 1):
        yield Case(
            f"jpeg progressive, {number} of {len(starts)} scans",
            "the rest left out, an end in its place",
            _constant(progressive[:start] + EOI),
            CUT,
        )
    yield Case("jpeg hole", "2 KB of zeros in the scan", lambda: put(whole, 9_000, bytes(2_000)), CUT)
    yield Case("jpeg only the end missing", "its last two bytes", _constant(whole[:-2]), CUT)


_WAYS: dict[str, dict[str, object]] = {
    "baseline": {},
    "progressive": {"progressive": True},
    "with restarts": {"restart_marker_rows": 1},
}


def _constant(data: bytes) -> Make:
    return lambda: data


def _ended(data: bytes, share: float) -> bytes:
    return data[: int(len(data) * share)] + EOI


def _lies() -> Iterator[Case]:
    data = jpeg()
    frame = data.index(b"\xff\xc0")
    size = frame + 5
    yield Case("jpeg taller than its data", "640 rows", lambda: put(data, size, b"\x02\x80"), CUT)
    yield Case("jpeg wider than its data", "960 columns", lambda: put(data, size + 2, b"\x03\xc0"), CUT)
    yield Case("jpeg no rows", "a height of 0", lambda: put(data, size, b"\x00\x00"), BROKEN)
    yield Case(
        "jpeg bomb", "60,000 × 60,000", lambda: put(data, size, b"\xea\x60" * 2), RefusalCode.TOO_MANY_PIXELS
    )
    second = segment(0xC0, put(data[frame + 4 : frame + 21], 1, b"\xea\x60" * 2))
    yield Case(
        "jpeg two headers",
        "the second is huge",
        lambda: data[: frame + 21 - 2] + second + data[frame + 19 :],
        BROKEN,
    )
    yield Case(
        "jpeg 12 bits",
        "12 bits a channel",
        lambda: put(data, frame + 4, b"\x0c"),
        RefusalCode.UNSUPPORTED_FORMAT,
    )
    for marker, name in ((0xC3, "lossless"), (0xC5, "hierarchical")):
        yield Case(
            f"jpeg {name}",
            f"frame header {marker:02X}",
            _patched(data, frame, marker),
            RefusalCode.UNSUPPORTED_FORMAT,
        )
    yield Case("jpeg scan bomb", "5,000 scans of three bytes", _scan_bomb, BROKEN)
    yield Case("jpeg endless comments", "a million empty segments", _endless, BROKEN)
    yield Case(
        "jpeg no frame", "start, scan and end alone", lambda: SOI + segment(0xDA, bytes(6)) + EOI, BROKEN
    )


def _patched(data: bytes, frame: int, marker: int) -> Make:
    return lambda: put(data, frame + 1, bytes([marker]))


def _scan_bomb() -> bytes:
    data = file_of(Image.new("L", (4_000, 4_000)), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:-2] + data[last:-2] * 5_000 + EOI


def _endless() -> bytes:
    return after_start(jpeg(), segment(0xFE, b"") * 1_000_000)


def _turns() -> Iterator[Case]:
    for number in range(1, 9):
        yield Case(
            f"jpeg turned {number}",
            f"EXIF orientation {number}",
            _turned(number),
            _COLOURS,
        )
    for nonsense in (0, 9, 65_535):
        yield Case(
            f"jpeg orientation {nonsense}", "no such one: as it stands", _with_exif(exif(nonsense)), _COLOURS
        )
    valid = exif(6)
    yield Case("jpeg orientation as text", "its type is ASCII", _with_exif(_retyped(valid, 2, 1)), _COLOURS)
    yield Case("jpeg orientation as list", "1,000 values", _with_exif(_retyped(valid, 3, 1_000)), _COLOURS)
    yield Case(
        "jpeg exif beyond", "its directory lies outside", _with_exif(put(valid, 10, b"\xff" * 4)), _COLOURS
    )
    loop = b"Exif\x00\x00MM\x00*\x00\x00\x00\x08" + struct.pack(">HHHIII", 1, 0x8769, 4, 1, 8, 8)
    yield Case("jpeg exif loop", "its directory follows itself", _with_exif(loop), _COLOURS)
    thumbnail = b"Exif\x00\x00MM\x00*\x00\x00\x00\x08" + struct.pack(">HI", 0, 14) + bytes(65_000)
    yield Case("jpeg exif huge", "a thumbnail of 64 KB", _with_exif(thumbnail), _COLOURS)


def _turned(number: int) -> Make:
    return lambda: file_of(turned(number), "JPEG", quality=92, exif=exif(number))


def _with_exif(body: bytes) -> Make:
    return lambda: after_start(jpeg(), segment(0xE1, body))


def _retyped(body: bytes, kind: int, count: int) -> bytes:
    order = ">" if body[6:8] == b"MM" else "<"
    at = body.index(struct.pack(order + "HH", 0x0112, 3))
    return put(body, at + 2, struct.pack(order + "HI", kind, count))


def _profiles() -> Iterator[Case]:
    for name, (colorants, gamma) in GAMUTS.items():
        pixels, icc = in_gamut(colorants, gamma), profile(colorants, gamma)
        yield Case(f"jpeg {name}", "pixels and profile of that gamut", _tagged(pixels, icc), _COLOURS)
    whole = profile(*GAMUTS["ProPhoto"])
    bomb = put(cmyk_profile()[:200], 0, b"\x7f\xff\xff\xff") + bytes(65_000)
    lut = assembled(
        b"mntr", b"RGB ", b"Lab ", {b"A2B0": struct.pack(">4s4xBBBx", b"mft1", 3, 3, 255) + bytes(100)}
    )
    for name, icc in {
        "nonsense": b"no profile at all" * 9,
        "cut": whole[:150],
        "for inks": cmyk_profile(),
        "for grey": whole.replace(b"RGB ", b"GRAY"),
        "that lies about its size": bomb,
        "with a table of 16 million nodes": lut,
    }.items():
        yield Case(f"jpeg profile {name}", "counts as none", _tagged(scene(), icc), _COLOURS)
    yield Case("jpeg grey, screen's profile", "counts as none", _grey_tagged, Shows(corners=GREYS))


def _tagged(pixels: U8, icc: bytes) -> Make:
    return lambda: file_of(Image.fromarray(pixels), "JPEG", quality=95, icc_profile=icc)


def _grey_tagged() -> bytes:
    return file_of(image().convert("L"), "JPEG", icc_profile=profile(*GAMUTS["ProPhoto"]))


def _company() -> Iterator[Case]:
    data = jpeg()
    for name, rest in {
        "zeros": bytes(5_000),
        "a ZIP": b"PK\x03\x04" + bytes(200),
        "another JPEG, cut": jpeg(quality=20)[:500],
        "a video": b"\x00\x00\x00\x18ftypmp42" + b"\xff\xda\xff\xc0" * 500,
    }.items():
        yield Case(f"jpeg followed by {name}", "after its end", _constant(data + rest), _COLOURS)
    yield Case("jpeg filled", "0xFF before each marker", lambda: after_start(data, b"\xff" * 9), _COLOURS)
    yield Case(
        "jpeg stray bytes",
        "nine before the end, as some cameras leave",
        _constant(data[:-2] + bytes(9) + EOI),
        _COLOURS,
    )
    yield Case("jpeg mpo", "three pictures", _mpo, _COLOURS)
    yield Case(
        "jpeg with a script", "HTML in a comment", lambda: after_start(data, segment(0xFE, _SCRIPT)), _COLOURS
    )


_SCRIPT = b"<script>alert(1)</script><?php system($_GET[0]); ?>"


def _mpo() -> bytes:
    out = BytesIO()
    first, *others = frames()
    first.save(out, "MPO", quality=92, save_all=True, append_images=others)
    return out.getvalue()
