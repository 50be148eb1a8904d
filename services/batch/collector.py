"""The group: takes the outcomes of chunks in, charges each image once, and ends a batch exactly once.

Whoever changes images of a batch holds the batch's row first, so that two replicas take turns and only one of
them sees the last image end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from libs.common.contracts.batch import (
    BatchCancelled,
    BatchCompleted,
    BatchFailed,
    BatchStatus,
    ImagesCompleted,
)
from libs.common.contracts.ids import BatchId, ImageId, TenantId
from libs.common.contracts.inference import RenderedImage, UnroutedImage, Verdict, WorkerRole
from libs.common.db import Row, Transaction
from services.batch import charges, faults, store
from services.batch.accounts import Ledger
from services.batch.charges import Arrival, Charge, billable
from services.batch.pages import parts
from services.batch.progress import Progress
from services.batch.state import Ending, ending
from services.batch.store import Moves, sql

_ENDED = {
    BatchStatus.COMPLETED: BatchCompleted,
    BatchStatus.FAILED: BatchFailed,
    BatchStatus.CANCELLED: BatchCancelled,
}


class Collector:
    """Effects of `ImagesRendered`. `released`: called after the commit that made room for more images.

    `took`: told how many seconds an image took, and who computed it.
    """

    def __init__(
        self,
        progress: Progress,
        released: Callable[[], None],
        took: Callable[[float, WorkerRole], None],
    ) -> None:
        self._progress = progress
        self._released = released
        self._took = took

    async def collect(self, tx: Transaction, batch_id: BatchId, arrivals: Sequence[Arrival]) -> None:
        """Take outcomes of one batch's images in, all of them or none."""
        tenant = _tenant(tx)
        row = await store.lock_batch(tx, tenant, batch_id)
        arrivals = _once(list(map(faults.judged, arrivals)))
        ended = [one for one in arrivals if not isinstance(one.outcome, UnroutedImage)]
        unrouted = [one for one in arrivals if isinstance(one.outcome, UnroutedImage)]
        images = await open_images(tx, tenant, batch_id, [one.outcome.image_id for one in arrivals])
        ledger = Ledger()
        row = await take_in(tx, row, [one for one in ended if one.outcome.image_id in images], images, ledger)
        row = await _put_back(
            tx, row, [one for one in unrouted if one.outcome.image_id in images], images, ledger
        )
        await settle(tx, row, self._progress)
        await ledger.write(tx)
        await faults.rest_keys(tx, tenant, arrivals)
        tx.after_commit.append(lambda: self._after(ended))

    def _after(self, ended: Sequence[Arrival]) -> None:
        for one in ended:
            role = WorkerRole.REMOTE if one.route else WorkerRole.LOCAL
            self._took(one.outcome.render_ms / 1000, role)
        self._released()


def _once(arrivals: Sequence[Arrival]) -> list[Arrival]:
    """One arrival of each image: that it ended rather than that a route failed it."""
    ordered = sorted(arrivals, key=lambda one: not isinstance(one.outcome, UnroutedImage))
    return list({one.outcome.image_id: one for one in ordered}.values())


async def open_images(
    tx: Transaction, tenant: TenantId, batch_id: BatchId, images: Sequence[str]
) -> dict[ImageId, Row]:
    """Those that have not ended: a late or repeated outcome of one that has changes nothing."""
    found = await tx.fetch(sql.lock_open_images, tenant, batch_id, images)
    return {ImageId(image["id"]): image for image in found}


async def take_in(
    tx: Transaction, row: Row, ended: Sequence[Arrival], images: Mapping[ImageId, Row], ledger: Ledger
) -> Row:
    """Write how open images of a batch ended, and charge them; the batch's row afterwards."""
    if not ended:
        return row
    tenant, batch_id = TenantId(row["tenant_id"]), BatchId(row["id"])
    charged = [charges.charge(one, images[one.outcome.image_id], test=row["test"]) for one in ended]
    copies = await _copies(tx, tenant, row, charged)
    ends = await _record(tx, tenant, row, [*charged, *copies])
    own = {one.outcome.image_id: images[one.outcome.image_id] for one in ended}
    await charges.write(tx, tenant, batch_id, charged, own, ledger)
    row = await store.move_counts(tx, tenant, batch_id, _moves(images, charged, copies))
    _announce(tx, tenant, batch_id, ends)
    return row


async def _put_back(
    tx: Transaction, row: Row, unrouted: Sequence[Arrival], images: Mapping[ImageId, Row], ledger: Ledger
) -> Row:
    """Images that need another route are in line again, or out of it where their batch is being cancelled."""
    tenant, batch_id = TenantId(row["tenant_id"]), BatchId(row["id"])
    back = await faults.put_back(tx, tenant, unrouted, images, ledger)
    if not back:
        return row
    moves = Moves(ready=back, waiting=back, rendering=-back)
    row = await store.move_counts(tx, tenant, batch_id, moves)
    return await cancel_waiting(tx, row) if row["cancelling"] else row


async def cancel_waiting(tx: Transaction, row: Row) -> Row:
    """End the images of a batch that wait; its row afterwards."""
    tenant, batch_id = TenantId(row["tenant_id"]), BatchId(row["id"])
    ended = await tx.fetch(sql.cancel_waiting, tenant, batch_id, row["sequence"])
    parked = sum(image["parked"] for image in ended)
    originals = sum(image["duplicate_of"] is None for image in ended)
    moves = Moves(
        ready=parked - originals,
        waiting=-len(ended),
        cancelled=len(ended),
        sequence=len(ended),
        parked=-parked,
    )
    return await store.move_counts(tx, tenant, batch_id, moves)


async def _copies(tx: Transaction, tenant: TenantId, row: Row, ended: Sequence[Charge]) -> list[Charge]:
    """The same outcome, for nothing, for every image that repeats one of these."""
    if not row["duplicates"]:
        return []
    by_id = {one.outcome.image_id: one for one in ended}
    found = await tx.fetch(sql.open_duplicates, tenant, list(by_id))
    return [_copy(by_id[ImageId(copy["duplicate_of"])], ImageId(copy["id"])) for copy in found]


def _copy(original: Charge, image_id: ImageId) -> Charge:
    outcome = original.outcome.model_copy(update={"image_id": image_id})
    return replace(original, outcome=outcome, cost=Decimal(0), billed=False)


async def settle(tx: Transaction, row: Row, progress: Progress) -> Row:
    """End the batch if nothing of it is left, and tell the world; its row afterwards."""
    end = ending(BatchStatus(row["status"]), store.counts(row), cancelling=row["cancelling"])
    if end is not None:
        row = await close(tx, row, end)
    progress.after(tx, row)
    return row


async def copy_ended(tx: Transaction, row: Row) -> Row:
    """Settle repeated photos whose original ended before they were found; the batch's row afterwards."""
    tenant, batch_id = TenantId(row["tenant_id"]), BatchId(row["id"])
    copies = await tx.fetch(sql.copy_ended, tenant, batch_id, row["sequence"])
    if not copies:
        return row
    _announce(tx, tenant, batch_id, copies)
    completed = sum(copy["status"] == "completed" for copy in copies)
    rejected = sum(copy["verdict"] == Verdict.REJECTED for copy in copies)
    count = len(copies)
    moves = Moves(
        waiting=-count, completed=completed, failed=count - completed, rejected=rejected, sequence=count
    )
    return await store.move_counts(tx, tenant, batch_id, moves)


async def close(tx: Transaction, row: Row, end: Ending) -> Row:
    """Write the end of a batch and publish it."""
    failure = end.failure
    ended = await tx.fetchrow(
        sql.end_batch,
        row["tenant_id"],
        row["id"],
        end.status,
        failure and failure.code,
        failure and failure.detail,
    )
    assert ended is not None
    event = _ENDED[end.status](batch=store.batch(ended))
    tx.publish(event, tenant=TenantId(row["tenant_id"]), subject=row["id"])
    return ended


def _announce(tx: Transaction, tenant: TenantId, batch_id: BatchId, ends: Sequence[Row]) -> None:
    """In as many messages as it takes: a broker does not carry any size."""
    for images in parts([store.image(end) for end in ends]):
        tx.publish(ImagesCompleted(batch_id=batch_id, images=images), tenant=tenant)


async def _record(tx: Transaction, tenant: TenantId, row: Row, ends: Sequence[Charge]) -> list[Row]:
    first = row["sequence"] + 1
    columns = [_columns(end, first + place) for place, end in enumerate(ends)]
    return await store.record_outcomes(tx, tenant, columns)


def _columns(end: Charge, sequence: int) -> dict[str, Any]:
    outcome, route = end.outcome, end.taken and end.taken.model_dump(mode="json")
    if isinstance(outcome, RenderedImage):
        fields = outcome.model_dump(mode="json", exclude={"image_id", "status", "compute_ms"})
        named = {"id": outcome.image_id, "status": "completed", "sequence": sequence, "billable": end.billed}
        return {**named, **fields, "route": route}
    assert not isinstance(outcome, UnroutedImage)
    return {
        "id": outcome.image_id,
        "status": "failed",
        "sequence": sequence,
        "failure_code": outcome.code,
        "failure_detail": outcome.detail,
        "render_ms": outcome.render_ms,
        "route": route,
    }


def _moves(images: Mapping[ImageId, Row], ended: Sequence[Charge], copies: Sequence[Charge]) -> Moves:
    """An image that was put back in line as overdue may still get its outcome: it leaves the line then."""
    waiting = [image for one in ended if (image := images[one.outcome.image_id])["status"] == "waiting"]
    parked = sum(image["parked"] for image in waiting)
    every = [*ended, *copies]
    completed = sum(isinstance(one.outcome, RenderedImage) for one in every)
    rejected = sum(isinstance(one.outcome, RenderedImage) and not billable(one.outcome) for one in every)
    return Moves(
        ready=parked - len(waiting),
        waiting=-len(waiting) - len(copies),
        rendering=len(waiting) - len(ended),
        completed=completed,
        failed=len(every) - completed,
        rejected=rejected,
        billable=sum(one.billed for one in ended),
        sequence=len(every),
        parked=-parked,
    )


def _tenant(tx: Transaction) -> TenantId:
    assert tx.tenant is not None
    return tx.tenant
