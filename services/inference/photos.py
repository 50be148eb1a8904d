"""Photos out of object storage and results into it."""

from __future__ import annotations

import asyncio

from libs.common.contracts.inference import ArchivedPhoto, PhotoSource
from libs.common.errors import NotFound
from libs.common.objects import Objects
from libs.common.zip_entry import EntryDamaged, inflate_entry
from services.inference.errors import PictureRefused, RefusalCode

_INLINE = 128 * 1024
"""Inflating so many bytes takes less time than handing them to a thread and back."""


class Photos:
    """Reads a photo where it lies, also in the middle of an archive."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    async def read(self, source: PhotoSource) -> bytes:
        """The photo's bytes. PictureRefused if they are gone or damaged; Unavailable if the storage is."""
        try:
            if not isinstance(source, ArchivedPhoto):
                return await self._objects.read(source.key)
            raw = await self._objects.read_range(source.key, source.offset, source.length)
            if source.size <= _INLINE:
                return _inflate(raw, source)
            return await asyncio.to_thread(_inflate, raw, source)
        except EntryDamaged as damage:
            raise PictureRefused(RefusalCode(damage.code.value), damage.detail) from damage
        except NotFound as error:
            detail = "The photo is no longer in the storage; send it again."
            raise PictureRefused(RefusalCode.PHOTO_LOST, detail) from error

    async def write(self, key: str, data: bytes) -> None:
        """Store a result."""
        await self._objects.put(key, data)


def _inflate(raw: bytes, source: ArchivedPhoto) -> bytes:
    return inflate_entry(raw, method=source.method, size=source.size, crc32=source.crc32)
