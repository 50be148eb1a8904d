"""Rows of the batch schema, and what they look like to the outside."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from typing import Any

from libs.common.contracts.batch import Batch, BatchOptions, BatchStatus, Counts, Failure, Image, Note
from libs.common.contracts.ids import BatchId, ImageId, TenantId
from libs.common.db import Queries, Row, Transaction
from services.batch.errors import NoSuchBatch, NoSuchImage
from services.batch.pairing import NoteCode
from services.batch.state import progress

sql = Queries(__package__)
routes = Queries(__package__, "routing.sql")


@dataclass(frozen=True, slots=True)
class Moves:
    """Changes of a batch's counters, in the order of `move_counts`."""

    total: int = 0
    ready: int = 0
    waiting: int = 0
    rendering: int = 0
    completed: int = 0
    failed: int = 0
    refused: int = 0
    cancelled: int = 0
    paired: int = 0
    duplicates: int = 0
    rejected: int = 0
    billable: int = 0
    sequence: int = 0
    parked: int = 0


def counts(row: Row) -> Counts:
    return Counts.model_construct(**{name: row[name] for name in Counts.model_fields})


def failure(row: Row) -> Failure | None:
    code = row["failure_code"]
    return Failure(code=code, detail=row["failure_detail"] or "") if code else None


def batch(row: Row) -> Batch:
    status = BatchStatus(row["status"])
    return Batch(
        id=row["id"],
        status=status,
        options=BatchOptions.model_validate(row["options"]),
        test=row["test"],
        counts=counts(row),
        progress=progress(status, counts(row)),
        round=row["round"],
        failure=failure(row),
        created_at=row["created_at"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
    )


_IMAGE_COLUMNS = tuple(name for name in Image.model_fields if name not in ("failure", "note"))


def image(row: Row) -> Image:
    return Image(**{name: row[name] for name in _IMAGE_COLUMNS}, failure=failure(row), note=_note(row))


def _note(row: Row) -> Note | None:
    code = row["note"]
    return Note(code=code, detail=NoteCode(code).detail) if code else None


async def lock_batch(tx: Transaction, tenant: TenantId, batch_id: BatchId) -> Row:
    """The batch's row, held until the transaction ends. NoSuchBatch."""
    row = await tx.fetchrow(sql.lock_batch, tenant, batch_id)
    if row is None:
        raise NoSuchBatch
    return row


async def get_batch(tx: Transaction, tenant: TenantId, batch_id: BatchId) -> Row:
    """The batch's row. NoSuchBatch."""
    row = await tx.fetchrow(sql.get_batch, tenant, batch_id)
    if row is None:
        raise NoSuchBatch
    return row


async def get_image(tx: Transaction, tenant: TenantId, image_id: ImageId) -> Row:
    """The image's row. NoSuchImage."""
    row = await tx.fetchrow(sql.get_image, tenant, image_id)
    if row is None:
        raise NoSuchImage
    return row


async def move_counts(tx: Transaction, tenant: TenantId, batch_id: BatchId, moves: Moves) -> Row:
    """Apply `moves` to the counters of a batch that exists; its row afterwards."""
    row = await tx.fetchrow(sql.move_counts, tenant, batch_id, *astuple(moves))
    if row is None:
        raise NoSuchBatch
    return row


async def insert_images(
    tx: Transaction, tenant: TenantId, batch_id: BatchId, images: Sequence[dict[str, Any]], *, test: bool
) -> None:
    await tx.execute(sql.insert_images, tenant, batch_id, list(images), test)


async def record_outcomes(tx: Transaction, tenant: TenantId, outcomes: Iterable[dict[str, Any]]) -> list[Row]:
    """Write how images ended; their rows, in the order of their sequence."""
    rows = await tx.fetch(sql.record_outcomes, tenant, list(outcomes))
    return sorted(rows, key=lambda row: row["sequence"])
