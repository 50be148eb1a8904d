"""Splits uploaded ZIPs into images, slice by slice; killed anywhere, it goes on where it was.

Each slice is one transaction that also moves the mark `split_next`, so that no entry is taken twice. Photos
are not copied: an image keeps where its bytes lie in the archive.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from opentelemetry import trace
from structlog.contextvars import bound_contextvars

from libs.common.contracts.batch import BatchOptions, BatchStatus, Failure
from libs.common.contracts.ids import BatchId, ImageId, TenantId
from libs.common.db import Database, Row, Transaction
from libs.common.errors import MannequinError, NotBought, NotFound
from libs.common.objects import Objects
from libs.common.quotas import exceeded
from libs.common.telemetry import logger, remote_context
from services.batch import accounts, store
from services.batch.archive import ArchiveRefused, Entry, Range, RefusedEntry, open_archive
from services.batch.collector import close, copy_ended, settle
from services.batch.duplicates import Originals
from services.batch.plan import Plan, make_plan
from services.batch.progress import Progress
from services.batch.quotas import rules
from services.batch.quotas.store import bought
from services.batch.quotas.store import sql as quotas
from services.batch.state import Ending
from services.batch.store import Moves, sql

_log = logger("batch.splitter")
_tracer = trace.get_tracer("mannequin.batch")
_CLAIM_S = 60.0


class StoredArchive:
    """An uploaded archive, read by ranges."""

    def __init__(self, objects: Objects, key: str, size: int) -> None:
        self._objects = objects
        self._key = key
        self.size = size

    async def read(self, start: int, length: int) -> bytes:
        return await self._objects.read_range(self._key, start, length)

    async def read_many(self, ranges: Sequence[Range]) -> list[bytes]:
        return await self._objects.read_ranges(self._key, ranges)


class Splitter:
    """`workers` batches are split at a time; `wake` it when one was accepted."""

    def __init__(
        self,
        database: Database,
        objects: Objects,
        progress: Progress,
        dispatch: Callable[[], None],
        *,
        workers: int,
    ) -> None:
        self._database = database
        self._objects = objects
        self._progress = progress
        self._dispatch = dispatch
        self._workers = workers
        self._wake = asyncio.Event()

    def wake(self) -> None:
        self._wake.set()

    async def run(self) -> None:
        """Split what was accepted until cancelled."""
        running: set[asyncio.Task[None]] = set()
        try:
            while True:
                while len(running) < self._workers and (batch := await self._claim()):
                    running.add(asyncio.create_task(self._split(batch)))
                waiter = asyncio.create_task(self._wake.wait())
                done, _ = await asyncio.wait(
                    {*running, waiter}, timeout=1.0, return_when=asyncio.FIRST_COMPLETED
                )
                waiter.cancel()
                self._wake.clear()
                running -= done
        finally:
            for task in running:
                task.cancel()

    async def _claim(self) -> Row | None:
        with suppress(MannequinError):
            async with self._database.platform("claim a batch to split") as tx:
                return await tx.fetchrow(sql.claim_split, _CLAIM_S)
        return None

    async def _split(self, batch: Row) -> None:
        names = {"tenant": batch["tenant_id"], "batch": batch["id"]}
        context = remote_context(batch["traceparent"])
        with _tracer.start_as_current_span("split", context=context), bound_contextvars(**names):
            try:
                split = Split(self._database, self._objects, self._progress, batch, self._dispatch)
                await split.run()
            except ArchiveRefused as refused:
                await self._refuse(batch, Failure(code=refused.code.value, detail=refused.detail))
            except NotBought as beyond:
                await self._refuse(batch, Failure(code=beyond.code, detail=beyond.detail))
            except NotFound:
                detail = "The uploaded archive is no longer in the object storage; send it again."
                await self._refuse(batch, Failure(code="archive_lost", detail=detail))
            except MannequinError as error:
                # The claim runs out and somebody tries again.
                _log.warning("split_interrupted", batch=batch["id"], reason=error.detail)
            except Exception:  # noqa: BLE001  # whatever it is
                # A mistake of ours, which nobody else would hear of; it is tried again in the same way.
                _log.exception("split_failed", batch=batch["id"])

    async def _refuse(self, batch: Row, failure: Failure) -> None:
        tenant = TenantId(batch["tenant_id"])
        async with self._database.tenant(tenant) as tx:
            row = await store.lock_batch(tx, tenant, BatchId(batch["id"]))
            if not BatchStatus(row["status"]).ended:
                self._progress.after(tx, await close(tx, row, Ending(BatchStatus.FAILED, failure)))


class Split:
    """The splitting of one batch, from where its mark stands."""

    def __init__(
        self,
        database: Database,
        objects: Objects,
        progress: Progress,
        batch: Row,
        dispatch: Callable[[], None],
    ) -> None:
        self._database = database
        self._dispatch = dispatch
        self._progress = progress
        self._batch = batch
        self._tenant, self._id = TenantId(batch["tenant_id"]), BatchId(batch["id"])
        self._archive = StoredArchive(objects, batch["archive_key"], batch["archive_size"])
        self._plan = Plan()
        self._originals = Originals(self._archive)

    async def run(self) -> None:
        """Slice by slice to the end of the directory. ArchiveRefused, NotBought or MannequinError."""
        archive = await open_archive(self._archive)
        options = BatchOptions.model_validate(self._batch["options"])
        self._plan = await make_plan(archive, self._archive, options)
        start = self._batch["split_next"]
        if start:
            await self._remember_known()
        slices = archive.entries(start)
        current = await anext(slices, None)
        while True:
            following = await anext(slices, None)
            entries = current or []
            end = entries[-1].index + 1 if entries else archive.entry_count
            if not await self._store_slice(start, end, entries, last=following is None) or following is None:
                return
            start, current = end, following

    async def _store_slice(
        self, start: int, end: int, entries: Sequence[Entry | RefusedEntry], *, last: bool
    ) -> bool:
        """One transaction. False if somebody else has split on, or the batch was cancelled."""
        images = [image for entry in entries if (image := await self._image(entry))]
        async with self._database.tenant(self._tenant) as tx:
            row = await store.lock_batch(tx, self._tenant, self._id)
            if BatchStatus(row["status"]).ended or row["split_next"] != start:
                return False
            if not start:
                await self._check_plan(tx)
            if row["cancelling"]:
                images = [
                    image | {"status": "cancelled"} if _is_waiting(image) else image for image in images
                ]
            _number(images, row["sequence"])
            await store.insert_images(tx, self._tenant, self._id, images, test=row["test"])
            if last:
                await tx.execute(sql.advance_split, self._tenant, self._id, end, BatchStatus.PROCESSING)
                await tx.execute(quotas.end_reservation, self._tenant, self._id)
            else:
                await tx.execute(sql.keep_splitting, self._tenant, self._id, end, _CLAIM_S)
            row = await store.move_counts(tx, self._tenant, self._id, _moves(images))
            if any(image.get("duplicate_of") for image in images):
                row = await copy_ended(tx, row)
            await settle(tx, row, self._progress)
            tx.after_commit.append(self._dispatch)
        return True

    async def _image(self, entry: Entry | RefusedEntry) -> dict[str, Any] | None:
        """The row of an entry; None for the manifest, unless there is something wrong with it."""
        image: dict[str, Any] = {"id": ImageId.new(), "position": entry.index, "name": entry.name}
        if entry.index == self._plan.manifest:
            fault = self._plan.fault
            return image | _refused(fault.code, fault.detail) if fault else None
        if isinstance(entry, RefusedEntry):
            return image | _refused(entry.code.value, entry.detail)
        image |= self._plan.described(entry.index)
        if self._plan.is_inside(entry.index):
            return image | {"status": "paired"}
        photo, inside = photo_of(entry), self._plan.inside(entry.index)
        image |= {"status": "waiting", "photo": photo}
        if inside is not None:
            return image | {"inside": photo_of(inside)}
        # One that has an inside shot is like no other.
        return image | {"duplicate_of": await self._originals.original(image)}

    async def _check_plan(self, tx: Transaction) -> None:
        """NotBought where the archive is larger than the plan takes, and nobody asked before it was sent."""
        limits = (await bought(tx, self._tenant)).quotas
        hit = rules.archive_hit(limits, size=self._archive.size, photos=self._plan.photos)
        if hit:
            raise exceeded(hit, accounts.now())

    async def _remember_known(self) -> None:
        async with self._database.tenant(self._tenant) as tx:
            for row in await tx.fetch(sql.known_photos, self._tenant, self._id):
                self._originals.remember(row)


def photo_of(entry: Entry) -> dict[str, Any]:
    """Where the photo's bytes lie; the archive's key is the batch's."""
    return {
        "kind": "archived",
        "offset": entry.data_offset,
        "length": entry.compressed_size,
        "size": entry.size,
        "method": entry.method,
        "crc32": entry.crc32,
    }


def _refused(code: str, detail: str) -> dict[str, Any]:
    return {"status": "refused", "failure_code": code, "failure_detail": detail}


def _is_waiting(image: dict[str, Any]) -> bool:
    return bool(image["status"] == "waiting")


def _number(images: Sequence[dict[str, Any]], sequence: int) -> None:
    """Images that have ended already get their place among the batch's ends."""
    for image in images:
        if not _is_waiting(image):
            sequence += 1
            image["sequence"] = sequence


def _moves(images: Sequence[dict[str, Any]]) -> Moves:
    waiting = sum(map(_is_waiting, images))
    copies = sum(image.get("duplicate_of") is not None for image in images if _is_waiting(image))
    refused = sum(image["status"] == "refused" for image in images)
    paired = sum(image["status"] == "paired" for image in images)
    return Moves(
        total=len(images),
        ready=waiting - copies,
        waiting=waiting,
        refused=refused,
        cancelled=len(images) - waiting - refused - paired,
        paired=paired,
        duplicates=sum(image.get("duplicate_of") is not None for image in images),
        sequence=len(images) - waiting,
    )
