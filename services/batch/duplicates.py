"""Finds photos of an archive that are there twice, by their bytes."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from typing import Any, Protocol

from libs.common.contracts.ids import ImageId
from libs.common.db import Row
from libs.common.zip_entry import EntryDamaged, inflate_entry


class Bytes(Protocol):
    """What an archive's bytes are read from."""

    async def read(self, start: int, length: int) -> bytes: ...


class Originals:
    """The photos of one archive, as far as they were seen."""

    def __init__(self, archive: Bytes) -> None:
        self._archive = archive
        self._seen: dict[tuple[Any, ...], list[tuple[ImageId, Mapping[str, Any]]]] = {}

    def remember(self, image: Mapping[str, Any] | Row) -> None:
        """A photo that was seen before (`id`, `photo`, `garment`)."""
        self._seen.setdefault(_likeness(image), []).append((image["id"], image["photo"]))

    async def original(self, image: Mapping[str, Any]) -> ImageId | None:
        """The earlier image with the very same bytes. Equal CRC and size only say where to look."""
        alike = self._seen.setdefault(_likeness(image), [])
        digest = await self._digest(image["photo"]) if alike else None
        for image_id, other in alike:
            if digest is not None and digest == await self._digest(other):
                return image_id
        alike.append((image["id"], image["photo"]))
        return None

    async def _digest(self, photo: Mapping[str, Any]) -> bytes | None:
        raw = await self._archive.read(photo["offset"], photo["length"])
        return await asyncio.to_thread(_digest, raw, photo)


def _likeness(image: Mapping[str, Any] | Row) -> tuple[Any, ...]:
    """Equal for images that may have the same result: another garment of the same photo is another result."""
    return image["photo"]["crc32"], image["photo"]["size"], image["garment"]


def _digest(raw: bytes, photo: Mapping[str, Any]) -> bytes | None:
    """None for an entry that can't be read: it is like no other."""
    try:
        content = inflate_entry(raw, method=photo["method"], size=photo["size"], crc32=photo["crc32"])
    except EntryDamaged:
        return None
    return hashlib.sha256(content).digest()
