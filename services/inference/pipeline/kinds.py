"""Which decoder a file is for, by its first bytes; what is no picture of ours is refused by its name."""

from __future__ import annotations

from libs.common.media import SNIFF_BYTES, MediaType, sniff, sniff_archive
from services.inference.errors import PictureRefused, RefusalCode
from services.inference.pipeline.refusals import TAKEN, unsupported

_OTHER_PICTURES = (
    (b"GIF8", "a GIF"),
    (b"BM", "a BMP"),
    (b"8BPS", "a Photoshop file"),
    (b"\x00\x00\x01\x00", "an icon"),
    (b"\xff\x0a", "a JPEG XL"),
    (b"\x00\x00\x00\x0cJXL ", "a JPEG XL"),
    (b"\x00\x00\x00\x0cjP  ", "a JPEG 2000"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000"),
    (b"\x76\x2f\x31\x01", "an OpenEXR"),
    (b"#?RADIANCE", "a Radiance HDR"),
    (b"DDS ", "a DirectDraw surface"),
    (b"qoif", "a QOI"),
    (b"IIRO", "a camera's raw file"),
    (b"IIU\x00", "a camera's raw file"),
    (b"FUJIFILMCCD-RAW", "a camera's raw file"),
    (b"%!PS", "a PostScript file"),
)
_NO_PICTURES = (
    (b"%PDF", "a PDF"),
    (b"<svg", "an SVG drawing"),
    (b"<?xml", "an XML file"),
    (b"<", "a web page"),
)
_RAW_BRANDS = (b"crx ",)
_HEIF_BRANDS = (b"mif1", b"msf1", b"mif2", b"jpeg", b"jpgs")
"""Pictures in the container of HEIC and AVIF, in another coding."""


def kind_of(data: bytes) -> MediaType:
    """The kind of picture. Raises PictureRefused where it is another kind, or no picture."""
    media_type = sniff(data[:SNIFF_BYTES])
    if media_type is not None:
        return media_type
    raise _refusal(data)


def _refusal(data: bytes) -> PictureRefused:
    if name := _starts(data, _OTHER_PICTURES):
        return unsupported(f"this is {name}")
    if data[4:8] == b"ftyp":
        return _refusal_of_brand(data[8:12])
    archive = "an archive" if sniff_archive(data[:SNIFF_BYTES]) else None
    name = archive or _starts(data[:SNIFF_BYTES].lstrip(), _NO_PICTURES) or "not a picture"
    return PictureRefused(RefusalCode.NOT_AN_IMAGE, f"the content is {name}; send {TAKEN}")


def _refusal_of_brand(brand: bytes) -> PictureRefused:
    if brand in _RAW_BRANDS:
        return unsupported("this is a camera's raw file")
    if brand in _HEIF_BRANDS:
        return unsupported("this is a HEIF in another coding than HEVC and AV1")
    return PictureRefused(RefusalCode.NOT_AN_IMAGE, f"the content is a video; send {TAKEN}")


def _starts(data: bytes, names: tuple[tuple[bytes, str], ...]) -> str | None:
    return next((name for prefix, name in names if data.startswith(prefix)), None)
