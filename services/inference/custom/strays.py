"""Files of models of which nobody was told: the gateway was killed in the middle of an upload.

Each worker sweeps from a moment of its own, and rarely: removing twice is fine, but asks the storage twice.
"""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta

from libs.common.contracts.ids import TenantId
from libs.common.db import Database
from libs.common.errors import MannequinError
from libs.common.objects import Objects, tenant_key
from libs.common.objects.strays import begun_before, tenants_in
from libs.common.telemetry import logger
from services.inference.custom.store import sql

EVERY_S = 6 * 3600.0
STRAY_AFTER = timedelta(hours=24)
"""Far longer than the request lasts that names an upload."""
_log = logger("inference.custom")


class ModelStrays:
    """The sweeper of `custom-models/`, where each file lies in a folder that is named by its moment."""

    def __init__(self, database: Database, objects: Objects) -> None:
        self._database = database
        self._objects = objects

    async def run(self) -> None:
        """Sweep until cancelled; a server that is away is waited for."""
        await asyncio.sleep(random.uniform(0, EVERY_S))  # noqa: S311  # to spread workers, no secret
        while True:
            try:
                if removed := await self.remove(datetime.now(UTC) - STRAY_AFTER):
                    _log.info("custom_model_strays_removed", files=removed)
            except MannequinError as error:
                _log.warning("custom_model_strays_wait", reason=error.detail)
            await asyncio.sleep(EVERY_S)

    async def remove(self, before: datetime) -> int:
        """Remove files from before a moment that no version names; how many."""
        return sum([await self._of(tenant, before) for tenant in await tenants_in(self._objects)])

    async def _of(self, tenant: TenantId, before: datetime) -> int:
        removed = 0
        async for slice_ in self._objects.list_prefix(tenant_key(tenant, "custom-models", "")):
            old = [stored.key for stored in slice_ if begun_before(stored.key.split("/")[-2], before)]
            if not old:
                continue
            async with self._database.tenant(tenant) as tx:
                rows = await tx.fetch(sql.unnamed_files, tenant, old)
            await self._objects.delete(*(row["key"] for row in rows))
            removed += len(rows)
        return removed
