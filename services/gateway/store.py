"""Rows of the gateway schema."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from libs.common.contracts.batch import (
    Batch,
    BatchOptions,
    BatchStatus,
    Counts,
    Image,
    ImageStatus,
    SubmitBatch,
    SubmitImage,
)
from libs.common.contracts.ids import BatchId, ImageId, TenantId
from libs.common.db import Database, Queries, Row, Transaction
from libs.common.errors import MannequinError

SUBMISSIONS_DAYS = 1
"""No longer than the shortest time that results are kept: what is gone is not to come back as accepted."""
sql = Queries(__package__)


async def submit(tx: Transaction, command: SubmitBatch | SubmitImage) -> None:
    """Accept: remember it here, and announce it with the same commit."""
    single = command if isinstance(command, SubmitImage) else None
    await tx.execute(
        sql.insert_submission,
        tx.tenant,
        command.batch_id,
        single.image_id if single else None,
        single.name if single else None,
        command.options.model_dump(mode="json"),
        command.submitted_at,
        command.test,
    )
    tx.publish(command, subject=command.batch_id)


async def submitted_batch(database: Database, tenant: TenantId, batch_id: BatchId) -> Batch | None:
    """The batch as it was accepted here, or None."""
    async with database.tenant(tenant) as tx:
        row = await tx.fetchrow(sql.get_submission, tenant, batch_id, SUBMISSIONS_DAYS)
    return _batch(row) if row else None


async def submitted_image(database: Database, tenant: TenantId, image_id: ImageId) -> Image | None:
    """The single image as it was accepted here, or None."""
    async with database.tenant(tenant) as tx:
        row = await tx.fetchrow(sql.get_image_submission, tenant, image_id, SUBMISSIONS_DAYS)
    if row is None:
        return None
    return Image(
        id=image_id,
        batch_id=row["batch_id"],
        position=0,
        name=row["name"],
        status=ImageStatus.WAITING,
        test=row["test"],
    )


def _batch(row: Row) -> Batch:
    return Batch(
        id=row["batch_id"],
        status=BatchStatus.ACCEPTED,
        options=BatchOptions.model_validate(row["options"]),
        test=row["test"],
        counts=Counts(),
        progress=0,
        created_at=row["submitted_at"],
    )


async def sweep_submissions(database: Database) -> None:
    """Forget what the batch service has known for long; runs until cancelled."""
    while True:
        with suppress(MannequinError):
            async with database.platform("submissions sweep") as tx:
                await tx.execute(sql.sweep_submissions, SUBMISSIONS_DAYS)
        await asyncio.sleep(3600)
