"""`results.zip`: made while it is sent, one block of one image in memory.

Entries are deflated at level 0, which stores them: pictures do not get smaller, and unlike the method
"stored" their checksum may follow them, so that no image has to be read twice or held.
"""

from __future__ import annotations

import asyncio
import json
import stat
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any, cast

from stream_zip import ZIP_AUTO, async_stream_zip

from libs.common.contracts import batch as contract
from libs.common.contracts.batch import ImageStatus
from libs.common.contracts.ids import BatchId, TenantId
from libs.common.contracts.options import ImageFormat
from libs.common.objects import Objects
from libs.common.result_names import result_names
from services.gateway.batches import Batches
from services.gateway.views import Batch, Image, Links

MANIFEST = "manifest.json"
_MODE = stat.S_IFREG | 0o644
_BLOCK = 512 * 1024


class ResultsZip:
    """The results of a batch that has ended, under the photos' own names, and the manifest last."""

    def __init__(self, batch: contract.Batch, images: Sequence[contract.Image], links: Links) -> None:
        self._batch = batch
        self._links = links
        done = [image for image in images if image.status is ImageStatus.COMPLETED]
        names = result_names((image.name, _extension(image)) for image in done)
        self._files = list(zip(names, done, strict=True))
        self._images = images

    async def stream(self, objects: Objects) -> AsyncIterator[bytes]:
        """The bytes of the archive."""
        async for block in async_stream_zip(self._entries(objects), chunk_size=_BLOCK):
            yield block

    def manifest(self) -> dict[str, Any]:
        """The batch, and every image with the name of its file; those without a result say why."""
        names = {image.id: name for name, image in self._files}
        return {
            "batch": Batch.of(self._batch, self._links).model_dump(mode="json"),
            "images": [
                {**Image.of(image, self._links).model_dump(mode="json"), "file": names.get(image.id)}
                for image in self._images
            ],
        }

    async def _entries(self, objects: Objects) -> AsyncIterator[Any]:
        for name, image in self._files:
            content = objects.stream(cast("str", image.result_key))
            yield name, self._when(image), _MODE, ZIP_AUTO(image.size or 0, level=0), content
        manifest = await asyncio.to_thread(self._manifest_file)
        yield MANIFEST, self._when(None), _MODE, ZIP_AUTO(len(manifest), level=6), _once(manifest)

    def _manifest_file(self) -> bytes:
        """Up to 5,000 images as JSON, which takes too long for the event loop."""
        return json.dumps(self.manifest(), indent=2, ensure_ascii=False).encode()

    def _when(self, image: contract.Image | None) -> datetime:
        ended = image.ended_at if image else None
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


def _extension(image: contract.Image) -> str:
    return ImageFormat((image.media_type or "image/png").rpartition("/")[2]).extension


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data
