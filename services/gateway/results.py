"""`results.zip`: made while it is sent, one block of one image in memory.

Entries are deflated at level 0, which stores them: pictures do not get smaller, and unlike the method
"stored" their checksum may follow them, so that no image has to be read twice or held.
"""

from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

from stream_zip import ZIP_AUTO, async_stream_zip

from libs.common.contracts import batch as contract
from libs.common.contracts.batch import ImageStatus
from libs.common.contracts.branding import DEFAULT_BRAND, Brand
from libs.common.contracts.ids import BatchId, TenantId
from libs.common.objects import Objects
from services.gateway.batches import Batches
from services.gateway.manifest import MANIFEST, Packed, manifest_file, packed
from services.gateway.views import Links

_MODE = stat.S_IFREG | 0o644
_BLOCK = 512 * 1024


class ResultsZip:
    """All files of a batch that has ended, under the photos' own names, and the manifest last."""

    def __init__(
        self,
        batch: contract.Batch,
        images: Sequence[contract.Image],
        links: Links,
        brand: Brand = DEFAULT_BRAND,
    ) -> None:
        self._brand = brand
        self._batch = batch
        self._images = images
        self._links = links
        self._files = packed([image for image in images if image.status is ImageStatus.COMPLETED])

    async def stream(self, objects: Objects) -> AsyncIterator[bytes]:
        """The bytes of the archive."""
        async for block in async_stream_zip(self._entries(objects), chunk_size=_BLOCK):
            yield block

    async def _entries(self, objects: Objects) -> AsyncIterator[Any]:
        for file in self._files:
            yield file.path, self._when(file), _MODE, ZIP_AUTO(file.size, level=0), objects.stream(file.key)
        manifest = await asyncio.to_thread(
            manifest_file, self._batch, self._images, self._files, self._links, self._brand
        )
        yield MANIFEST, self._when(None), _MODE, ZIP_AUTO(len(manifest), level=6), _once(manifest)

    def _when(self, file: Packed | None) -> datetime:
        ended = file.image.ended_at if file else None
        return ended or self._batch.ended_at or datetime.now(UTC)


async def all_images(batches: Batches, tenant: TenantId, batch_id: BatchId) -> list[contract.Image]:
    """Every image of a batch, page by page: at most the 5,000 that an archive can hold."""
    images: list[contract.Image] = []
    cursor: str | None = None
    while True:
        page = await batches.images(tenant, batch_id, cursor=cursor)
        images.extend(page.items)
        if (cursor := page.next_cursor) is None:
            return images


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data
