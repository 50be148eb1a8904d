"""Tells owners of what ends soon, and fails the keys whose model was retired."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import datetime

from libs.common.contracts.credentials import CredentialExpiring, ObservedBy
from libs.common.contracts.ids import CredentialId, TenantId
from libs.common.contracts.providers import ProviderName
from libs.common.db import Database, Row, Transaction
from libs.common.errors import MannequinError
from libs.common.providers import card, cards
from libs.common.telemetry import logger
from services.keyvault import audit, store
from services.keyvault.clock import Clock, utc_now
from services.keyvault.health import machine
from services.keyvault.health.endings import Notice, due, endings, retired
from services.keyvault.health.machine import Observation
from services.keyvault.health.standings import Standings, sql, standing

_log = logger("health.warnings")
_PAGE = 200
_EVERY_S = 3600.0


class Warnings:
    """Looks at every credential that has an end, once an hour."""

    def __init__(self, database: Database, standings: Standings, clock: Clock = utc_now) -> None:
        self._database = database
        self._standings = standings
        self._clock = clock

    async def run(self) -> None:
        """Look until cancelled; a database that is away is waited for."""
        while True:
            with suppress(MannequinError):
                await self.look()
            await asyncio.sleep(_EVERY_S)

    async def look(self) -> int:
        """Warn of and fail whatever is due now; how many credentials were looked at."""
        providers = [one.name.value for one in cards() if any(model.retires_on for model in one.models)]
        seen, last = 0, ("", "")
        while True:
            async with self._database.platform("expiry warnings") as tx:
                rows = await tx.fetch(sql.with_an_end, providers, *last, _PAGE)
                for row in rows:
                    await self._look_at(tx, row, self._clock())
            seen += len(rows)
            if len(rows) < _PAGE:
                return seen
            last = (rows[-1]["tenant_id"], rows[-1]["id"])

    async def _look_at(self, tx: Transaction, row: Row, now: datetime) -> None:
        known = card(ProviderName(row["provider"]))
        fault = retired(known, row["settings"], now)
        if fault is not None:
            before = standing(row)
            after = machine.observed(before, Observation(ObservedBy.PROBE, now, fault))
            await self._standings.put(tx, row, after, now, by="calendar")
        for notice in due(endings(known, row["settings"], row["expires_at"]), row["warned"], now):
            await _warn(tx, row, notice)


async def _warn(tx: Transaction, row: Row, notice: Notice) -> None:
    tenant, ending = TenantId(row["tenant_id"]), notice.ending
    found = await store.find(tx, tenant, CredentialId(row["id"]))
    assert found is not None  # its row is held
    shown = store.credential(found)
    event = CredentialExpiring(
        credential=shown, subject=ending.subject, ends_at=ending.ends_at, successor=ending.successor
    )
    tx.publish(event, tenant=tenant, subject=shown.id)
    warned = found["warned"] | {ending.key: notice.days}
    await tx.execute(sql.put_warned, tenant, shown.id, warned)
    told = {"subject": ending.subject, "ends_at": ending.ends_at.isoformat(), "days": str(notice.days)}
    await audit.of_credential(tx, tenant, "expiring", shown, audit.Actor.KEYVAULT, told)
    _log.info("warned", credential=shown.id, subject=ending.subject, days=notice.days)
