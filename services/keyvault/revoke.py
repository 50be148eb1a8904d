"""Leases end at once: in the table within the change that ends them, at the workers right after it."""

from __future__ import annotations

from collections.abc import Sequence

from libs.common.bus.bus import Bus
from libs.common.contracts.credentials import LeasesRevoked
from libs.common.contracts.ids import CredentialId, TenantId
from libs.common.db import Transaction
from libs.common.errors import MannequinError
from libs.common.telemetry import logger
from services.keyvault.store import sql

_log = logger("revoke")


async def end_leases(
    tx: Transaction, tenant: TenantId, credential_id: CredentialId, versions: Sequence[int] | None = None
) -> None:
    """End the leases on these versions (None: on all) in the table; `Revoker.tell` once it is committed."""
    await tx.execute(sql.end_leases, tenant, credential_id, versions)


class Revoker:
    """Tells the workers to drop what they hold. One that misses it has its leases run out, in minutes."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def tell(
        self, tenant: TenantId, credential_id: CredentialId, versions: Sequence[int] | None = None
    ) -> None:
        """Leases of these versions are over (None: of all); never fails, as the change has been made."""
        for version in [None] if versions is None else versions:
            signal = LeasesRevoked(credential_id=credential_id, version=version)
            try:
                await self._bus.signal(signal, tenant=tenant)
            except MannequinError as error:
                _log.warning("revocation_not_told", credential=credential_id, reason=error.detail)
