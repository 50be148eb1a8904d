"""Whatever the bytes are: a picture, or a refusal by name; in bounded time and memory."""

from __future__ import annotations

import resource
import struct
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from io import BytesIO
from time import perf_counter

import numpy as np
import pillow_heif
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from libs.common.contracts.options import RenderOptions
from services.inference.errors import PictureRefused, RefusalCode
from services.inference.pipeline.decode import decode
from services.inference.pipeline.render import render
from tests.unit.picture_samples import ColourSegmenter, draw_photo, encoded, saved

pytestmark = pytest.mark.filterwarnings("ignore")
"""As in production: Pillow's warnings about bad metadata are no errors."""

CODES = set(RefusalCode)
OUTCOMES = CODES | {"picture"}
SECONDS = 5
MEBIBYTE = 1 << 20


def _heic() -> bytes:
    out = BytesIO()
    pillow_heif.from_pillow(Image.fromarray(draw_photo(64, 48))).save(out, quality=80)
    return out.getvalue()


def _cmyk() -> bytes:
    return saved(Image.fromarray(draw_photo(64, 48)).convert("CMYK"), "JPEG")


def _palette() -> bytes:
    return saved(Image.fromarray(draw_photo(64, 48)).quantize(8), "PNG", transparency=3)


def _animated(kind: str) -> bytes:
    frames = [Image.fromarray(draw_photo(32, 24, seed)) for seed in range(3)]
    return saved(frames[0], kind, save_all=True, append_images=frames[1:])


def _turned() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return saved(Image.fromarray(draw_photo(64, 48)), "JPEG", exif=exif)


PHOTO = draw_photo(64, 48)
SAMPLES = {
    "jpeg": encoded(PHOTO, "JPEG", quality=85),
    "progressive jpeg": encoded(PHOTO, "JPEG", quality=85, progressive=True),
    "cmyk jpeg": _cmyk(),
    "turned jpeg": _turned(),
    "png": encoded(PHOTO, "PNG"),
    "palette png": _palette(),
    "animated png": _animated("PNG"),
    "webp": encoded(PHOTO, "WEBP", quality=80),
    "lossless webp": encoded(PHOTO, "WEBP", lossless=True),
    "animated webp": _animated("WEBP"),
    "tiff": encoded(PHOTO, "TIFF"),
    "lzw tiff": encoded(PHOTO, "TIFF", compression="tiff_lzw"),
    "avif": encoded(PHOTO, "AVIF", quality=70),
    "heic": _heic(),
}
samples = pytest.mark.parametrize("name", SAMPLES)


def outcome(data: bytes) -> str:
    """`picture`, or the code of the refusal; any other exception is the finding of a test."""
    try:
        picture = decode(data)
    except PictureRefused as refused:
        return refused.code if refused.code in CODES and refused.detail else f"unnamed: {refused!r}"
    assert picture.rgb.dtype == np.uint8
    assert picture.rgb.shape == (picture.height, picture.width, 3)
    assert picture.alpha is None or picture.alpha.shape == picture.rgb.shape[:2]
    return "picture"


@samples
def test_the_samples_are_pictures(name: str) -> None:
    """So that what follows breaks something that was whole."""
    assert outcome(SAMPLES[name]) == "picture"


@samples
def test_a_file_cut_anywhere_is_refused_or_still_whole(name: str) -> None:
    """Up to 150 cuts. Only the closing marks of a format may be missing from a picture."""
    data = SAMPLES[name]
    for end in range(1, len(data), max(1, len(data) // 150)):
        found = outcome(data[:end])
        if end < len(data) * 0.7 and not name.startswith("animated"):
            assert found in CODES, f"{name} cut at {end} of {len(data)} passed for a picture"


@pytest.mark.parametrize("name", ["jpeg", "cmyk jpeg", "png", "webp", "tiff"])
def test_a_photo_cut_in_its_pixels_is_called_truncated(name: str) -> None:
    """The most common fault of all, an upload that broke off, has its own name."""
    data = SAMPLES[name]
    assert outcome(data[: int(len(data) * 0.8)]) == RefusalCode.TRUNCATED


@samples
def test_flipped_bits_never_raise_anything_else(name: str) -> None:
    """Every byte of the header, and 150 places behind it."""
    data = SAMPLES[name]
    places = [*range(min(64, len(data))), *range(64, len(data), max(1, len(data) // 150))]
    for place in places:
        found = outcome(data[:place] + bytes([data[place] ^ (1 << place % 8)]) + data[place + 1 :])
        assert found in OUTCOMES


@samples
@given(noise=st.data())
@settings(max_examples=40, deadline=None)
def test_garbage_inside_never_raises_anything_else(name: str, noise: st.DataObject) -> None:
    """A random run of random bytes, overwritten, inserted or removed."""
    data = SAMPLES[name]
    start = noise.draw(st.integers(0, len(data)))
    end = noise.draw(st.integers(start, min(len(data), start + 64)))
    assert outcome(data[:start] + noise.draw(st.binary(max_size=64)) + data[end:]) in OUTCOMES


@given(head=st.sampled_from([data[:16] for data in SAMPLES.values()]), tail=st.binary(max_size=400))
@settings(max_examples=200, deadline=None)
def test_a_true_head_before_garbage_never_raises_anything_else(head: bytes, tail: bytes) -> None:
    """What sniffing takes for a picture need not be one."""
    assert outcome(head + tail) in OUTCOMES


def test_bombs_are_refused_by_their_headers() -> None:
    """Small files that name billions of pixels cost neither memory nor time."""
    for name, data in _bombs():
        tracemalloc.start()
        start = perf_counter()
        found = outcome(data)
        seconds, peak = perf_counter() - start, tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert found == RefusalCode.TOO_MANY_PIXELS, name
        assert seconds < 1, name
        assert peak < 20 * MEBIBYTE, name


def _bombs() -> Iterator[tuple[str, bytes]]:
    for width, height in ((50_000, 50_000), (2_000_000_000, 1), (8_000, 8_000)):
        yield f"png {width}×{height}", png(width, height, zlib.compress(bytes(1000)))
    yield "zeros that inflate", png(30_000, 30_000, zlib.compress(bytes(20_000_000), 9))
    yield "jpeg", _patched(SAMPLES["jpeg"], b"\xff\xc0", 5, struct.pack(">HH", 60_000, 60_000))
    yield (
        "progressive jpeg",
        _patched(SAMPLES["progressive jpeg"], b"\xff\xc2", 5, struct.pack(">HH", 65_000, 9_000)),
    )
    yield "webp", b"RIFF\x40\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00" + bytes(4) + b"\xfe\x3f\x00" * 2 + bytes(60)
    yield (
        "webp lossless",
        b"RIFF\x40\x00\x00\x00WEBPVP8L\x20\x00\x00\x00\x2f" + b"\xff\xff\xff\x0f" + bytes(60),
    )
    yield "tiff", _tiff_of(40_000, 40_000)


def test_a_header_that_lies_about_the_size_is_refused() -> None:
    """Pixels for 64×48 under a header that says more: there are too few of them."""
    rows = b"".join(b"\x00" + row.tobytes() for row in PHOTO)
    assert outcome(png(64, 48, zlib.compress(rows))) == "picture"
    assert outcome(png(64, 96, zlib.compress(rows))) == RefusalCode.CORRUPT
    late = chunk(b"eXIf", b"II*\x00\x08\x00\x00\x00\x00\x00")  # keeps it off the fast way
    assert outcome(png(64, 96, zlib.compress(rows), late)) == RefusalCode.CORRUPT
    taller = _patched(SAMPLES["jpeg"], b"\xff\xc0", 5, struct.pack(">HH", 4_000, 64))
    assert outcome(taller) in OUTCOMES


def test_text_and_profiles_that_inflate_are_bounded() -> None:
    """Compressed metadata of 100 MB in a small PNG is not unpacked whole."""
    blown = zlib.compress(bytes(100_000_000), 9)
    for kind, body in ((b"zTXt", b"Comment\x00\x00" + blown), (b"iCCP", b"icc\x00\x00" + blown)):
        rows = b"".join(b"\x00" + row.tobytes() for row in PHOTO)
        data = png(64, 48, zlib.compress(rows), chunk(kind, body))
        tracemalloc.start()
        assert outcome(data) in OUTCOMES
        assert tracemalloc.get_traced_memory()[1] < 40 * MEBIBYTE
        tracemalloc.stop()


@pytest.mark.parametrize(
    "make",
    [
        lambda: encoded(draw_photo(1, 1), "PNG"),
        lambda: encoded(draw_photo(1, 1), "JPEG"),
        lambda: encoded(draw_photo(4000, 1), "PNG"),
        lambda: encoded(draw_photo(2, 4000), "JPEG"),
        lambda: saved(Image.fromarray(np.arange(4096, dtype=np.uint16).reshape(64, 64) * 16), "PNG"),
        _cmyk,
        _palette,
        _turned,
        _heic,
        lambda: _animated("WEBP"),
    ],
)
@pytest.mark.parametrize(
    "options",
    [
        RenderOptions(),
        RenderOptions(crop=True, margin=0.5, size=64),
        RenderOptions(background="#ffffff", size=500),
    ],
)
def test_odd_pictures_go_through_the_whole_pipeline(
    make: Callable[[], bytes], options: RenderOptions
) -> None:
    """One pixel, one row, one column, every colour model: a result, with a verdict."""
    result = render(make(), options, ColourSegmenter())
    assert result.data
    assert options.size is None or max(result.width, result.height) == options.size


@pytest.mark.parametrize("kind", [b"IDAT", b"tRNS", b"fdAT", b"teXt"])
def test_a_chunk_that_claims_gigabytes_is_given_none(kind: bytes) -> None:
    """OpenCV would make room for what a length says; it does not get to see such a file."""
    body = zlib.compress(b"".join(b"\x00" + row.tobytes() for row in PHOTO))
    whole = png(64, 48, body)
    claim = struct.pack(">I", 0x7FFF_FFF0) + kind + bytes(40)
    start, memory = perf_counter(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert outcome(whole[:33] + claim + whole[33:]) == RefusalCode.TRUNCATED
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < 64 * 1024
    assert perf_counter() - start < 1


def test_a_png_in_endless_parts_is_refused() -> None:
    """A million empty chunks are not walked to their end."""
    data = png(64, 48, b"", *[chunk(b"teXt", b"")] * 1_000_000)
    start = perf_counter()
    assert outcome(data) == RefusalCode.CORRUPT
    assert perf_counter() - start < 1


def test_a_broken_picture_takes_no_long_time() -> None:
    """The largest that is allowed, cut off: refused within seconds."""
    rows = zlib.compress(bytes(1 + 3 * 7000) * 3500, 1)
    start = perf_counter()
    assert outcome(png(7000, 7000, rows)) in {RefusalCode.TRUNCATED, RefusalCode.CORRUPT}
    assert perf_counter() - start < SECONDS


def png(width: int, height: int, pixels: bytes, *chunks: bytes) -> bytes:
    """An RGB PNG with the given IDAT and any further chunks before it."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _patched(data: bytes, mark: bytes, offset: int, value: bytes) -> bytes:
    place = data.index(mark) + offset
    return data[:place] + value + data[place + len(value) :]


def _tiff_of(width: int, height: int) -> bytes:
    """A TIFF of one strip that claims width × height, grey, uncompressed."""
    tags = (
        (256, width),
        (257, height),
        (258, 8),
        (259, 1),
        (262, 1),
        (273, 8),
        (277, 1),
        (278, height),
        (279, 10),
    )
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return b"II*\x00\x08\x00\x00\x00" + struct.pack("<H", len(tags)) + entries + bytes(64)
