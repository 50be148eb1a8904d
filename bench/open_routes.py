"""The batch service as the vault service sees it: every route is open. In a process of its own, as it is."""

from __future__ import annotations

import asyncio

from libs.common.bus.bus import Delivery
from libs.common.bus.connect import connect
from libs.common.contracts.routing import CheckedRoutes, CheckRoutes
from libs.common.settings import load
from libs.common.settings.settings import BusSettings


async def answer() -> None:
    """Until the process is ended; says on standard output when it listens."""
    bus = connect(load(BusSettings).bus_url, "batch")
    await bus.start()
    await bus.respond(CheckRoutes, _all_open)
    print("listening", flush=True)
    await asyncio.Event().wait()


async def _all_open(delivery: Delivery) -> CheckedRoutes:
    assert isinstance(delivery.message, CheckRoutes)
    return CheckedRoutes(open=(True,) * len(delivery.message.claims))


if __name__ == "__main__":
    asyncio.run(answer())
