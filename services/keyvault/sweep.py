"""What time ends: old secrets past their grace, replacements nobody decided, rotations nobody ended."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from libs.common.contracts.ids import CredentialId, TenantId
from libs.common.db import Database, Row
from libs.common.errors import MannequinError
from libs.common.telemetry import logger
from services.keyvault import audit, store, versions
from services.keyvault.audit import Actor
from services.keyvault.revoke import Revoker, end_leases
from services.keyvault.rotate import Rotations
from services.keyvault.store import sql
from services.keyvault.versions import Status

_EVERY_S = 10.0
_LEFT_S = 120.0
"""A rotation takes seconds; one that began so long ago has lost its process."""
_ENDED = {
    Status.PREVIOUS: "credential.previous_forgotten",
    Status.PENDING: "credential.replacement_given_up",
}
_log = logger("sweep")


class Sweep:
    """Runs beside everything else; any number of instances may."""

    def __init__(self, database: Database, rotations: Rotations, revoker: Revoker) -> None:
        self._database = database
        self._rotations = rotations
        self._revoker = revoker

    async def run(self) -> None:
        """Until cancelled; a database or vault that is away is waited for."""
        while True:
            await _patiently(self.forget_overdue)
            await _patiently(self.resume_rotations)
            await asyncio.sleep(_EVERY_S)

    async def forget_overdue(self) -> None:
        """Drop the secrets whose time is over."""
        async with self._database.platform("find overdue secrets") as tx:
            rows = await tx.fetch(sql.overdue)
        for tenant, credential_id in dict.fromkeys((row["tenant_id"], row["credential_id"]) for row in rows):
            await self._forget(TenantId(tenant), CredentialId(credential_id))

    async def resume_rotations(self, left_s: float = _LEFT_S) -> None:
        """Go on with rotations that began `left_s` seconds ago and have not ended."""
        async with self._database.platform("find unended rotations") as tx:
            rows = await tx.fetch(sql.unended_rotations, left_s)
        for row in rows:
            await _patiently(partial(self._rotations.resume, TenantId(row["tenant_id"])))

    async def _forget(self, tenant: TenantId, credential_id: CredentialId) -> None:
        async with self._database.tenant(tenant) as tx:
            row = await store.lock(tx, tenant, credential_id)
            there = await versions.by_status(tx, tenant, credential_id)
            over = {status: one["version"] for status, one in there.items() if _is_over(one)}
            if not over:  # another instance was here before
                return
            gone = list(over.values())
            await versions.forget(tx, tenant, credential_id, gone)
            await end_leases(tx, tenant, credential_id, gone)
            for status, version in over.items():
                detail = {"version": str(version)}
                await audit.record(tx, tenant, _ENDED[status], credential_id, Actor.KEYVAULT, detail)
            await store.changed(tx, row)
        await self._revoker.tell(tenant, credential_id, gone)


def _is_over(version: Row) -> bool:
    return version["left_s"] is not None and version["left_s"] <= 0


async def _patiently(work: Callable[[], Awaitable[object]]) -> None:
    try:
        await work()
    except MannequinError as error:
        _log.warning("sweep_waits", reason=error.detail)
