"""The bus edge of the batch service: messages to use cases."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from libs.common.bus.bus import Bus
from libs.common.bus.responders import UseCase, for_tenant
from libs.common.contracts import flow
from libs.common.contracts.batch import (
    CancelBatch,
    GetBatch,
    GetImage,
    ListBatches,
    ListBatchEvents,
    ListImages,
    RetryBatch,
    SubmitBatch,
    SubmitImage,
)
from libs.common.contracts.inference import WorkerSeen
from libs.common.contracts.message import Message, Query
from libs.common.db import Database, Transaction
from libs.common.outbox import once
from services.batch.collector import Collector
from services.batch.dispatcher import Dispatcher
from services.batch.outcomes import Outcomes
from services.batch.service import BatchService


async def attach(
    bus: Bus, database: Database, service: BatchService, collector: Collector, dispatcher: Dispatcher
) -> None:
    """Subscribe to, respond to and listen for what `flow.py` gives this service of batches."""
    for query, use_case in _use_cases(service).items():
        await bus.respond(query, for_tenant(use_case))
    await bus.listen(WorkerSeen, dispatcher.worker_seen)
    await bus.subscribe(flow.OUTCOMES, Outcomes(database, flow.OUTCOMES, collector).handle)
    await bus.subscribe(flow.SUBMISSIONS, once(database, flow.SUBMISSIONS, _submit(service)))


def _use_cases(
    service: BatchService,
) -> dict[type[Query[Any]], UseCase]:
    return {
        GetBatch: service.get_batch,
        ListBatches: service.list_batches,
        ListImages: service.list_images,
        GetImage: service.get_image,
        ListBatchEvents: service.list_events,
        CancelBatch: service.cancel,
        RetryBatch: service.retry,
    }


def _submit(service: BatchService) -> Callable[[Message, Transaction], Awaitable[None]]:
    async def submit(message: Message, tx: Transaction) -> None:
        if isinstance(message, SubmitBatch):
            await service.submit_batch(message, tx)
        elif isinstance(message, SubmitImage):
            await service.submit_image(message, tx)

    return submit
