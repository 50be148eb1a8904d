"""The bus edge of leases."""

from __future__ import annotations

from libs.common.bus.bus import Bus
from libs.common.bus.responders import for_tenant
from libs.common.contracts.credentials import LeaseCredential, ReconcileLeases
from libs.common.db import Database
from services.keyvault.leases.reconcile import Reconciler
from services.keyvault.leases.service import LEASE_S, Leasing
from services.keyvault.vault import Vault


async def attach(bus: Bus, database: Database, vault: Vault, *, lease_s: float = LEASE_S) -> None:
    """Answer for leases. lease_s: how long one is good, in seconds."""
    await bus.respond(LeaseCredential, for_tenant(Leasing(database, vault, bus, lease_s).lease))
    await bus.respond(ReconcileLeases, for_tenant(Reconciler(database, bus).reconcile))
