"""Asking the batch service, which may not have heard yet of what was accepted here a moment ago."""

from __future__ import annotations

import asyncio
from typing import TypeVar

from pydantic import BaseModel

from libs.common.bus.bus import Bus
from libs.common.contracts.batch import (
    Batch,
    BatchEvents,
    BatchPage,
    CancelBatch,
    GetBatch,
    GetImage,
    Image,
    ImagePage,
    ImageStatus,
    ListBatches,
    ListBatchEvents,
    ListImages,
    RetryBatch,
)
from libs.common.contracts.ids import BatchId, ImageId, TenantId
from libs.common.contracts.message import Query
from libs.common.db import Database
from libs.common.errors import NotFound, Unavailable
from services.gateway.errors import NoSuchBatch
from services.gateway.store import submitted_batch, submitted_image

Reply = TypeVar("Reply", bound=BaseModel)

CATCH_UP_S = 3.0
"""How long a change of a batch waits for the batch service to hear of the batch."""
PAGE = 500


class Batches:
    """A tenant's batches and images; NotFound for those of others."""

    def __init__(self, bus: Bus, database: Database) -> None:
        self._bus = bus
        self._database = database

    async def get(self, tenant: TenantId, batch_id: BatchId) -> Batch:
        try:
            return await self._bus.request(GetBatch(batch_id=batch_id), tenant=tenant)
        except NotFound:
            return await self._submitted(tenant, batch_id)

    async def list(self, tenant: TenantId, cursor: str | None, limit: int) -> BatchPage:
        return await self._bus.request(ListBatches(cursor=cursor, limit=limit), tenant=tenant)

    async def images(
        self,
        tenant: TenantId,
        batch_id: BatchId,
        *,
        status: tuple[ImageStatus, ...] = (),
        cursor: str | None = None,
        limit: int = PAGE,
    ) -> ImagePage:
        query = ListImages(batch_id=batch_id, status=status, cursor=cursor, limit=limit)
        try:
            return await self._bus.request(query, tenant=tenant)
        except NotFound:
            await self._submitted(tenant, batch_id)
            return ImagePage(items=())

    async def image(self, tenant: TenantId, image_id: ImageId) -> Image:
        try:
            return await self._bus.request(GetImage(image_id=image_id), tenant=tenant)
        except NotFound:
            image = await submitted_image(self._database, tenant, image_id)
            if image is None:
                raise
            return image

    async def events(self, tenant: TenantId, batch_id: BatchId, after: int, limit: int) -> BatchEvents:
        """Images that ended after the sequence number `after`, and how the batch stands."""
        query = ListBatchEvents(batch_id=batch_id, after=after, limit=limit)
        try:
            return await self._bus.request(query, tenant=tenant)
        except NotFound:
            return BatchEvents(batch=await self._submitted(tenant, batch_id), images=())

    async def cancel(self, tenant: TenantId, batch_id: BatchId) -> Batch:
        return await self._change(CancelBatch(batch_id=batch_id), tenant, batch_id)

    async def retry(self, tenant: TenantId, batch_id: BatchId) -> Batch:
        return await self._change(RetryBatch(batch_id=batch_id), tenant, batch_id)

    async def _change(self, query: Query[Reply], tenant: TenantId, batch_id: BatchId) -> Reply:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + CATCH_UP_S
        while True:
            try:
                return await self._bus.request(query, tenant=tenant)
            except NotFound:
                await self._submitted(tenant, batch_id)
                if loop.time() > deadline:
                    raise Unavailable("the batch has not been taken up yet") from None
            await asyncio.sleep(0.1)

    async def _submitted(self, tenant: TenantId, batch_id: BatchId) -> Batch:
        """The batch as it was accepted here. NoSuchBatch if it was not."""
        batch = await submitted_batch(self._database, tenant, batch_id)
        if batch is None:
            raise NoSuchBatch
        return batch
