"""What can be asked of batches: submit, look, cancel, retry."""

from __future__ import annotations

from collections.abc import Callable

from libs.common.audit.record import record
from libs.common.contracts.batch import (
    Batch,
    BatchEvents,
    BatchKind,
    BatchPage,
    BatchStatus,
    CancelBatch,
    GetBatch,
    GetImage,
    Image,
    ImagePage,
    ListBatches,
    ListBatchEvents,
    ListImages,
    RetryBatch,
    SubmitBatch,
    SubmitImage,
)
from libs.common.contracts.ids import TenantId
from libs.common.db import Database, Transaction
from libs.common.telemetry import current_traceparent
from services.batch import store
from services.batch.collector import cancel_waiting, settle
from services.batch.errors import BatchEnded, BatchStillRunning, NoSuchBatch, NothingToRetry
from services.batch.pages import first_part
from services.batch.progress import Progress
from services.batch.quotas.admission import admit_again
from services.batch.quotas.store import sql as quotas
from services.batch.store import Moves, sql


class BatchService:
    """The use cases. `split` and `dispatch` wake the loops that carry the work on."""

    def __init__(
        self,
        database: Database,
        progress: Progress,
        *,
        split: Callable[[], None],
        dispatch: Callable[[], None],
    ) -> None:
        self._database = database
        self._progress = progress
        self._split = split
        self._dispatch = dispatch

    async def submit_batch(self, command: SubmitBatch, tx: Transaction) -> None:
        """Accept a ZIP for splitting."""
        if await _insert(tx, command, BatchKind.ARCHIVE, command.archive_key, command.archive_size):
            record(tx, "batch.submitted", command.batch_id, bytes=command.archive_size)
        tx.after_commit.append(self._split)

    async def submit_image(self, command: SubmitImage, tx: Transaction) -> None:
        """Accept a single photo, ready to go."""
        tenant = _tenant(tx)
        if not await _insert(tx, command, BatchKind.SINGLE, command.photo_key, command.photo_size):
            return
        photo = {"kind": "stored", "size": command.photo_size}
        image = {
            "id": command.image_id,
            "position": 0,
            "name": command.name,
            "status": "waiting",
            "photo": photo,
        }
        await store.insert_images(tx, tenant, command.batch_id, [image], test=command.test)
        await tx.execute(quotas.end_reservation, tenant, command.batch_id)
        await tx.execute(sql.advance_split, tenant, command.batch_id, 1, BatchStatus.PROCESSING)
        await store.move_counts(tx, tenant, command.batch_id, Moves(total=1, ready=1, waiting=1))
        tx.after_commit.append(self._dispatch)

    async def get_batch(self, query: GetBatch, tenant: TenantId) -> Batch:
        async with self._database.tenant(tenant) as tx:
            return store.batch(await store.get_batch(tx, tenant, query.batch_id))

    async def list_batches(self, query: ListBatches, tenant: TenantId) -> BatchPage:
        async with self._database.tenant(tenant) as tx:
            rows = await tx.fetch(sql.list_batches, tenant, query.cursor, query.limit + 1)
        page = first_part([store.batch(row) for row in rows[: query.limit]])
        return BatchPage(items=page, next_cursor=page[-1].id if len(page) < len(rows) else None)

    async def list_images(self, query: ListImages, tenant: TenantId) -> ImagePage:
        async with self._database.tenant(tenant) as tx:
            await store.get_batch(tx, tenant, query.batch_id)
            after = _position(query.cursor)
            status = list(query.status)
            rows = await tx.fetch(sql.list_images, tenant, query.batch_id, after, status, query.limit + 1)
        page = first_part([store.image(row) for row in rows[: query.limit]])
        cursor = str(page[-1].position) if len(page) < len(rows) else None
        return ImagePage(items=page, next_cursor=cursor)

    async def get_image(self, query: GetImage, tenant: TenantId) -> Image:
        async with self._database.tenant(tenant) as tx:
            return store.image(await store.get_image(tx, tenant, query.image_id))

    async def list_events(self, query: ListBatchEvents, tenant: TenantId) -> BatchEvents:
        async with self._database.tenant(tenant) as tx:
            batch = await store.get_batch(tx, tenant, query.batch_id)
            rows = await tx.fetch(sql.list_ended, tenant, query.batch_id, query.after, query.limit + 1)
        images = first_part([store.image(row) for row in rows[: query.limit]])
        return BatchEvents(batch=store.batch(batch), images=images, more=len(images) < len(rows))

    async def cancel(self, query: CancelBatch, tenant: TenantId) -> Batch:
        """End what waits; what renders is finished and kept."""
        async with self._database.tenant(tenant) as tx:
            row = await store.lock_batch(tx, tenant, query.batch_id)
            if BatchStatus(row["status"]).ended:
                raise BatchEnded
            await tx.execute(sql.mark_cancelling, tenant, query.batch_id)
            row = await cancel_waiting(tx, row)
            record(tx, "batch.cancelled", query.batch_id)
            return store.batch(await settle(tx, row, self._progress))

    async def retry(self, query: RetryBatch, tenant: TenantId) -> Batch:
        """Another round for the failed images of a batch that has ended. NotBought beyond the month's."""
        async with self._database.tenant(tenant) as tx:
            row = await store.lock_batch(tx, tenant, query.batch_id)
            if row["expired_at"] is not None:
                raise NoSuchBatch
            if not BatchStatus(row["status"]).ended:
                raise BatchStillRunning
            again = await tx.fetch(sql.reset_failed, tenant, query.batch_id)
            if not again:
                raise NothingToRetry
            await tx.execute(sql.reopen_batch, tenant, query.batch_id)
            originals = sum(image["duplicate_of"] is None for image in again)
            await admit_again(tx, tenant, query.batch_id, originals, test=row["test"])
            moves = Moves(ready=originals, waiting=len(again), failed=-len(again))
            row = await store.move_counts(tx, tenant, query.batch_id, moves)
            self._progress.after(tx, row)
            record(tx, "batch.retried", query.batch_id, images=len(again))
            tx.after_commit.append(self._dispatch)
            return store.batch(row)


async def _insert(
    tx: Transaction, command: SubmitBatch | SubmitImage, kind: BatchKind, key: str, size: int
) -> bool:
    """False if the batch is there already."""
    return bool(
        await tx.execute(
            sql.insert_batch,
            _tenant(tx),
            command.batch_id,
            kind,
            BatchStatus.ACCEPTED,
            command.submitted_by,
            command.test,
            key,
            size,
            command.options.model_dump(mode="json"),
            current_traceparent(),
            command.submitted_at,
        )
    )


def _position(cursor: str | None) -> int:
    """Cursors are opaque to callers; one that we did not make starts from the beginning."""
    return int(cursor) if cursor and cursor.isascii() and cursor.isdigit() and len(cursor) < 10 else -1


def _tenant(tx: Transaction) -> TenantId:
    assert tx.tenant is not None
    return tx.tenant
