"""Uploads of nobody: a gateway was killed in the middle of one, or told nobody of it.

The request that brings an upload also names it to whoever uses it: after a day nobody will ask for it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from libs.common.contracts import branding
from libs.common.contracts.ids import TenantId
from libs.common.db import Database
from libs.common.objects import Objects, tenant_key
from libs.common.objects.strays import begun_before, tenants_in
from services.batch.human_models.store import sql as human_models
from services.batch.store import sql

_ASKED_AT_ONCE = 1_000


class Strays:
    """Finds and removes them. Other folders belong to those who made them."""

    def __init__(self, database: Database, objects: Objects) -> None:
        self._database = database
        self._objects = objects

    async def remove(self, before: datetime) -> int:
        """Remove uploads from before a moment that became nothing, and archives of estimates; how many."""
        removed = 0
        for tenant in await tenants_in(self._objects):
            removed += await self._archives(tenant, before)
            removed += await self._persons(tenant, before)
            removed += await self._pictures(tenant, before)
        return removed

    async def _archives(self, tenant: TenantId, before: datetime) -> int:
        estimates = await self._objects.folders(tenant_key(tenant, "estimates", ""))
        strays = [("estimates", name) for name in estimates if begun_before(name, before)]
        uploads = await self._objects.folders(tenant_key(tenant, "batches", ""))
        old = [name for name in uploads if begun_before(name, before)]
        strays += [("batches", name) for name in await self._unknown(tenant, old)]
        for folder, name in strays:
            await self._objects.delete_prefix(tenant_key(tenant, folder, name, ""))
        return len(strays)

    async def _unknown(self, tenant: TenantId, names: Sequence[str]) -> list[str]:
        """Those that neither a batch nor a reservation knows."""
        unknown: list[str] = []
        for start in range(0, len(names), _ASKED_AT_ONCE):
            asked = names[start : start + _ASKED_AT_ONCE]
            async with self._database.tenant(tenant) as tx:
                rows = await tx.fetch(sql.unknown_batches, tenant, asked)
            unknown += [row["id"] for row in rows]
        return unknown

    async def _persons(self, tenant: TenantId, before: datetime) -> int:
        """Photos of people as they were sent, unless a human model still waits to be looked at."""
        removed = 0
        async for old in self._old(tenant_key(tenant, "human-models", ""), before):
            async with self._database.tenant(tenant) as tx:
                rows = await tx.fetch(human_models.unknown_uploads, tenant, old)
            await self._objects.delete(*(row["key"] for row in rows))
            removed += len(rows)
        return removed

    async def _pictures(self, tenant: TenantId, before: datetime) -> int:
        """Logos that were not looked at: whoever looks removes them, used or refused."""
        removed = 0
        async for old in self._old(tenant_key(tenant, *branding.upload_parts("")), before):
            await self._objects.delete(*old)
            removed += len(old)
        return removed

    async def _old(self, prefix: str, before: datetime) -> AsyncIterator[list[str]]:
        """Keys of uploads below `prefix` from before the moment, in slices."""
        async for slice_ in self._objects.list_prefix(prefix):
            old = [stored.key for stored in slice_ if _is_old_upload(stored.key, before)]
            if old:
                yield old


def _is_old_upload(key: str, before: datetime) -> bool:
    *_, folder, name = key.split("/")
    return folder == "uploads" and begun_before(name, before)
