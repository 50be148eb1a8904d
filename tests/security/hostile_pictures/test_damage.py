"""Cuts, flipped bits and garbage at every place of a whole file."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.inference.errors import RefusalCode
from tests.security.outcomes import CODES, OUTCOMES, PICTURE, decoded
from tests.security.picture_corpus.corpus import corpus

_WHOLE = (
    "jpeg",
    "jpeg progressive",
    "jpeg cmyk",
    "jpeg turned 6",
    "png",
    "png palette 4 bit tRNS",
    "png animated",
    "png interlaced",
    "webp",
    "webp lossless",
    "webp animated",
    "tiff raw",
    "tiff tiff_lzw",
    "avif",
    "heic",
)
SAMPLES = {case.name: case.make() for case in corpus() if case.name in _WHOLE}
samples = pytest.mark.parametrize("name", _WHOLE)


@samples
def test_the_samples_are_pictures(name: str) -> None:
    """So that what follows breaks something that was whole."""
    assert decoded(SAMPLES[name]) == PICTURE


@samples
def test_a_file_cut_anywhere_is_refused_or_still_whole(name: str) -> None:
    """Up to 100 cuts. Only the closing marks of a format may be missing from a picture."""
    data = SAMPLES[name]
    for end in range(1, len(data), max(1, len(data) // 100)):
        found = decoded(data[:end])
        if end < len(data) * 0.7 and "animated" not in name:
            assert found in CODES, f"{name} cut at {end} of {len(data)} passed for a picture"


@pytest.mark.parametrize("name", ["jpeg", "jpeg progressive", "jpeg cmyk", "jpeg turned 6"])
def test_a_jpeg_cut_anywhere_is_noticed_also_under_a_false_end(name: str) -> None:
    """libjpeg paints grey what is missing, and says nothing unless it is asked."""
    data = SAMPLES[name]
    scan = data.rindex(b"\xff\xda")
    for end in range(scan + 20, len(data) - 8, max(1, (len(data) - scan) // 60)):
        for cut in (data[:end], data[:end] + b"\xff\xd9", data[:end] + b"\xff\xd9" + data[end:]):
            assert decoded(cut) == RefusalCode.TRUNCATED, f"{name} cut at {end} of {len(data)}"


@pytest.mark.parametrize(
    "name", ["jpeg", "jpeg cmyk", "png", "webp", "tiff raw", "tiff tiff_lzw", "heic", "avif"]
)
def test_a_photo_cut_in_its_pixels_is_called_truncated(name: str) -> None:
    """The most common fault of all, an upload that broke off, has its own name."""
    data = SAMPLES[name]
    assert decoded(data[: int(len(data) * 0.8)]) == RefusalCode.TRUNCATED


@samples
def test_flipped_bits_never_raise_anything_else(name: str) -> None:
    """Every byte of the header, and 100 places behind it."""
    data = SAMPLES[name]
    places = [*range(min(64, len(data))), *range(64, len(data), max(1, len(data) // 100))]
    for place in places:
        found = decoded(data[:place] + bytes([data[place] ^ (1 << place % 8)]) + data[place + 1 :])
        assert found in OUTCOMES


@samples
@given(noise=st.data())
@settings(max_examples=25, deadline=None)
def test_garbage_inside_never_raises_anything_else(name: str, noise: st.DataObject) -> None:
    """A random run of random bytes, overwritten, inserted or removed."""
    data = SAMPLES[name]
    start = noise.draw(st.integers(0, len(data)))
    end = noise.draw(st.integers(start, min(len(data), start + 64)))
    assert decoded(data[:start] + noise.draw(st.binary(max_size=64)) + data[end:]) in OUTCOMES


@given(head=st.sampled_from([data[:16] for data in SAMPLES.values()]), tail=st.binary(max_size=400))
@settings(max_examples=200, deadline=None)
def test_a_true_head_before_garbage_never_raises_anything_else(head: bytes, tail: bytes) -> None:
    """What sniffing takes for a picture need not be one."""
    assert decoded(head + tail) in OUTCOMES
