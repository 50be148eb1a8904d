"""The group: takes the outcomes of chunks in, charges each image once, and ends a batch exactly once.

Whoever changes images of a batch holds the batch's row first, so that two replicas take turns and only one of
them sees the last image end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from libs.common.contracts.batch import (
    BatchCancelled,
    BatchCompleted,
    BatchFailed,
    BatchStatus,
    ImagesCompleted,
)
from libs.common.contracts.ids import BatchId, ImageId, TenantId
from libs.common.contracts.inference import RenderedImage, RenderOutcome, Verdict
from libs.common.db import Row, Transaction
from services.batch import store
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
    """Effects of `ImagesRendered`. `released`: called after the commit that made room for more images."""

    def __init__(
        self, progress: Progress, released: Callable[[], None], took: Callable[[float], None]
    ) -> None:
        self._progress = progress
        self._released = released
        self._took = took

    async def collect(self, tx: Transaction, batch_id: BatchId, rendered: Sequence[RenderOutcome]) -> None:
        """Take outcomes of one batch's images in, all of them or none."""
        tenant = _tenant(tx)
        row = await store.lock_batch(tx, tenant, batch_id)
        by_image = {outcome.image_id: outcome for outcome in rendered}
        found = await tx.fetch(sql.lock_open_images, tenant, list(by_image))
        open_images = {image["id"]: image["status"] for image in found}
        # A late or repeated outcome of an image that has ended changes nothing.
        outcomes = [outcome for image_id, outcome in by_image.items() if image_id in open_images]
        copies = await self._copies(tx, tenant, row, outcomes)
        ends = await _record(tx, tenant, row, outcomes, copies)
        await _charge(tx, tenant, batch_id, outcomes)
        row = await store.move_counts(tx, tenant, batch_id, _moves(open_images, outcomes, copies))
        _announce(tx, batch_id, ends)
        await settle(tx, row, self._progress)
        tx.after_commit.append(lambda: self._after(outcomes))

    async def _copies(
        self, tx: Transaction, tenant: TenantId, row: Row, outcomes: Sequence[RenderOutcome]
    ) -> list[RenderOutcome]:
        """The same outcome for every image that repeats one of these."""
        if not row["duplicates"]:
            return []
        by_id = {outcome.image_id: outcome for outcome in outcomes}
        found = await tx.fetch(sql.open_duplicates, tenant, list(by_id))
        return [
            by_id[ImageId(copy["duplicate_of"])].model_copy(update={"image_id": ImageId(copy["id"])})
            for copy in found
        ]

    def _after(self, outcomes: Sequence[RenderOutcome]) -> None:
        for outcome in outcomes:
            self._took(outcome.render_ms / 1000)
        self._released()


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
    _announce(tx, batch_id, copies)
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


def _announce(tx: Transaction, batch_id: BatchId, ends: Sequence[Row]) -> None:
    """In as many messages as it takes: a broker does not carry any size."""
    for images in parts([store.image(end) for end in ends]):
        tx.publish(ImagesCompleted(batch_id=batch_id, images=images))


async def _record(
    tx: Transaction,
    tenant: TenantId,
    row: Row,
    outcomes: Sequence[RenderOutcome],
    copies: Sequence[RenderOutcome],
) -> list[Row]:
    first = row["sequence"] + 1
    ends = [*((outcome, billable(outcome)) for outcome in outcomes), *((copy, False) for copy in copies)]
    return await store.record_outcomes(
        tx, tenant, [_columns(end, first + place, counts) for place, (end, counts) in enumerate(ends)]
    )


def billable(outcome: RenderOutcome) -> bool:
    """Whether a render is on the bill: it worked, and what came out is of use."""
    return isinstance(outcome, RenderedImage) and outcome.verdict is not Verdict.REJECTED


def _columns(outcome: RenderOutcome, sequence: int, counts: bool) -> dict[str, Any]:
    if isinstance(outcome, RenderedImage):
        fields = outcome.model_dump(mode="json", exclude={"image_id", "status"})
        named = {"id": outcome.image_id, "status": "completed", "sequence": sequence, "billable": counts}
        return {**named, **fields}
    return {
        "id": outcome.image_id,
        "status": "failed",
        "sequence": sequence,
        "failure_code": outcome.code,
        "failure_detail": outcome.detail,
        "render_ms": outcome.render_ms,
    }


async def _charge(
    tx: Transaction, tenant: TenantId, batch_id: BatchId, outcomes: Sequence[RenderOutcome]
) -> None:
    """Repeated photos are rendered once and charged once; failed and rejected ones are not charged."""
    rendered = [
        {"image_id": outcome.image_id, "model": outcome.model, "render_ms": outcome.render_ms}
        for outcome in outcomes
        if isinstance(outcome, RenderedImage) and billable(outcome)
    ]
    if rendered:
        await tx.execute(sql.insert_charges, tenant, batch_id, rendered)


def _moves(
    open_images: dict[str, str], outcomes: Sequence[RenderOutcome], copies: Sequence[RenderOutcome]
) -> Moves:
    """An image that was put back in line as overdue may still get its outcome: it leaves the line then."""
    back_in_line = sum(open_images[outcome.image_id] == "waiting" for outcome in outcomes)
    ended = [*outcomes, *copies]
    completed = sum(isinstance(outcome, RenderedImage) for outcome in ended)
    return Moves(
        ready=-back_in_line,
        waiting=-back_in_line - len(copies),
        rendering=back_in_line - len(outcomes),
        completed=completed,
        failed=len(ended) - completed,
        rejected=completed - sum(map(billable, ended)),
        billable=sum(map(billable, outcomes)),
        sequence=len(ended),
    )


def _tenant(tx: Transaction) -> TenantId:
    assert tx.tenant is not None
    return tx.tenant
