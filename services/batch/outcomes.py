"""The bus edge of the collector: chunks that wait for the same batch are taken in together.

Outcomes of one batch take turns on its row, and a turn ends with a commit that waits for the disk. So what
comes in during one turn is the next turn: one transaction, one commit, however many chunks.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field

from libs.common.bus.bus import Delivery
from libs.common.contracts.flow import Queue
from libs.common.contracts.ids import BatchId, TenantId
from libs.common.contracts.inference import ImagesRendered
from libs.common.db import Database
from libs.common.errors import Permanent
from services.batch.charges import Arrival
from services.batch.collector import Collector


@dataclass(eq=False)
class _Chunk:
    """A chunk in hand: whether its turn has been, and how it ended."""

    delivery: Delivery
    over: bool = False
    error: Exception | None = None


@dataclass
class _Turns:
    """The chunks of one batch that wait for the next turn."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: list[_Chunk] = field(default_factory=list)
    guests: int = 0


class Outcomes:
    """Handler of `ImagesRendered`."""

    def __init__(self, database: Database, queue: Queue, collector: Collector) -> None:
        self._database = database
        self._queue = queue
        self._collector = collector
        self._turns: defaultdict[BatchId, _Turns] = defaultdict(_Turns)

    async def handle(self, delivery: Delivery) -> None:
        """Return once the chunk's outcomes are committed."""
        message = delivery.message
        assert isinstance(message, ImagesRendered)
        turns, chunk = self._turns[message.batch_id], _Chunk(delivery)
        turns.waiting.append(chunk)
        turns.guests += 1
        try:
            async with turns.lock:
                if not chunk.over:
                    await self._take_turn(message.batch_id, turns)
        finally:
            turns.guests -= 1
            if not turns.guests:
                self._turns.pop(message.batch_id, None)
        if chunk.error is not None:
            raise chunk.error

    async def _take_turn(self, batch_id: BatchId, turns: _Turns) -> None:
        """Collect all that waits; whoever is cancelled meanwhile leaves it to the next one."""
        chunks = list(turns.waiting)
        error: Exception | None = None
        try:
            await self._collect(batch_id, chunks)
        except Exception as failed:  # noqa: BLE001  # each chunk's handler raises it for its own delivery
            error = failed
        turns.waiting = turns.waiting[len(chunks) :]
        for chunk in chunks:
            chunk.over, chunk.error = True, error

    async def _collect(self, batch_id: BatchId, chunks: list[_Chunk]) -> None:
        envelopes = [chunk.delivery.envelope for chunk in chunks]
        async with self._database.tenant(_tenant(chunks)) as tx:
            fresh = await tx.first_times(self._queue.name, envelopes)
            arrivals = [
                Arrival(outcome, message.route)
                for chunk in chunks
                if chunk.delivery.envelope.id in fresh
                and isinstance(message := chunk.delivery.message, ImagesRendered)
                for outcome in message.outcomes
            ]
            if arrivals:
                await self._collector.collect(tx, batch_id, arrivals)


def _tenant(chunks: list[_Chunk]) -> TenantId:
    """A batch has one tenant; a message that names none, or another, is nothing that we sent."""
    tenants = {chunk.delivery.envelope.tenant_id for chunk in chunks}
    tenant = tenants.pop()
    if tenant is None or tenants:
        raise Permanent("the chunks of a batch must name its tenant")
    return tenant
