"""Results are what their media type says, tagged as sRGB, and carry nothing else but the dpi asked for."""

from __future__ import annotations

from io import BytesIO

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from libs.common.contracts.options import ImageFormat, RenderOptions
from libs.common.media import sniff
from services.inference.pipeline.arrays import U8
from services.inference.pipeline.decode import decode
from services.inference.pipeline.encode import encode
from tests.unit.picture_samples import draw_photo

ALLOWED_INFO = {
    "icc_profile",
    "srgb",
    "gamma",
    "chromaticity",
    "jfif",
    "jfif_version",
    "jfif_unit",
    "jfif_density",
}
KINDS = [kind.value for kind in ImageFormat]


def options(kind: str, quality: int = 90) -> RenderOptions:
    return RenderOptions(format=ImageFormat(kind), quality=quality, background="#ffffff")


def with_alpha() -> U8:
    photo = draw_photo(60, 40)
    alpha = np.zeros((40, 60), np.uint8)
    alpha[10:30, 10:50] = np.linspace(0, 255, 40).astype(np.uint8)
    rgba = np.dstack([photo, alpha])
    rgba[alpha == 0] = 0
    return rgba


@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    channels=st.sampled_from([0, 3, 4]),
    levels=st.sampled_from([2, 256]),
    seed=st.integers(0, 999),
)
def test_png_keeps_every_pixel(height: int, width: int, channels: int, levels: int, seed: int) -> None:
    """Masks, and pictures with and without alpha, by two foreign readers."""
    shape = (height, width, channels) if channels else (height, width)
    pixels = np.random.default_rng(seed).integers(0, levels, shape, np.uint8)
    data = encode(pixels, options("png"))
    assert np.array_equal(np.asarray(Image.open(BytesIO(data))), pixels)
    read = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert read is not None
    assert np.array_equal(read[..., [2, 1, 0, 3][:channels]] if channels else read, pixels)


def test_a_large_png_keeps_every_pixel() -> None:
    """Noise does not compress, flat ground does."""
    pixels = np.full((1500, 1000, 4), 255, np.uint8)
    pixels[300:800] = np.random.default_rng(0).integers(0, 256, (500, 1000, 4), np.uint8)
    assert np.array_equal(np.asarray(Image.open(BytesIO(encode(pixels, options("png"))))), pixels)


@pytest.mark.parametrize("kind", KINDS)
def test_the_file_is_of_the_kind_that_was_asked_for(kind: str) -> None:
    """By its own first bytes."""
    chosen = options(kind)
    assert sniff(encode(draw_photo(60, 40), chosen)) == chosen.format.media_type


@pytest.mark.parametrize("kind", KINDS)
def test_a_result_says_srgb_and_nothing_else(kind: str) -> None:
    """No EXIF, no comment, no date; and our own decoder takes it for sRGB."""
    with Image.open(BytesIO(encode(draw_photo(60, 40), options(kind)))) as image:
        image.load()
        assert set(image.info) - {"loop", "background", "timestamp", "duration", "dpi"} <= ALLOWED_INFO
        assert not image.getexif()
        if kind == "png":
            assert image.info["srgb"] == 0
        else:
            profile = ImageCms.ImageCmsProfile(BytesIO(image.info["icc_profile"]))
            assert "sRGB" in ImageCms.getProfileDescription(profile)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_pixels_give_the_same_bytes(kind: str) -> None:
    """Whoever encodes them and when."""
    assert encode(draw_photo(60, 40), options(kind)) == encode(draw_photo(60, 40), options(kind))


@pytest.mark.parametrize("kind", ["webp", "jpeg", "avif"])
def test_quality_decides_size_and_likeness(kind: str) -> None:
    """More of it gives larger files that are closer to the original."""
    photo = draw_photo(300, 400)
    low, high = encode(photo, options(kind, 30)), encode(photo, options(kind, 95))
    assert len(low) < len(high)
    assert _error(high, photo) < _error(low, photo) < 12


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dpi", [72, 96, 300])
def test_the_dpi_is_read_back(kind: str, dpi: int) -> None:
    """Where each format keeps it (PNG in whole pixels a metre), and nothing else with it."""
    asked = options(kind).model_copy(update={"dpi": dpi})
    with Image.open(BytesIO(encode(draw_photo(60, 40), asked))) as image:
        exif = dict(image.getexif())
        unit, x, y = exif.pop(0x0128, 2), exif.pop(0x011A, None), exif.pop(0x011B, None)
        found = (x, y) if x else image.info["dpi"]
    assert not exif
    assert unit == 2
    assert found == pytest.approx((dpi, dpi), abs=0.02)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("quality", [60, 90])
def test_white_ground_stays_exactly_white(kind: str, quality: int) -> None:
    """Away from the garment, in every format, as shops require."""
    picture = np.full((200, 200, 3), 255, np.uint8)
    picture[80:120, 80:120] = draw_photo(40, 40)
    read = decode(encode(picture, options(kind, quality))).rgb
    assert (read[:64] == 255).all()
    assert (read[:, :64] == 255).all()


def test_webp_keeps_alpha() -> None:
    """Exactly: only colour is lossy."""
    rgba = with_alpha()
    alpha = decode(encode(rgba, RenderOptions(format=ImageFormat.WEBP))).alpha
    assert alpha is not None
    assert np.array_equal(alpha, rgba[..., 3])


def test_avif_keeps_alpha_nearly() -> None:
    """Its alpha is lossy too, but nothing that was empty shows."""
    rgba = with_alpha()
    alpha = decode(encode(rgba, RenderOptions(format=ImageFormat.AVIF))).alpha
    assert alpha is not None
    assert np.abs(alpha.astype(int) - rgba[..., 3]).max() <= 8


def _error(data: bytes, photo: U8) -> float:
    return float(np.abs(decode(data).rgb.astype(int) - photo).mean())
