"""How keys stand, in the table of credentials; and what follows when that changes."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from libs.common.contracts.credentials import (
    Credential,
    CredentialDegraded,
    CredentialFailed,
    CredentialRecovered,
    HealthState,
)
from libs.common.contracts.ids import CredentialId, TenantId
from libs.common.contracts.message import Event
from libs.common.contracts.providers import FaultCode, ProviderName
from libs.common.db import Queries, Row, Transaction
from libs.common.providers import card
from services.keyvault import audit, store
from services.keyvault.health.machine import Standing
from services.keyvault.health.pace import jittered, pace
from services.keyvault.revoke import Revoker, end_leases

sql = Queries(__package__)


def standing(row: Row) -> Standing:
    """Of a row of `hold_standing`, `claim_due` or `with_an_end`."""
    return Standing(
        state=HealthState(row["health"]),
        since=row["health_since"],
        checked_at=row["checked_at"],
        code=FaultCode(row["health_code"]) if row["health_code"] else None,
        detail=row["health_detail"],
        good=row["good_in_a_row"],
        bad=row["bad_in_a_row"],
        first_fault_at=row["first_fault_at"],
    )


async def hold(tx: Transaction, tenant: TenantId, credential_id: CredentialId) -> Row | None:
    """The credential with its health, held until the transaction ends; None if it is gone."""
    return await tx.fetchrow(sql.hold_standing, tenant, credential_id)


def next_probe(after: Standing, provider: ProviderName, now: datetime) -> datetime:
    """When a key that stands so is to be looked at again."""
    return now + timedelta(seconds=jittered(pace(after, now, card(provider).probe_every_s)))


class Standings:
    """Writes how a key stands; a change is one event, one audit row, and the end of what it forbids."""

    def __init__(self, revoker: Revoker) -> None:
        self._revoker = revoker
        self._telling: set[asyncio.Task[None]] = set()

    async def put(
        self, tx: Transaction, row: Row, after: Standing, now: datetime, by: str
    ) -> Credential | None:
        """Write how the credential of a held row stands now, and tell it if it is news. `by`: who saw it."""
        await write(tx, row, after, next_probe(after, ProviderName(row["provider"]), now))
        if after.state is standing(row).state:
            return None
        shown = await tell(tx, row, after, by)
        if after.state is HealthState.FAILED:
            await self._end_leases(tx, row)
        return shown

    async def _end_leases(self, tx: Transaction, row: Row) -> None:
        tenant, credential_id = TenantId(row["tenant_id"]), CredentialId(row["id"])
        versions = [row["version"]]
        await end_leases(tx, tenant, credential_id, versions)
        tx.after_commit.append(lambda: self._tell_workers(tenant, credential_id, versions))

    def _tell_workers(self, tenant: TenantId, credential_id: CredentialId, versions: list[int]) -> None:
        task = asyncio.create_task(self._revoker.tell(tenant, credential_id, versions))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)


async def write(tx: Transaction, row: Row, after: Standing, next_probe_at: datetime | None) -> None:
    """`next_probe_at` None: as it was."""
    counts = (after.good, after.bad, after.first_fault_at, next_probe_at)
    said = (after.state.value, after.since, after.checked_at, after.code and after.code.value, after.detail)
    await tx.execute(sql.put_standing, row["tenant_id"], row["id"], *said, *counts)


async def tell(tx: Transaction, row: Row, after: Standing, by: str) -> Credential:
    """Announce and record that the state changed; `row` is of before."""
    tenant, before = TenantId(row["tenant_id"]), standing(row)
    shown = await store.changed(tx, row)
    event = _event(before, after, shown)
    if event is not None:
        tx.publish(event, tenant=tenant, subject=shown.id)
    told = {"from": before.state.value, "seen_by": by}
    reason = {"code": after.code.value, "reason": after.detail} if after.code else {}
    await audit.of_credential(tx, tenant, after.state.value, shown, audit.Actor.KEYVAULT, told | reason)
    return shown


def _event(before: Standing, after: Standing, shown: Credential) -> Event | None:
    """For the owner, beside `CredentialChanged`; None for what it needs no word of."""
    match after.state:
        case HealthState.FAILED:
            return CredentialFailed(credential=shown, first_fault_at=after.first_fault_at or after.since)
        case HealthState.DEGRADED:
            return CredentialDegraded(credential=shown)
        case HealthState.RECOVERED:
            return CredentialRecovered(credential=shown)
        case HealthState.HEALTHY if before.state is HealthState.DEGRADED:
            return CredentialRecovered(credential=shown)
        case _:
            return None
