"""What probes and real calls say of a key, taken to heart once each."""

from __future__ import annotations

from datetime import datetime

from libs.common.contracts.credentials import CredentialObserved, ObservedBy
from libs.common.contracts.ids import CredentialId, TenantId
from libs.common.contracts.message import Message
from libs.common.contracts.providers import Fault, ProviderName
from libs.common.db import Row, Transaction
from libs.common.errors import Permanent
from libs.common.providers import card
from services.keyvault.clock import Clock, utc_now
from services.keyvault.health import machine
from services.keyvault.health.endings import retired
from services.keyvault.health.machine import Observation
from services.keyvault.health.standings import Standings, hold, sql, standing, tell, write


class Observations:
    """The effect of `CredentialObserved`."""

    def __init__(self, standings: Standings, clock: Clock = utc_now) -> None:
        self._standings = standings
        self._clock = clock

    async def observe(self, message: Message, tx: Transaction) -> None:
        """Answer the probe that it came from, and move the health of the version that it is of.

        What is said of a secret that is no longer, or not yet, the credential's own only answers its probe.
        """
        assert isinstance(message, CredentialObserved)
        if tx.tenant is None:
            raise Permanent("the observation names no tenant")
        row = await hold(tx, tx.tenant, message.credential_id)
        if message.probe_id is not None:
            fault = message.fault
            found = (fault.code.value, fault.detail) if fault else (None, None)
            await tx.execute(sql.answer_probe, tx.tenant, message.probe_id, *found)
        if row is not None and row["version"] == message.version:
            await self._move(tx, row, message)

    async def _move(self, tx: Transaction, row: Row, message: CredentialObserved) -> None:
        now, before = self._clock(), standing(row)
        # A worker whose clock is ahead must not have all others ignored until then.
        seen = Observation(message.by, min(message.observed_at, now), _fault(row, message, now))
        after = machine.observed(before, seen)
        if after is not before:
            await self._standings.put(tx, row, after, now, by=message.by.value)


async def replaced(
    tx: Transaction,
    tenant: TenantId,
    credential_id: CredentialId,
    *,
    good: bool,
    clock: Clock = utc_now,
) -> None:
    """The credential has another secret now, found to work (`good`) or not checked yet.

    Its owner is told of a change of health; the caller tells of the change of the secret.
    """
    row = await hold(tx, tenant, credential_id)
    if row is None:
        return
    before = standing(row)
    after = machine.replaced(before, clock(), good=good)
    await write(tx, row, after, None)
    if after.state is not before.state:
        await tell(tx, row, after, by="replacement")


def _fault(row: Row, message: CredentialObserved, now: datetime) -> Fault | None:
    """What was seen; but a model that its provider has retired is at its end even while it still answers."""
    if message.fault is not None or message.by is not ObservedBy.PROBE:
        return message.fault
    return retired(card(ProviderName(row["provider"])), row["settings"], now)
