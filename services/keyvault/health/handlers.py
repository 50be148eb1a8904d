"""The bus edge of the health of keys, and the loops that look at them."""

from __future__ import annotations

from libs.common.bus.bus import Bus
from libs.common.contracts import flow
from libs.common.contracts.key_health import ListCredentialHealth
from libs.common.db import Database
from libs.common.lifecycle import Lifecycle
from libs.common.outbox import once
from services.keyvault.health.observations import Observations
from services.keyvault.health.overview import Overview
from services.keyvault.health.probes import Probes
from services.keyvault.health.standings import Standings
from services.keyvault.health.warnings import Warnings
from services.keyvault.revoke import Revoker


async def attach(bus: Bus, database: Database, lifecycle: Lifecycle, *, probes_per_s: int = 20) -> None:
    """Watch every credential: by its probes, by what real calls say, and by the calendar."""
    standings = Standings(Revoker(bus))
    probes, warnings = Probes(database, per_second=probes_per_s), Warnings(database, standings)
    observations = Observations(standings)
    lifecycle.background("probes", probes.run())
    lifecycle.background("probe sweep", probes.sweep())
    lifecycle.background("expiry warnings", warnings.run())
    await bus.respond(ListCredentialHealth, Overview(database).respond)
    await bus.subscribe(flow.OBSERVATIONS, once(database, flow.OBSERVATIONS, observations.observe))
