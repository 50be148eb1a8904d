"""What a file is by its first bytes, whatever its name or its sender says."""

from __future__ import annotations

from enum import StrEnum

SNIFF_BYTES = 512
"""Bytes that decide every kind below; tar needs the most (its mark lies at 257)."""


class MediaType(StrEnum):
    """Pictures that the system takes."""

    JPEG = "image/jpeg"
    PNG = "image/png"
    WEBP = "image/webp"
    TIFF = "image/tiff"
    AVIF = "image/avif"
    HEIC = "image/heic"


class ArchiveType(StrEnum):
    """Archives, known so that one inside another can be refused by name."""

    ZIP = "application/zip"
    GZIP = "application/gzip"
    SEVEN_ZIP = "application/x-7z-compressed"
    RAR = "application/vnd.rar"
    TAR = "application/x-tar"


_IMAGE_PREFIXES = (
    (b"\xff\xd8\xff", MediaType.JPEG),
    (b"\x89PNG\r\n\x1a\n", MediaType.PNG),
    (b"II*\x00", MediaType.TIFF),
    (b"MM\x00*", MediaType.TIFF),
    (b"II+\x00", MediaType.TIFF),  # BigTIFF
    (b"MM\x00+", MediaType.TIFF),
)

_ARCHIVE_PREFIXES = (
    (b"PK\x03\x04", ArchiveType.ZIP),
    (b"PK\x05\x06", ArchiveType.ZIP),  # no entries
    (b"PK\x07\x08", ArchiveType.ZIP),  # first part of a split archive
    (b"\x1f\x8b", ArchiveType.GZIP),
    (b"7z\xbc\xaf\x27\x1c", ArchiveType.SEVEN_ZIP),
    (b"Rar!\x1a\x07", ArchiveType.RAR),
)

_BRANDS = {
    **dict.fromkeys((b"avif", b"avis"), MediaType.AVIF),
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"), MediaType.HEIC),
}


def sniff(head: bytes) -> MediaType | None:
    """Kind of the picture that starts with `head` (`SNIFF_BYTES` of it are enough), or None."""
    for prefix, media_type in _IMAGE_PREFIXES:
        if head.startswith(prefix):
            return media_type
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return MediaType.WEBP
    return _sniff_iso_bmff(head)


def sniff_archive(head: bytes) -> ArchiveType | None:
    """Kind of the archive that starts with `head`, or None."""
    for prefix, archive_type in _ARCHIVE_PREFIXES:
        if head.startswith(prefix):
            return archive_type
    return ArchiveType.TAR if head[257:262] == b"ustar" else None


def _sniff_iso_bmff(head: bytes) -> MediaType | None:
    """The first known brand of the `ftyp` box (ISO/IEC 14496-12, 4.3; brands: AVIF and ISO/IEC 23008-12).

    The major brand is often the generic `mif1`; then the compatible brands tell HEIC from AVIF.
    """
    if head[4:8] != b"ftyp":
        return None
    end = min(int.from_bytes(head[:4], "big"), len(head))
    brands = [head[8:12], *(head[at : at + 4] for at in range(16, end, 4))]
    return next((_BRANDS[brand] for brand in brands if brand in _BRANDS), None)
