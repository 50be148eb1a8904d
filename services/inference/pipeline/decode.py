"""Bytes of a photo to upright 8-bit sRGB pixels, whatever they are and whoever sent them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import cast

import cv2
import numpy as np
import pillow_heif
from PIL import Image

from libs.common.media import SNIFF_BYTES, MediaType, sniff
from services.inference.errors import PictureRefused, RefusalCode
from services.inference.pipeline.arrays import U8
from services.inference.pipeline.colour import is_srgb, to_srgb
from services.inference.pipeline.limits import check_bytes, check_pixels, webp_is_cut_short, webp_size
from services.inference.pipeline.png import chunk_kinds

_PILLOW_FORMATS = {
    MediaType.JPEG: "JPEG",
    MediaType.PNG: "PNG",
    MediaType.WEBP: "WEBP",
    MediaType.TIFF: "TIFF",
    MediaType.AVIF: "AVIF",
}
_OTHER_IMAGES = (
    b"GIF8",
    b"BM",
    b"8BPS",
    b"\x00\x00\x01\x00",
    b"\xff\x0a",
    b"\x00\x00\x00\x0cJXL ",
    b"\x00\x00\x00\x0cjP  ",
)
_EXIF_ORIENTATION = 0x0112
_NOT_PLAIN = {b"tRNS", b"acTL", b"eXIf", b"iTXt", b"zTXt", b"tEXt"}
"""Chunks of a PNG that are left to Pillow: transparency by colour, animation, a place for an orientation."""
_CUT_SHORT = ("truncated", "unexpected end", "end of file", "not enough data", "too short")


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """An upright photo: `rgb` is sRGB uint8 [H,W,3], `alpha` its own transparency uint8 [H,W] if any."""

    rgb: U8
    alpha: U8 | None = None

    @property
    def height(self) -> int:
        return int(self.rgb.shape[0])

    @property
    def width(self) -> int:
        return int(self.rgb.shape[1])


def decode(data: bytes) -> Picture:
    """The photo's pixels: first frame, EXIF orientation applied, in sRGB, without any metadata.

    Limits are checked on the header, before pixels are decoded. Raises PictureRefused, and nothing else but
    MemoryError, whatever the bytes are.
    """
    check_bytes(data)
    media_type = _media_type(data)
    with _refusing():
        if media_type is MediaType.HEIC:
            return _decode_heic(data)
        if media_type is MediaType.WEBP:
            _check_webp(data)
        kinds = chunk_kinds(data) if media_type is MediaType.PNG else frozenset()
        with Image.open(BytesIO(data), formats=(_PILLOW_FORMATS[media_type],)) as image:
            check_pixels(*image.size)
            return _decode_plain(image, data, kinds) or _decode_any(image, data)


def _check_webp(data: bytes) -> None:
    if size := webp_size(data):
        check_pixels(*size)
    if webp_is_cut_short(data):
        raise _cut_short()


def _media_type(data: bytes) -> MediaType:
    media_type = sniff(data[:SNIFF_BYTES])
    if media_type is not None:
        return media_type
    if data.startswith(_OTHER_IMAGES):
        raise PictureRefused(RefusalCode.UNSUPPORTED_FORMAT, "send JPEG, PNG, WebP, TIFF, AVIF or HEIC")
    raise PictureRefused(RefusalCode.NOT_AN_IMAGE, "the content is not that of a picture")


@contextmanager
def _refusing() -> Iterator[None]:
    """Turns whatever a parser says about a hostile picture into PictureRefused."""
    try:
        yield
    except (PictureRefused, MemoryError):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as exc:
        raise PictureRefused(RefusalCode.TOO_MANY_PIXELS, "the header names too many pixels") from exc
    except Exception as exc:  # Pillow's parsers raise anything, from SyntaxError to struct.error
        raise _refusal_of(exc) from exc


def _refusal_of(exc: Exception) -> PictureRefused:
    said = str(exc).lower()
    if isinstance(exc, EOFError) or any(words in said for words in _CUT_SHORT):
        return _cut_short()
    return _damaged()


def _cut_short() -> PictureRefused:
    return PictureRefused(RefusalCode.TRUNCATED, "the file ends before its picture does; send it again")


def _damaged() -> PictureRefused:
    return PictureRefused(RefusalCode.CORRUPT, "the file is damaged; export the picture again")


def _decode_any(image: Image.Image, data: bytes) -> Picture:
    image.load()
    if image.format == "PNG" and _by_opencv(data, cv2.IMREAD_UNCHANGED) is None:
        raise _damaged()  # Pillow paints rows black that are not there; libpng does not let them pass
    orientation = _orientation(image)  # read after loading: TIFF has applied and dropped its own by then
    rgb, alpha = to_srgb(image)
    return _upright(rgb, alpha, orientation)


def _decode_heic(data: bytes) -> Picture:
    container = pillow_heif.open_heif(data, convert_hdr_to_8bit=True)
    primary = container[container.primary_index]
    check_pixels(*primary.size)
    rgb, alpha = to_srgb(primary.to_pillow())
    return Picture(rgb, alpha)  # libheif has turned it upright


def _decode_plain(image: Image.Image, data: bytes, kinds: frozenset[bytes]) -> Picture | None:
    """By OpenCV, in half of Pillow's time, where it gives the same pixels; None elsewhere."""
    plain = _is_plain_jpeg(image, data) or _is_plain_png(image, data, kinds)
    if not plain or not is_srgb(image.info.get("icc_profile")):
        return None
    pixels = _by_opencv(data, _plain_flags(image))
    if pixels is None or pixels.shape[1::-1] != image.size:
        return None  # Pillow finds the name of what is wrong
    orientation = 1 if image.format == "PNG" else _orientation(image)
    return _upright(*_split(pixels), orientation)


def _by_opencv(data: bytes, flags: int) -> U8 | None:
    try:
        return cast("U8 | None", cv2.imdecode(np.frombuffer(data, np.uint8), flags))
    except cv2.error:
        return None


def _is_plain_jpeg(image: Image.Image, data: bytes) -> bool:
    """Only a whole one: OpenCV fills the missing part of a truncated JPEG with grey and says nothing.

    Entropy-coded data holds no markers, so a picture that is whole has its EOI after its last SOS.
    """
    if image.format not in ("JPEG", "MPO") or image.mode not in ("RGB", "L"):
        return False
    if image.mode == "L" and "icc_profile" in image.info:
        return False
    return data.rfind(b"\xff\xd9") > data.rfind(b"\xff\xda")


def _is_plain_png(image: Image.Image, data: bytes, kinds: frozenset[bytes]) -> bool:
    """8 bits a channel, RGB or RGBA by its IHDR, one frame, nothing that could turn it."""
    return image.format == "PNG" and data[24] == 8 and data[25] in (2, 6) and not kinds & _NOT_PLAIN


def _plain_flags(image: Image.Image) -> int:
    return (
        cv2.IMREAD_UNCHANGED if image.mode == "RGBA" else cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
    )


def _split(pixels: U8) -> tuple[U8, U8 | None]:
    if pixels.shape[2] == 3:
        return pixels, None
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGRA2RGB), np.uint8), np.ascontiguousarray(
        pixels[..., 3]
    )


def _orientation(image: Image.Image) -> int:
    """EXIF orientation 1 to 8; a picture whose EXIF is damaged stands as it is."""
    try:
        return int(image.getexif().get(_EXIF_ORIENTATION, 1))
    except Exception:  # noqa: BLE001 - damaged metadata raises anything, and is no reason to refuse a picture
        return 1


def _upright(rgb: U8, alpha: U8 | None, orientation: int) -> Picture:
    if orientation not in range(2, 9):
        return Picture(rgb, alpha)
    return Picture(_turn(rgb, orientation), None if alpha is None else _turn(alpha, orientation))


def _turn(pixels: U8, orientation: int) -> U8:
    """Undoes an EXIF orientation (CIPA DC-008, tag 274): 5 to 8 are transposed, then mirrored."""
    turned = cv2.transpose(pixels) if orientation >= 5 else pixels
    flips = {2: 1, 3: -1, 4: 0, 6: 1, 7: -1, 8: 0}
    if orientation in flips:
        turned = cv2.flip(turned, flips[orientation])
    return np.asarray(turned, np.uint8)
