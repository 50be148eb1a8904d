"""What is past its time goes: batches that ended longer ago than the plan keeps them, and uploads of nobody.

Objects go before the rows that name them. Whoever is killed between leaves rows whose objects are gone, and
the next sweep goes on there; removing twice is fine. Charges stay: they hold no names. An expired batch is
answered like one that never was.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from libs.common.contracts.ids import BatchId, TenantId
from libs.common.db import Database
from libs.common.errors import MannequinError
from libs.common.objects import Objects, tenant_key
from libs.common.telemetry import logger
from services.batch.quotas.store import sql as quotas
from services.batch.store import sql
from services.batch.strays import Strays

EVERY_S = 3600.0
_SLICE = 100
_log = logger("batch.retention")


class Retention:
    """The sweeper. `stray_after`: how old an upload is that nobody will ask for any more."""

    def __init__(self, database: Database, objects: Objects, *, stray_after: timedelta) -> None:
        self._database = database
        self._objects = objects
        self._strays = Strays(database, objects)
        self._stray_after = stray_after

    async def run(self) -> None:
        """Sweep every hour until cancelled; a server that is away is waited for."""
        while True:
            try:
                await self.sweep()
            except MannequinError as error:
                _log.warning("retention_waits", reason=error.detail)
            await asyncio.sleep(EVERY_S)

    async def sweep(self) -> None:
        """Remove all that is past its time now."""
        expired = await self.expire()
        strays = await self.remove_strays(datetime.now(UTC) - self._stray_after)
        async with self._database.platform("forget what was kept for uploads") as tx:
            await tx.execute(quotas.sweep_reservations)
        if expired or strays:
            _log.info("retention_swept", batches=expired, strays=strays)

    async def expire(self) -> int:
        """Remove batches that their tenants' plans keep no longer, slice by slice; how many."""
        removed = 0
        while marked := await self._mark():
            for tenant, batch_id in marked:
                await self._objects.delete_prefix(tenant_key(tenant, "batches", batch_id, ""))
                async with self._database.tenant(tenant) as tx:
                    removed += await tx.execute(sql.delete_expired, tenant, batch_id)
        return removed

    async def _mark(self) -> list[tuple[TenantId, BatchId]]:
        """The next ones, marked so that nobody has them rendered again meanwhile."""
        async with self._database.platform("batches past their time") as tx:
            rows = await tx.fetch(sql.mark_expired, _SLICE)
        return [(TenantId(row["tenant_id"]), BatchId(row["id"])) for row in rows]

    async def remove_strays(self, before: datetime) -> int:
        """Remove uploads from before a moment that became nothing; how many."""
        return await self._strays.remove(before)
