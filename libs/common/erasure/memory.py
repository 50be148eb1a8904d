"""What a process holds of a tenant in memory, or on its own disk, goes when the tenant does."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from libs.common.bus.bus import Delivery, Listener
from libs.common.contracts.ids import TenantId


def forgetter(forgetful: Iterable[Callable[[TenantId], None]]) -> Listener:
    """Listener of TenantForgotten. What misses it goes with the process, or when it was not used for long."""
    parts = tuple(forgetful)

    async def heard(delivery: Delivery) -> None:
        if (tenant := delivery.envelope.tenant_id) is not None:
            for forget in parts:
                forget(tenant)

    return heard
