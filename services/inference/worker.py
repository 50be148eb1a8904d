"""Takes chunks from the queues and answers each with one event.

A chunk that comes again after its worker died is done image by image, in a child process. One delivery is one
transaction: the outcomes of a chunk leave together with the mark that it was done.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from prometheus_client import Counter

from libs.common.bus.bus import Delivery, Handler
from libs.common.contracts.envelope import Envelope
from libs.common.contracts.flow import Queue
from libs.common.contracts.ids import TenantId
from libs.common.contracts.inference import ImagesRendered, RenderImages, RenderOutcome
from libs.common.db import Database
from libs.common.errors import Permanent
from services.inference.chunks import Chunks
from services.inference.engine import Engine, Job
from services.inference.store import sql

_images = Counter("mannequin_images_rendered", "Images that ended", ["outcome"])


class Worker:
    """Handlers of the render queues, on one engine."""

    def __init__(self, name: str, database: Database, chunks: Chunks, engine: Engine) -> None:
        self._name = name
        self._database = database
        self._chunks = chunks
        self._engine = engine

    def handler(self, queue: Queue) -> Handler:
        """The bus handler of one of the render queues."""

        async def handle(delivery: Delivery) -> None:
            await self._handle(queue, delivery)

        return handle

    async def close(self) -> None:
        await self._engine.close()

    async def _handle(self, queue: Queue, delivery: Delivery) -> None:
        chunk, tenant = delivery.message, delivery.envelope.tenant_id
        assert isinstance(chunk, RenderImages)
        if tenant is None:
            raise Permanent("the chunk names no tenant")
        again = delivery.attempt > 1
        if again and await self._was_done(queue, delivery, tenant):
            return
        job = await self._engine.begin(chunk, tenant, _age_s(delivery.envelope))
        if again:
            outcomes = await self._chunks.apart(chunk, tenant, job)
        else:
            outcomes = await self._chunks.together(chunk, tenant, job)
        await self._finish(queue, delivery, tenant, job, outcomes)

    async def _was_done(self, queue: Queue, delivery: Delivery, tenant: TenantId) -> bool:
        async with self._database.tenant(tenant) as tx:
            return bool(await tx.fetchval(sql.was_taken, queue.name, delivery.envelope.id))

    async def _finish(
        self,
        queue: Queue,
        delivery: Delivery,
        tenant: TenantId,
        job: Job,
        outcomes: Sequence[RenderOutcome],
    ) -> None:
        chunk = delivery.message
        assert isinstance(chunk, RenderImages)
        async with job.reports() as reports, self._database.tenant(tenant) as tx:
            for report in reports:
                tx.publish(report)
            if not await tx.first_time(queue.name, delivery.envelope):
                return
            if delivery.attempt > 1:
                await tx.execute(sql.forget_chunk, tenant, chunk.chunk_id)
            tx.publish(
                ImagesRendered(
                    chunk_id=chunk.chunk_id,
                    batch_id=chunk.batch_id,
                    worker=self._name,
                    route=job.route,
                    outcomes=tuple(outcomes),
                ),
                subject=chunk.batch_id,
            )
        for outcome in outcomes:
            _images.labels(outcome.status).inc()


def _age_s(envelope: Envelope) -> float:
    return (datetime.now(UTC) - envelope.time).total_seconds()
