"""Results are what their media type says, tagged as sRGB, and carry nothing else."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
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


def options(kind: str, quality: int = 90) -> RenderOptions:
    return RenderOptions(format=ImageFormat(kind), quality=quality, background="#ffffff")


def with_alpha() -> U8:
    photo = draw_photo(60, 40)
    alpha = np.zeros((40, 60), np.uint8)
    alpha[10:30, 10:50] = np.linspace(0, 255, 40).astype(np.uint8)
    rgba = np.dstack([photo, alpha])
    rgba[alpha == 0] = 0
    return rgba


@pytest.mark.parametrize("pixels", [draw_photo(61, 43), with_alpha(), draw_photo(1, 1)])
def test_png_keeps_every_pixel(pixels: U8) -> None:
    """With and without alpha, by a foreign reader."""
    data = encode(pixels, options("png"))
    assert np.array_equal(np.asarray(Image.open(BytesIO(data))), pixels)


@pytest.mark.parametrize("kind", ["png", "webp", "jpeg"])
def test_the_file_is_of_the_kind_that_was_asked_for(kind: str) -> None:
    """By its own first bytes."""
    chosen = options(kind)
    assert sniff(encode(draw_photo(60, 40), chosen)) == chosen.format.media_type


@pytest.mark.parametrize("kind", ["png", "webp", "jpeg"])
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


@pytest.mark.parametrize("kind", ["png", "webp", "jpeg"])
def test_the_same_pixels_give_the_same_bytes(kind: str) -> None:
    """Whoever encodes them and when."""
    assert encode(draw_photo(60, 40), options(kind)) == encode(draw_photo(60, 40), options(kind))


@pytest.mark.parametrize("kind", ["webp", "jpeg"])
def test_quality_decides_size_and_likeness(kind: str) -> None:
    """More of it gives larger files that are closer to the original."""
    photo = draw_photo(300, 400)
    low, high = encode(photo, options(kind, 30)), encode(photo, options(kind, 95))
    assert len(low) < len(high)
    assert _error(high, photo) < _error(low, photo) < 12


def test_webp_keeps_alpha() -> None:
    """Exactly: only colour is lossy."""
    rgba = with_alpha()
    alpha = decode(encode(rgba, RenderOptions(format=ImageFormat.WEBP))).alpha
    assert alpha is not None
    assert np.array_equal(alpha, rgba[..., 3])


def _error(data: bytes, photo: U8) -> float:
    return float(np.abs(decode(data).rgb.astype(int) - photo).mean())
