"""Archives for tests: a ZIP written field by field, so that any field can lie, and readers that count."""

from __future__ import annotations

import struct
import zlib
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from services.batch.archive import Entry, Limits, Range, RefusedEntry, open_archive

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(range(256)) * 4
Lies = Mapping[str, int]
NO_LIES: Lies = MappingProxyType({})


@dataclass
class BytesReader:
    """A RangeReader over bytes that counts what is read and insists on the promise of its callers."""

    content: bytes
    bytes_read: int = 0

    @property
    def size(self) -> int:
        return len(self.content)

    async def read(self, start: int, length: int) -> bytes:
        assert 0 <= start <= start + length <= self.size, "a read outside the object"
        self.bytes_read += length
        return self.content[start : start + length]

    async def read_many(self, ranges: Sequence[Range]) -> list[bytes]:
        return [await self.read(start, length) for start, length in ranges]


@dataclass
class SparseReader(BytesReader):
    """A RangeReader over a file that is zero but for some (start, bytes), which must be in order."""

    content: bytes = b""
    total: int = 0
    segments: list[tuple[int, bytes]] = field(default_factory=list)

    @property
    def size(self) -> int:
        return self.total

    async def read(self, start: int, length: int) -> bytes:
        self.bytes_read += length
        window = bytearray(length)
        first = max(bisect_right(self.segments, (start, b"\xff")) - 1, 0)
        for at, data in self.segments[first:]:
            if at >= start + length:
                break
            low, high = max(at, start), min(at + len(data), start + length)
            if low < high:
                window[low - start : high - start] = data[low - at : high - at]
        return bytes(window)


@dataclass
class Part:
    """One entry; `local` and `central` replace fields of its two headers by name."""

    name: bytes = b"a.jpg"
    content: bytes = JPEG
    method: int = 8
    flags: int = 0
    host: int = 3
    attributes: int = 0o100644 << 16
    raw: bytes | None = None
    local_extra: bytes = b""
    central_extra: bytes = b""
    descriptor: bytes = b""
    local: dict[str, int | bytes] = field(default_factory=dict)
    central: dict[str, int | bytes] = field(default_factory=dict)

    @property
    def data(self) -> bytes:
        if self.raw is not None:
            return self.raw
        return deflate(self.content) if self.method == 8 else self.content

    def fields(self, **more: int | bytes) -> dict[str, int | bytes]:
        numbers = {"crc": zlib.crc32(self.content), "packed": len(self.data), "size": len(self.content)}
        return {"name": self.name, "flags": self.flags, "method": self.method, **numbers, **more}


def deflate(content: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(content) + packer.flush()


def local_header(part: Part) -> bytes:
    f = part.fields(**part.local)
    name = bytes(f["name"])
    numbers = (f["crc"], f["packed"], f["size"], len(name), len(part.local_extra))
    head = struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, f["flags"], f["method"], 0, 33, *numbers)
    return head + name + part.local_extra


def central_header(part: Part, offset: int) -> bytes:
    f = part.fields(offset=offset, disk=0) | part.central
    name = bytes(f["name"])
    head = struct.pack("<4sBB5H", b"PK\x01\x02", 20, part.host, 20, f["flags"], f["method"], 0, 33)
    lengths = (len(name), len(part.central_extra), 0)
    head += struct.pack("<3L3H", f["crc"], f["packed"], f["size"], *lengths)
    return head + struct.pack("<2H2L", f["disk"], 0, part.attributes, f["offset"]) + name + part.central_extra


def end_record(count: int, size: int, offset: int, *, comment: bytes = b"", lies: Lies = NO_LIES) -> bytes:
    """The end of the directory; `lies` replace fields of it."""
    f = {"disk": 0, "directory_disk": 0, "disk_count": count, "count": count, "size": size, "offset": offset}
    return struct.pack("<4s4H2LH", b"PK\x05\x06", *(f | dict(lies)).values(), len(comment)) + comment


def zip64_end(count: int, size: int, offset: int, lies: Lies = NO_LIES) -> bytes:
    """Zip64 end record and its locator; `lies` replace fields of either."""
    f = {
        "count": count,
        "size": size,
        "offset": offset,
        "record": offset + size,
        "disks": 1,
        "body": 44,
    } | dict(lies)
    record = struct.pack("<4sQ2H2L", b"PK\x06\x06", f["body"], 45, 45, 0, 0)
    record += struct.pack("<4Q", f["count"], f["count"], f["size"], f["offset"])
    return record + struct.pack("<4sLQL", b"PK\x06\x07", 0, f["record"], f["disks"])


def build(parts: Sequence[Part], *, comment: bytes = b"", lies: Lies = NO_LIES) -> bytes:
    """A ZIP of `parts`; `lies` replace fields of its end record."""
    body, directory = b"", b""
    for part in parts:
        directory += central_header(part, len(body))
        body += local_header(part) + part.data + part.descriptor
    return body + directory + end_record(len(parts), len(directory), len(body), comment=comment, lies=lies)


def zip64_field(*values: int) -> bytes:
    """The extra field that holds 64-bit values."""
    return struct.pack(f"<HH{len(values)}Q", 1, 8 * len(values), *values)


def zip64_archive(narrow: Lies = NO_LIES, lies: Lies = NO_LIES) -> bytes:
    """One entry, the end recorded in 64 bits; the 32-bit fields are all ones unless `narrow` says more."""
    part = Part()
    body, directory = local_header(part) + part.data, central_header(part, 0)
    ones = {"count": 0xFFFF, "disk_count": 0xFFFF, "size": 0xFFFFFFFF, "offset": 0xFFFFFFFF}
    end = end_record(1, 0, 0, lies=ones | dict(narrow))
    return body + directory + zip64_end(1, len(directory), len(body), lies) + end


async def read_entries(
    content: bytes, limits: Limits | None = None, start: int = 0
) -> list[Entry | RefusedEntry]:
    """All results of the archive, from entry `start` on."""
    archive = await open_archive(BytesReader(content), limits)
    return [entry async for entries in archive.entries(start) for entry in entries]


async def refusal_of(part: Part) -> str:
    """The code by which the one entry of an archive is refused."""
    (result,) = await read_entries(build([part]))
    assert isinstance(result, RefusedEntry), result
    return result.code.value


def forged(content: bytes, wanted: int) -> bytes:
    """`content` with four bytes appended that give it the CRC-32 `wanted` (the register run backwards)."""
    table = [_table_entry(n) for n in range(256)]
    register = wanted ^ 0xFFFFFFFF
    for _ in range(4):
        index = next(n for n in range(256) if table[n] >> 24 == register >> 24)
        register = ((register ^ table[index]) << 8 | index) & 0xFFFFFFFF
    have = zlib.crc32(content) ^ 0xFFFFFFFF
    return content + (register ^ have).to_bytes(4, "little")


def _table_entry(number: int) -> int:
    for _ in range(8):
        number = number >> 1 ^ (0xEDB88320 if number & 1 else 0)
    return number
