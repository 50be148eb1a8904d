"""Looking again, each day, whether hosts are still their tenants'."""

from __future__ import annotations

import asyncio

from libs.common.contracts.ids import DomainId, TenantId
from libs.common.db import Database
from libs.common.errors import MannequinError, Refusal
from libs.common.telemetry import logger
from services.tenants.branding.domains import UNAVAILABLE_S, Domains
from services.tenants.branding.store import sql

AT_ONCE = 20
EVERY_S = 300.0
_log = logger("tenants.domains")


class DomainSweep:
    """Any number of instances may run: a domain in hand is skipped by the others."""

    def __init__(self, database: Database, domains: Domains) -> None:
        self._database = database
        self._domains = domains

    async def run(self) -> None:
        """Sweep until cancelled."""
        while True:
            try:
                while await self.sweep() == AT_ONCE:
                    pass
            except MannequinError as error:
                _log.warning("domains_not_swept", reason=error.detail)
            await asyncio.sleep(EVERY_S)

    async def sweep(self) -> int:
        """Look at those that are due, some at a time; how many there were."""
        async with self._database.platform("domain sweep") as tx:
            due = await tx.fetch(sql.claim_due, AT_ONCE, UNAVAILABLE_S)
        for row in due:
            await self._look(TenantId(row["tenant_id"]), DomainId(row["id"]))
        return len(due)

    async def _look(self, tenant: TenantId, domain_id: DomainId) -> None:
        try:
            await self._domains.look(domain_id, tenant)
        except Refusal as refusal:  # removed meanwhile, or another tenant's by now: it stays as it is
            _log.info("domain_not_renewed", domain=domain_id, code=refusal.code)
