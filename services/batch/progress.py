"""Tells whoever watches that a batch moved: signals, best effort, never in the way of the work."""

from __future__ import annotations

import asyncio

from libs.common.bus.bus import Bus
from libs.common.contracts.batch import BatchProgressed, BatchStatus
from libs.common.contracts.ids import BatchId, TenantId
from libs.common.db import Row, Transaction
from libs.common.errors import MannequinError
from libs.common.telemetry import logger

_log = logger("batch.progress")


class Progress:
    """Collects what changed and signals the newest state of each batch, so that a burst is one signal."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._changed = asyncio.Event()
        self._pending: dict[BatchId, tuple[TenantId, BatchProgressed]] = {}

    def after(self, tx: Transaction, row: Row) -> None:
        """Tell of the batch's row once `tx` is committed."""
        signal = BatchProgressed(
            batch_id=row["id"], sequence=row["sequence"], status=BatchStatus(row["status"])
        )
        tenant = TenantId(row["tenant_id"])
        tx.after_commit.append(lambda: self._add(tenant, signal))

    async def run(self) -> None:
        """Send signals until cancelled."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            pending, self._pending = self._pending, {}
            for tenant, signal in pending.values():
                try:
                    await self._bus.signal(signal, tenant=tenant)
                except MannequinError as error:
                    _log.warning("signal_lost", batch=signal.batch_id, reason=error.detail)

    def _add(self, tenant: TenantId, signal: BatchProgressed) -> None:
        self._pending[signal.batch_id] = (tenant, signal)
        self._changed.set()
