"""Releases waiting images to the workers: single images first, then tenants in fair turns.

Waiting images live in the database, so that cancelling, priority and fairness are one query and the broker's
queues stay short. Replicas take turns under one advisory lock.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import TypeVar

from opentelemetry import trace
from prometheus_client import Gauge

from libs.common.bus.bus import Delivery
from libs.common.contracts.batch import BatchOptions
from libs.common.contracts.ids import BatchId, ChunkId, ImageId, TenantId
from libs.common.contracts.inference import RenderImages, RenderImagesNow, RenderItem, WorkerSeen
from libs.common.db import Database, Row, Transaction
from libs.common.errors import MannequinError
from libs.common.objects import tenant_key
from libs.common.telemetry import logger, remote_context
from services.batch import store
from services.batch.fairness import Demand, FairShare
from services.batch.store import Moves, sql
from services.batch.window import Window

_log = logger("batch.dispatcher")
_tracer = trace.get_tracer("mannequin.batch")
_backlog_images = Gauge("mannequin_backlog_images", "Images that wait for their release")
_backlog_gpu_seconds = Gauge("mannequin_backlog_gpu_seconds", "Estimated rendering time of what waits")
_backlog_oldest = Gauge("mannequin_backlog_oldest_seconds", "Age of the oldest batch with waiting images")
_in_flight = Gauge("mannequin_images_in_flight", "Images released and not yet ended")

_SINGLES_A_ROUND = 32
Item = TypeVar("Item")


class Dispatcher:
    """One loop a process; `wake` it whenever images came or ended."""

    def __init__(
        self, database: Database, window: Window, *, render_timeout_s: float, interval: float = 1.0
    ) -> None:
        self._database = database
        self._window = window
        self._shares = FairShare()
        self._render_timeout_s = render_timeout_s
        self._interval = interval
        self._wake = asyncio.Event()

    def wake(self) -> None:
        self._wake.set()

    async def worker_seen(self, delivery: Delivery) -> None:
        """Listener of `WorkerSeen`: how many images the workers render at a time."""
        seen = delivery.message
        assert isinstance(seen, WorkerSeen)
        self._window.worker_seen(seen.worker, seen.capacity, time.monotonic())

    async def run(self) -> None:
        """Dispatch until cancelled; a database that is away is waited for."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._interval):
                    await self._wake.wait()
            self._wake.clear()
            try:
                await self.dispatch()
            except MannequinError as error:
                _log.warning("dispatch_waits", reason=error.detail)

    async def dispatch(self) -> int:
        """Release what there is room for; how many images."""
        async with self._database.platform("dispatch") as tx:
            await tx.execute(sql.lock_dispatch)
            released = await self._release_singles(tx)
            in_flight = await tx.fetchval(sql.count_rendering)
            released += await self._release_fairly(tx, self._window.in_flight - in_flight)
            _in_flight.set(in_flight)
        return released

    async def watch(self) -> None:
        """Now and then: export the backlog, and put images whose outcome never came back in line."""
        while True:
            with suppress(MannequinError):
                await self._export_backlog()
                await self._take_back_stale()
            await asyncio.sleep(min(5.0, self._render_timeout_s / 4))

    async def _release_singles(self, tx: Transaction) -> int:
        released = 0
        for single in await tx.fetch(sql.waiting_singles, _SINGLES_A_ROUND):
            row = await store.lock_batch(tx, TenantId(single["tenant_id"]), BatchId(single["id"]))
            released += await self._release(tx, row, 1)
        return released

    async def _release_fairly(self, tx: Transaction, room: int) -> int:
        # Every round is a commit: not worth it for less than a quarter of the flight.
        if room < self._window.in_flight // 4:
            return 0
        rows = await tx.fetch(sql.demands)
        demands = {TenantId(row["tenant_id"]): Demand(row["ready"], row["weight"]) for row in rows}
        released = 0
        for tenant, images in self._shares.grant(demands, room):
            released += await self._release_for(tx, tenant, images)
        return released

    async def _release_for(self, tx: Transaction, tenant: TenantId, images: int) -> int:
        released = 0
        while released < images:
            row = await tx.fetchrow(sql.lock_next_batch, tenant)
            taken = await self._release(tx, row, images - released) if row else 0
            if not taken:
                break
            released += taken
        return released

    async def _release(self, tx: Transaction, batch: Row, limit: int) -> int:
        tenant, batch_id = TenantId(batch["tenant_id"]), BatchId(batch["id"])
        taken = await tx.fetch(sql.take_images, tenant, batch_id, limit)
        count = len(taken)
        await store.move_counts(tx, tenant, batch_id, Moves(ready=-count, waiting=-count, rendering=count))
        taken.sort(key=lambda image: image["position"])
        with _tracer.start_as_current_span("release", context=remote_context(batch["traceparent"])):
            for chunk in _chunks(taken, self._window.chunk_size):
                tx.publish(_command(batch, chunk), tenant=tenant, subject=batch_id)
        return count

    async def _export_backlog(self) -> None:
        async with self._database.platform("backlog") as tx:
            row = await tx.fetchrow(sql.backlog)
        assert row is not None
        _backlog_images.set(row["images"])
        _backlog_oldest.set(row["oldest_s"])
        _backlog_gpu_seconds.set(row["images"] * self._window.image_s)

    async def _take_back_stale(self) -> None:
        async with self._database.platform("overdue images") as tx:
            for found in await tx.fetch(sql.stale_batches, self._render_timeout_s):
                tenant, batch_id = TenantId(found["tenant_id"]), BatchId(found["batch_id"])
                await store.lock_batch(tx, tenant, batch_id)
                stale = await tx.fetch(sql.take_back_stale, tenant, batch_id, self._render_timeout_s)
                count = len(stale)
                await store.move_counts(
                    tx, tenant, batch_id, Moves(ready=count, waiting=count, rendering=-count)
                )
                _log.warning("overdue_images_released_again", batch=batch_id, images=count)


def _command(batch: Row, images: Sequence[Row]) -> RenderImages:
    kind = RenderImagesNow if batch["kind"] == "single" else RenderImages
    options = BatchOptions.model_validate(batch["options"]).render()
    return kind(
        chunk_id=ChunkId.new(),
        batch_id=batch["id"],
        options=options,
        items=tuple(_item(batch, image, options.format.extension) for image in images),
    )


def _item(batch: Row, image: Row, extension: str) -> RenderItem:
    image_id = ImageId(image["id"])
    key = tenant_key(
        TenantId(batch["tenant_id"]), "batches", batch["id"], "results", f"{image_id}.{extension}"
    )
    where = {"key": batch["archive_key"]}
    item = {
        "image_id": image_id,
        "photo": where | image["photo"],
        "inside": image["inside"] and where | image["inside"],
        "garment": image["garment"],
        "result_key": key,
    }
    return RenderItem.model_validate(item)


def _chunks(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    return (items[start : start + size] for start in range(0, len(items), size))
