"""Whether an entry may be rendered: first by what the directory says of it, then by its first bytes."""

from __future__ import annotations

import zlib

from libs.common.media import SNIFF_BYTES, sniff, sniff_archive
from libs.common.zip_entry import DEFLATED, STORED
from services.batch.archive.central import CentralHeader
from services.batch.archive.errors import EntryCode, EntryRefusal
from services.batch.archive.limits import Limits
from services.batch.archive.names import unsafe_reason

_NOT_AN_IMAGE = EntryRefusal(EntryCode.NOT_AN_IMAGE, "the content is not JPEG, PNG, WebP, TIFF, AVIF or HEIC")
_SHORT = EntryRefusal(EntryCode.TRUNCATED, "the data ends before its declared size")
_SIZES_DIFFER = EntryRefusal(EntryCode.DAMAGED, "stored without compression, yet with two different sizes")
_NOT_DEFLATE = EntryRefusal(EntryCode.DAMAGED, "the data is not a deflate stream")


def judge_header(header: CentralHeader, limits: Limits) -> EntryRefusal | None:
    """Why the directory alone rules the entry out, or None."""
    unsafe = unsafe_reason(header.name)
    if unsafe:
        return EntryRefusal(EntryCode.PATH_TRAVERSAL, unsafe)
    if header.symlink:
        return EntryRefusal(EntryCode.SYMLINK, "a symbolic link")
    if header.method not in (STORED, DEFLATED):
        return EntryRefusal(EntryCode.UNSUPPORTED_METHOD, f"compression method {header.method}")
    if header.size == 0:
        return EntryRefusal(EntryCode.EMPTY, "no content")
    if max(header.size, header.compressed_size) > limits.entry_bytes:
        return EntryRefusal(EntryCode.TOO_MANY_BYTES, f"more than {limits.entry_bytes:,} bytes")
    return None


def judge_content(data: bytes, header: CentralHeader) -> EntryRefusal | None:
    """Why the content rules the entry out, or None; `data` are its first bytes as they lie in the archive."""
    if header.method == STORED and header.size != header.compressed_size:
        return _SIZES_DIFFER
    try:
        content = _first_bytes(data[: header.compressed_size], header.method)
    except zlib.error:
        return _NOT_DEFLATE
    is_whole = len(data) >= header.compressed_size
    if is_whole and len(content) < min(header.size, SNIFF_BYTES):
        return _SHORT
    return _judge_kind(content)


def _first_bytes(data: bytes, method: int) -> bytes:
    if method == STORED:
        return data[:SNIFF_BYTES]
    return zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, SNIFF_BYTES)


def _judge_kind(content: bytes) -> EntryRefusal | None:
    if sniff(content):
        return None
    archive = sniff_archive(content)
    if archive:
        return EntryRefusal(EntryCode.NESTED_ARCHIVE, f"an archive in the archive ({archive.value})")
    return _NOT_AN_IMAGE
