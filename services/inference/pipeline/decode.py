"""Bytes of a photo to upright 8-bit sRGB pixels, whatever they are and whoever sent them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import cast

import cv2
import numpy as np
import pillow_heif
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from libs.common.media import MediaType
from services.inference.pipeline.arrays import U8
from services.inference.pipeline.bmff import boxes_end_early, check_sizes, nclx
from services.inference.pipeline.colour import in_srgb, to_srgb
from services.inference.pipeline.exif import orientation
from services.inference.pipeline.icc import profile_of_codes
from services.inference.pipeline.jpeg import jpeg_pixels, read_header
from services.inference.pipeline.kinds import kind_of
from services.inference.pipeline.limits import check_bytes, check_pixels
from services.inference.pipeline.png import Chunks, named_profile, read_chunks
from services.inference.pipeline.refusals import cut_short, damaged, refusing
from services.inference.pipeline.tiff import check_tiles, tiff_ends_early
from services.inference.pipeline.webp import check_webp, webp_chunks, webp_size

_NOT_PLAIN = {b"tRNS", b"acTL"}
"""Chunks of a PNG that are left to Pillow: transparency by colour, animation."""
_JPEG_MODES = {1: "L", 3: "RGB", 4: "CMYK"}
_OPAQUE = 255


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """An upright photo: `rgb` is sRGB uint8 [H,W,3], `alpha` uint8 [H,W] where it is not opaque all over."""

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
    kind = kind_of(data)
    with refusing(lambda: _ENDS_EARLY.get(kind, _says_it)(data)):
        return _DECODERS[kind](data)


def _decode_jpeg(data: bytes) -> Picture:
    header = read_header(data)
    pixels = jpeg_pixels(data, header)
    if not header.whole:
        raise cut_short()
    if pixels.shape[2] == 4 and header.adobe:
        cv2.bitwise_not(pixels, pixels)  # Adobe's inks are stored the other way round
    mode = _JPEG_MODES[pixels.shape[2]]
    rgb = in_srgb(pixels[..., 0] if mode == "L" else pixels, mode, header.profile)
    return _upright(rgb, None, orientation(header.exif))


def _decode_png(data: bytes) -> Picture:
    chunks = read_chunks(data)
    if not chunks.keys() >= {b"IDAT", b"IEND"}:
        raise cut_short()
    turn = orientation(chunks.get(b"eXIf", b""))
    with _opened(data, "PNG") as image:
        profile = named_profile(chunks, image.info.get("icc_profile"))
        pixels = _by_opencv(data)
        if pixels is None:
            image.load()  # finds the name of what is wrong
            raise damaged()  # Pillow paints rows black that are not there; libpng does not let them pass
        if _is_plain_png(chunks) and pixels.shape[1::-1] == image.size:
            rgb, alpha = _split(pixels)
            return _upright(in_srgb(rgb, "RGB", profile), alpha, turn)
        del pixels
        return _by_pillow(image, profile, turn)


def _decode_webp(data: bytes) -> Picture:
    check_webp(data)
    chunks = webp_chunks(data)
    profile, turn = chunks.get(b"ICCP"), orientation(chunks.get(b"EXIF", b""))
    pixels = None if b"ANIM" in chunks else _by_opencv(data)
    if pixels is not None and pixels.shape[1::-1] == webp_size(data):
        rgb, alpha = _split(pixels)
        return _upright(in_srgb(rgb, "RGB", profile), alpha, turn)
    with _opened(data, "WEBP") as image:
        return _by_pillow(image, profile, turn)


def _decode_tiff(data: bytes) -> Picture:
    with _opened(data, "TIFF") as image:
        check_tiles(cast("TiffImageFile", image).tag_v2)
        return _by_pillow(image, image.info.get("icc_profile"), 1)  # Pillow turns a TIFF by itself


def _decode_avif(data: bytes) -> Picture:
    check_sizes(data)
    with _opened(data, "AVIF") as image:
        profile = image.info.get("icc_profile") or profile_of_codes(*nclx(data))
        return _by_pillow(image, profile, orientation(image.info.get("exif", b"")))


def _decode_heic(data: bytes) -> Picture:
    check_sizes(data)
    container = pillow_heif.open_heif(data, convert_hdr_to_8bit=True)
    primary = container[container.primary_index]
    check_pixels(*primary.size)
    image = primary.to_pillow()
    profile = image.info.get("icc_profile") or profile_of_codes(*nclx(data))
    return _upright(*to_srgb(image, profile), 1)  # libheif has turned it upright


_DECODERS: dict[MediaType, Callable[[bytes], Picture]] = {
    MediaType.JPEG: _decode_jpeg,
    MediaType.PNG: _decode_png,
    MediaType.WEBP: _decode_webp,
    MediaType.TIFF: _decode_tiff,
    MediaType.AVIF: _decode_avif,
    MediaType.HEIC: _decode_heic,
}


def _says_it(data: bytes) -> bool:
    """For decoders that say themselves when a file ends too early."""
    return False


_ENDS_EARLY: dict[MediaType, Callable[[bytes], bool]] = {
    MediaType.TIFF: tiff_ends_early,
    MediaType.AVIF: boxes_end_early,
    MediaType.HEIC: boxes_end_early,
}


@contextmanager
def _opened(data: bytes, kind: str) -> Iterator[Image.Image]:
    """By Pillow, header only."""
    with Image.open(BytesIO(data), formats=(kind,)) as image:
        check_pixels(*image.size)
        yield image


def _by_pillow(image: Image.Image, profile: bytes | None, turn: int) -> Picture:
    image.load()
    return _upright(*to_srgb(image, profile), turn)


def _by_opencv(data: bytes) -> U8 | None:
    """As stored, not turned, in half of Pillow's time; BGR or BGRA where it has colour. None if it can't."""
    try:
        return cast("U8 | None", cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED))
    except cv2.error:
        return None


def _is_plain_png(chunks: Chunks) -> bool:
    """8 bits a channel, RGB or RGBA by its IHDR, one frame: there OpenCV gives the same pixels as Pillow."""
    header = chunks.get(b"IHDR", b"")
    return header[8:9] == b"\x08" and header[9:10] in (b"\x02", b"\x06") and not _NOT_PLAIN & chunks.keys()


def _split(pixels: U8) -> tuple[U8, U8 | None]:
    """RGB and alpha of BGR or BGRA; the alpha a copy, so that the four channels need not be kept."""
    if pixels.shape[2] == 3:
        return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB, pixels), np.uint8), None
    rgb = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGRA2RGB), np.uint8)
    return rgb, np.ascontiguousarray(pixels[..., 3])


def _upright(rgb: U8, alpha: U8 | None, turn: int) -> Picture:
    if alpha is not None and alpha.min() == _OPAQUE:
        alpha = None
    if turn == 1:
        return Picture(rgb, alpha)
    return Picture(_turned(rgb, turn), None if alpha is None else _turned(alpha, turn))


def _turned(pixels: U8, turn: int) -> U8:
    """Undoes an EXIF orientation 2 to 8 (CIPA DC-008, tag 274): 5 to 8 are transposed, then mirrored."""
    upright = cv2.transpose(pixels) if turn >= 5 else pixels
    flips = {2: 1, 3: -1, 4: 0, 6: 1, 7: -1, 8: 0}
    if turn in flips:
        upright = cv2.flip(upright, flips[turn])
    return np.asarray(upright, np.uint8)
