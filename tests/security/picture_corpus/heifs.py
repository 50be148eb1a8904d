"""HEICs and AVIFs: the pictures of phones, with boxes that lie."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from io import BytesIO

import numpy as np
import pillow_heif
from PIL import Image

from services.inference.errors import RefusalCode
from tests.security.picture_corpus.case import Case, Make, Shows
from tests.security.picture_corpus.profiles import GAMUTS, Gamut, in_gamut, profile
from tests.security.picture_corpus.scene import exif, file_of, frames, image, put, scene, turned, with_alpha

CUT, BROKEN = RefusalCode.TRUNCATED, RefusalCode.CORRUPT
_LOSSY = Shows(tolerance=12)
_LARGER: dict[str, Shows | RefusalCode] = {"heic": BROKEN, "avif": Shows(7_000, 7_000, tolerance=12)}
"""libavif stretches a picture to what its properties say."""


def heic(picture: Image.Image | None = None, **options: object) -> bytes:
    out = BytesIO()
    pillow_heif.from_pillow(picture or image()).save(out, quality=90, **options)
    return out.getvalue()


def avif(picture: Image.Image | None = None, **options: object) -> bytes:
    return file_of(picture or image(), "AVIF", **{"quality": 90, "speed": 9, "max_threads": 1, **options})


def cases() -> Iterator[Case]:
    yield from _heic()
    yield from _avif()
    for name, data in {"heic": heic(), "avif": avif()}.items():
        yield from _cuts(name, data)
        yield from _lies(name, data)


def _heic() -> Iterator[Case]:
    yield Case("heic", "HEVC", heic, _LOSSY)
    yield Case("heic alpha", "with alpha", lambda: heic(with_alpha()), Shows(tolerance=12, alpha=True))
    yield Case("heic 10 bit", "deep colours", _deep, _LOSSY)
    yield Case("heic several", "three pictures, the first is the main one", _several, _LOSSY)
    yield Case("heic grey", "one channel", lambda: heic(image().convert("L")), Shows(corners=None))
    for number in range(1, 9):
        yield Case(f"heic turned {number}", f"EXIF orientation {number}", _heic_turned(number), _LOSSY)
    for name, gamut in GAMUTS.items():
        yield Case(f"heic {name}", "under a profile", _heic_tagged(gamut), _LOSSY)


def _deep() -> bytes:
    deep = scene().astype(np.uint16) * 257
    out = BytesIO()
    file = pillow_heif.from_bytes(mode="RGB;16", size=(96, 64), data=deep.tobytes())
    file.save(out, quality=90)
    return out.getvalue()


def _several() -> bytes:
    first, *others = frames()
    file = pillow_heif.from_pillow(first)
    for other in others:
        file.add_from_pillow(other)
    out = BytesIO()
    file.save(out, quality=90, primary_index=0)
    return out.getvalue()


def _heic_turned(number: int) -> Make:
    """pillow_heif writes EXIF's orientation as boxes too, as phones do."""
    return lambda: heic(turned(number), exif=exif(number))


def _heic_tagged(gamut: Gamut) -> Make:
    def make() -> bytes:
        picture = Image.fromarray(in_gamut(*gamut))
        picture.info["icc_profile"] = profile(*gamut)
        return heic(picture)

    return make


def _avif() -> Iterator[Case]:
    yield Case("avif", "AV1", avif, _LOSSY)
    yield Case("avif alpha", "with alpha", lambda: avif(with_alpha()), Shows(tolerance=12, alpha=True))
    yield Case("avif animated", "a sequence of three frames", _animated, _LOSSY)
    yield Case("avif 1×1", "tiny", lambda: avif(image(scene(1, 1))), Shows(1, 1, corners=None))
    for number in range(1, 9):
        yield Case(f"avif turned {number}", f"EXIF orientation {number}", _avif_turned(number), _LOSSY)
    for name, gamut in GAMUTS.items():
        yield Case(f"avif {name}", "under a profile", _avif_tagged(gamut), _LOSSY)
    data = avif()
    at = data.index(b"nclx") + 4
    p3 = put(avif(Image.fromarray(in_gamut(*GAMUTS["Display P3"]))), at, struct.pack(">HH", 12, 13))
    yield Case("avif P3 by code points", "nclx", lambda: p3, _LOSSY)
    yield Case(
        "avif HDR", "PQ", lambda: put(data, at, struct.pack(">HH", 9, 16)), RefusalCode.UNSUPPORTED_FORMAT
    )
    yield Case("avif code points 65,535", "no such ones", lambda: put(data, at, b"\xff" * 4), _LOSSY)


def _animated() -> bytes:
    first, *others = frames()
    return avif(first, save_all=True, append_images=others)


def _avif_turned(number: int) -> Make:
    return lambda: avif(turned(number), exif=exif(number))


def _avif_tagged(gamut: Gamut) -> Make:
    return lambda: avif(Image.fromarray(in_gamut(*gamut)), icc_profile=profile(*gamut))


def _constant(data: bytes) -> Make:
    return lambda: data


def _cuts(name: str, data: bytes) -> Iterator[Case]:
    media = data.index(b"mdat")
    yield Case(f"{name} ftyp alone", "nothing follows", _constant(data[:28]), CUT)
    yield Case(f"{name} cut in meta", "nothing follows", _constant(data[: media // 2]), CUT)
    yield Case(f"{name} cut before mdat", "no pixels", _constant(data[: media - 4]), CUT)
    for share in (0.3, 0.7, 0.95):
        at = media + int((len(data) - media) * share)
        yield Case(f"{name} cut at {share:.0%}", "in its pixels", _constant(data[:at]), CUT)


def _lies(name: str, data: bytes) -> Iterator[Case]:
    size = data.index(b"ispe") + 8
    huge = put(data, size, struct.pack(">II", 60_000, 60_000))
    yield Case(f"{name} bomb", "60,000² by its properties", _constant(huge), RefusalCode.TOO_MANY_PIXELS)
    larger = put(data, size, struct.pack(">II", 7_000, 7_000))
    yield Case(f"{name} larger than its data", "7,000² by its properties", _constant(larger), _LARGER[name])
    yield Case(f"{name} no size", "0×0 by its properties", _constant(put(data, size, bytes(8))), BROKEN)
    media = data.index(b"mdat")
    yield Case(f"{name} zeros", "its pixels overwritten", _constant(put(data, media + 8, bytes(200))), BROKEN)
    yield Case(
        f"{name} meta of 4 GiB",
        "by its length",
        _constant(put(data, data.index(b"meta") - 4, b"\xff" * 4)),
        CUT,
    )
    yield Case(f"{name} trailing bytes", "behind everything", _constant(data + bytes(900)), _LOSSY)
    other = b"heic" if name == "avif" else b"avif"
    swapped = data.replace(name.encode(), other, 1)
    yield Case(f"{name} called {other.decode()}", "by its brand alone", _constant(swapped), BROKEN)
    grid = data.replace(b"hvc1" if name == "heic" else b"av01", b"grid", 1)
    yield Case(f"{name} grid of itself", "its item is called a grid", _constant(grid), BROKEN)
