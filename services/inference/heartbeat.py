"""Tells the dispatcher that this worker is there and how much it takes on."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from libs.common.bus.bus import Bus
from libs.common.contracts.inference import WorkerRole, WorkerSeen
from libs.common.errors import MannequinError

_INTERVAL_S = 3.0


async def beat(bus: Bus, worker: str, capacity: int, role: WorkerRole) -> None:
    """Signal now and every few seconds, until cancelled."""
    while True:
        with suppress(MannequinError):
            await bus.signal(WorkerSeen(worker=worker, capacity=capacity, role=role))
        await asyncio.sleep(_INTERVAL_S)
