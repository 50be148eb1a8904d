"""Looks at keys: has the remote workers do it, as the vault reaches nothing but Vault."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from libs.common.contracts.credentials import HealthState, ProbeCredential
from libs.common.contracts.ids import CredentialId, ProbeId, TenantId
from libs.common.contracts.providers import ProviderName
from libs.common.db import Database, Row, Transaction
from libs.common.errors import MannequinError
from libs.common.telemetry import logger
from services.keyvault.clock import Clock, utc_now
from services.keyvault.health.standings import next_probe, sql, standing

_log = logger("health.probes")

PROBE_S = 30.0
"""How long a probe may take; a worker that comes to it later leaves it."""
UNANSWERED = "The check was not answered in time, as no remote worker was free; it is tried again by itself."
_KEPT = timedelta(days=1)
_POLL_S = 0.05
_TICK_S = 1.0


async def ask(
    tx: Transaction,
    tenant: TenantId,
    credential_id: CredentialId,
    version: int,
    provider: ProviderName,
    settings: Mapping[str, str],
    now: datetime | None = None,
) -> ProbeId:
    """Have a version of a credential looked at once the transaction commits; its turn counts as taken."""
    now = now or utc_now()
    probe, expires_at = ProbeId.new(), now + timedelta(seconds=PROBE_S)
    await tx.execute(sql.insert_probe, tenant, probe, credential_id, version, now, expires_at)
    await tx.execute(sql.put_off, tenant, credential_id, version, expires_at)
    command = ProbeCredential(
        probe_id=probe,
        credential_id=credential_id,
        version=version,
        provider=provider,
        settings=dict(settings),
        expires_at=expires_at,
    )
    tx.publish(command, tenant=tenant, subject=credential_id)
    return probe


async def answered(database: Database, tenant: TenantId, probe_id: ProbeId, limit_s: float) -> Row | None:
    """What the probe found (`version`, `answered_at`, `fault_code`, `fault_detail`); None if not in time.

    Whatever instance took the answer, and with the credential's health already moved by it.
    """
    deadline = asyncio.get_running_loop().time() + limit_s
    while True:
        async with database.tenant(tenant) as tx:
            row = await tx.fetchrow(sql.find_answer, tenant, probe_id)
        if row is not None or asyncio.get_running_loop().time() + _POLL_S > deadline:
            return row
        await asyncio.sleep(_POLL_S)


class Probes:
    """Has every key looked at when its time comes.

    per_second: looks at keys of one provider that one instance starts, so that no provider takes us for an
    attack. Any number of instances may run: what one has in hand is skipped by the others.
    """

    def __init__(self, database: Database, clock: Clock = utc_now, per_second: int = 20) -> None:
        self._database = database
        self._clock = clock
        self._per_tick = max(1, int(per_second * _TICK_S))

    async def run(self) -> None:
        """Look until cancelled; a database that is away is waited for."""
        while True:
            try:
                await self.look()
            except MannequinError as error:
                _log.warning("probes_wait", reason=error.detail)
            await asyncio.sleep(_TICK_S)

    async def sweep(self) -> None:
        """Forget old probes, until cancelled."""
        while True:
            with suppress(MannequinError):
                async with self._database.platform("probe sweep") as tx:
                    await tx.execute(sql.forget_probes, self._clock() - _KEPT)
            await asyncio.sleep(3600)

    async def look(self) -> int:
        """Start what is due now; how many probes that are."""
        now, started = self._clock(), 0
        async with self._database.platform("probe schedule") as tx:
            for provider in ProviderName:
                rows = await tx.fetch(sql.claim_due, provider.value, now, self._per_tick)
                for row in rows:
                    await _start(tx, row, now)
                started += len(rows)
        return started


async def _start(tx: Transaction, row: Row, now: datetime) -> None:
    tenant, credential_id = TenantId(row["tenant_id"]), CredentialId(row["id"])
    provider, version = ProviderName(row["provider"]), row["version"]
    if row["health"] == HealthState.UNVERIFIED and row["health_code"] is None:
        last = await tx.fetchrow(sql.last_probe, tenant, credential_id, version)
        if last is not None and last["answered_at"] is None:
            await tx.execute(sql.note, tenant, credential_id, UNANSWERED)
    await ask(tx, tenant, credential_id, version, provider, row["settings"], now)
    # Sooner, once it is answered: until then there is nothing new to ask.
    unless_answered = max(next_probe(standing(row), provider, now), now + timedelta(seconds=PROBE_S))
    await tx.execute(sql.put_off, tenant, credential_id, version, unless_answered)
