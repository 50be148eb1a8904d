"""Decoding gives upright 8-bit sRGB, whatever the photo is, or says why not."""

from __future__ import annotations

import pickle
import struct
import zlib
from io import BytesIO

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageCms, ImageOps

from services.inference.errors import PictureRefused, RefusalCode
from services.inference.pipeline.decode import decode
from services.inference.pipeline.limits import MAX_BYTES, check_pixels
from services.inference.pipeline.webp import webp_size
from tests.unit.picture_samples import by_pillow, draw_photo, encoded, saved

ORIENTATION = 0x0112


def refusal_of(data: bytes) -> str:
    with pytest.raises(PictureRefused) as caught:
        decode(data)
    return caught.value.code


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {"quality": 92}),
        ("JPEG", {"quality": 40, "progressive": True}),
        ("JPEG", {"quality": 75, "subsampling": 0}),
        ("PNG", {}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"quality": 80}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("AVIF", {"quality": 90}),
    ],
)
@pytest.mark.parametrize("size", [(300, 400), (97, 31), (1, 1)])
def test_pixels_are_those_that_pillow_reads(
    kind: str, options: dict[str, object], size: tuple[int, int]
) -> None:
    """The fast way and the general way give the same pixels, for every format."""
    data = encoded(draw_photo(*size), kind, **options)
    picture = decode(data)
    assert np.array_equal(picture.rgb, by_pillow(data))
    assert picture.alpha is None


def test_heic_is_read_and_stands_upright() -> None:
    """The one format that Pillow does not know."""
    photo = Image.fromarray(draw_photo(64, 48))
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    out = BytesIO()
    pillow_heif.from_pillow(photo).save(out, quality=95, exif=exif.tobytes())
    rgb = decode(out.getvalue()).rgb.astype(int)
    assert rgb.shape in ((48, 64, 3), (64, 48, 3))
    assert np.abs(rgb.mean(axis=(0, 1)) - np.asarray(photo, int).mean(axis=(0, 1))).max() < 3


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(kind: str, orientation: int) -> None:
    """All eight of them, in every format that carries EXIF."""
    photo = Image.fromarray(draw_photo(60, 40))
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    options = {"quality": 95} if kind == "JPEG" else {"lossless": True} if kind == "WEBP" else {}
    data = saved(photo, kind, exif=exif, **options)
    with Image.open(BytesIO(data)) as image:
        image.load()
        expected = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    assert np.array_equal(decode(data).rgb, expected)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_nonsense_in_exif_leaves_the_photo_as_it_stands() -> None:
    """Metadata is no reason to refuse a picture."""
    photo = draw_photo(60, 40)
    data = encoded(photo, "JPEG", exif=b"Exif\x00\x00II*\x00\xff\xff\xff\xff garbage")
    assert decode(data).rgb.shape == photo.shape


def test_transparency_comes_as_alpha() -> None:
    """RGBA, palette with a transparent entry, and grey with alpha."""
    photo = draw_photo(60, 40)
    alpha = np.zeros((40, 60), np.uint8)
    alpha[10:30, 15:45] = 200
    rgba = Image.fromarray(np.dstack([photo, alpha]))
    for kind, options in (("PNG", {}), ("WEBP", {"lossless": True, "exact": True}), ("TIFF", {})):
        picture = decode(saved(rgba, kind, **options))
        assert picture.alpha is not None
        assert np.array_equal(picture.alpha, alpha)
        assert np.array_equal(picture.rgb, photo)
    grey = decode(saved(rgba.convert("LA"), "PNG"))
    assert grey.alpha is not None
    assert np.array_equal(grey.alpha, alpha)


def test_palettes_are_resolved() -> None:
    """With and without a transparent entry."""
    indexed = Image.fromarray(draw_photo(60, 40)).quantize(16)
    expected = np.asarray(indexed.convert("RGB"))
    assert np.array_equal(decode(saved(indexed, "PNG")).rgb, expected)
    see_through = decode(saved(indexed, "PNG", transparency=0))
    assert see_through.alpha is not None
    assert np.array_equal(see_through.alpha == 0, np.asarray(indexed) == 0)


def test_sixteen_bit_channels_keep_their_high_byte() -> None:
    """Grey PNG and TIFF; a grey ramp comes out as the same ramp."""
    ramp = np.linspace(0, 65535, 64 * 8).astype(np.uint16).reshape(8, 64)
    for kind in ("PNG", "TIFF"):
        rgb = decode(saved(Image.fromarray(ramp), kind)).rgb
        assert np.array_equal(rgb, np.repeat((ramp >> 8).astype(np.uint8)[..., None], 3, axis=2))


def test_sixteen_bit_colour_is_read() -> None:
    """A PNG with 16 bits a channel does not take the way for plain 8-bit ones and comes out the same."""
    photo = draw_photo(20, 10)
    rows = b"".join(b"\x00" + (row.astype(">u2") * 257).tobytes() for row in photo)
    assert np.array_equal(decode(_png(20, 10, 16, 2, rows)).rgb, photo)


def test_cmyk_black_and_grey_become_rgb() -> None:
    """The colour models of print and of scanners."""
    photo = Image.fromarray(draw_photo(60, 40))
    for image, kind in (
        (photo.convert("CMYK"), "JPEG"),
        (photo.convert("L"), "JPEG"),
        (photo.convert("1"), "PNG"),
    ):
        data = saved(image, kind)
        assert np.array_equal(decode(data).rgb, by_pillow(data))


def test_lab_becomes_srgb() -> None:
    """A TIFF in L*a*b* gives the colours that it was made from."""
    photo = Image.fromarray(draw_photo(60, 40))
    to_lab = ImageCms.buildTransform(
        ImageCms.createProfile("sRGB"),
        ImageCms.createProfile("LAB"),
        "RGB",
        "LAB",
    )
    lab = ImageCms.applyTransform(photo, to_lab)
    assert lab is not None
    assert np.abs(decode(saved(lab, "TIFF")).rgb.astype(int) - np.asarray(photo)).mean() < 2


def test_floating_point_pixels_are_refused() -> None:
    """They have no agreed white."""
    data = saved(Image.fromarray(np.ones((4, 4), np.float32)), "TIFF")
    assert refusal_of(data) == RefusalCode.UNSUPPORTED_FORMAT


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_colour_profile_is_applied(kind: str) -> None:
    """A profile whose red and green primaries are swapped turns a red picture green."""
    red = np.zeros((16, 16, 3), np.uint8)
    red[..., 0] = 230
    rgb = decode(encoded(red, kind, icc_profile=_swapped_profile())).rgb.mean(axis=(0, 1))
    assert rgb[1] > 200
    assert rgb[0] < 60


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_pixels_tagged_as_srgb_stay_bit_for_bit(kind: str) -> None:
    """As do those under a broken profile, or under one for another colour model."""
    photo = draw_photo(60, 40)
    options = {"lossless": True} if kind == "WEBP" else {}
    for profile in (_srgb_profile(), b"nonsense" * 20):
        data = encoded(photo, kind, icc_profile=profile, **options)
        assert np.array_equal(decode(data).rgb, by_pillow(data))


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_an_animation_gives_its_first_frame(kind: str) -> None:
    """APNG and animated WebP."""
    frames = [Image.fromarray(draw_photo(30, 20, seed)) for seed in range(3)]
    options = {"lossless": True} if kind == "WEBP" else {}
    data = saved(frames[0], kind, save_all=True, append_images=frames[1:], **options)
    assert np.array_equal(decode(data).rgb, np.asarray(frames[0]))


def test_what_is_no_picture_of_ours_is_refused_by_name() -> None:
    """Nothing, text, and formats that are not taken."""
    gif = saved(Image.fromarray(draw_photo(8, 8)), "GIF")
    bmp = saved(Image.fromarray(draw_photo(8, 8)), "BMP")
    assert refusal_of(b"") == RefusalCode.EMPTY
    assert refusal_of(b"hello, world" * 50) == RefusalCode.NOT_AN_IMAGE
    assert refusal_of(b"PK\x03\x04" + bytes(100)) == RefusalCode.NOT_AN_IMAGE
    assert refusal_of(gif) == RefusalCode.UNSUPPORTED_FORMAT
    assert refusal_of(bmp) == RefusalCode.UNSUPPORTED_FORMAT


def test_too_many_bytes_are_refused_unread() -> None:
    """One byte over 50 MB."""
    assert refusal_of(b"\xff\xd8\xff" + bytes(MAX_BYTES - 2)) == RefusalCode.TOO_MANY_BYTES


def test_pixels_are_limited_in_number_and_by_side() -> None:
    """50 MP, and 16,383 px a side."""
    check_pixels(7071, 7071)
    for size in ((7072, 7072), (16_384, 10), (10, 16_384)):
        with pytest.raises(PictureRefused) as caught:
            check_pixels(*size)
        assert caught.value.code == RefusalCode.TOO_MANY_PIXELS


@pytest.mark.parametrize(
    "options", [{"lossless": True}, {"quality": 50}, {"quality": 50, "exif": b"Exif\x00\x00"}]
)
def test_the_size_in_a_webp_header_is_read_without_decoding(options: dict[str, object]) -> None:
    """Lossless, lossy and extended files."""
    assert webp_size(encoded(draw_photo(300, 200), "WEBP", **options)) == (300, 200)


def test_a_refusal_survives_the_way_between_processes() -> None:
    """Code and detail are there after pickling."""
    refusal = PictureRefused(RefusalCode.TRUNCATED, "cut")
    again = pickle.loads(pickle.dumps(refusal))
    assert (again.code, again.detail) == (RefusalCode.TRUNCATED, "cut")


def _srgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def _swapped_profile() -> bytes:
    return _srgb_profile().replace(b"rXYZ", b"????").replace(b"gXYZ", b"rXYZ").replace(b"????", b"gXYZ")


def _png(width: int, height: int, depth: int, colour: int, rows: bytes) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )
