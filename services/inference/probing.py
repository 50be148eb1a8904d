"""Checks of credentials, asked for by the vault, which itself reaches no provider."""

from __future__ import annotations

from datetime import UTC, datetime

from libs.common.bus.bus import Delivery
from libs.common.contracts.credentials import CredentialObserved, ObservedBy, ProbeCredential
from libs.common.contracts.flow import PROBES
from libs.common.contracts.providers import Fault
from libs.common.db import Database
from libs.common.errors import Permanent, Snooze, Unavailable
from libs.common.telemetry import logger
from services.inference.errors import LeaseRefused
from services.inference.leases import Leases, Use
from services.inference.providers.provider import CallFailed

_log = logger("inference.probing")
_VAULT_AWAY_S = 2.0


class Probing:
    """Handler of the queue of probes."""

    def __init__(self, database: Database, leases: Leases) -> None:
        self._database = database
        self._leases = leases

    async def handle(self, delivery: Delivery) -> None:
        """Check and tell. A probe that nobody waits for any more, or that the vault disowns, is dropped."""
        probe, tenant = delivery.message, delivery.envelope.tenant_id
        assert isinstance(probe, ProbeCredential)
        if tenant is None:
            raise Permanent("the probe names no tenant")
        if probe.expires_at <= datetime.now(UTC):
            return
        try:
            fault = await self._probe(Use.of_probe(tenant, probe))
        except LeaseRefused as refused:
            _log.info("probe_dropped", probe=probe.probe_id, code=refused.code)
            return
        except Unavailable as error:
            raise Snooze(_VAULT_AWAY_S, f"no lease for the probe: {error.detail}") from error
        async with self._database.tenant(tenant) as tx:
            if await tx.first_time(PROBES.name, delivery.envelope):
                tx.publish(_observed(probe, fault), subject=probe.credential_id)

    async def _probe(self, use: Use) -> Fault | None:
        try:
            async with self._leases.once(use) as connection:
                await connection.probe()
        except CallFailed as failed:
            return failed.fault
        return None


def _observed(probe: ProbeCredential, fault: Fault | None) -> CredentialObserved:
    return CredentialObserved(
        credential_id=probe.credential_id,
        version=probe.version,
        by=ObservedBy.PROBE,
        probe_id=probe.probe_id,
        fault=fault,
        observed_at=datetime.now(UTC),
    )
