"""An erasure ends and leaves nothing, whichever service is killed in the middle of it."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from contextlib import suppress
from pathlib import Path

from deploy.local.environment import PROCESSES
from deploy.local.supervisor import Bus, Supervisor
from deploy.operator.scan import scan
from tests.chaos.test_kill_everything import watched
from tests.servers.erasing import completed, left_of, owner_of, places_of, rendered
from tests.servers.system import System


async def kill_each(supervisor: Supervisor) -> None:
    """`kill -9` every process once, each when the one before it is back."""
    victims = list(PROCESSES)
    random.shuffle(victims)
    for victim in victims:
        server = supervisor.servers[victim]
        async with asyncio.timeout(60):
            while not server.pids:
                await asyncio.sleep(0.05)
        await asyncio.sleep(random.uniform(0.05, 1.0))  # the point of the test: any moment may be the one
        for pid in server.pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


async def test_an_erasure_ends_whoever_is_killed(tmp_path: Path) -> None:
    """All processes are, one after another, from the moment that it begins."""
    async with watched(tmp_path / "state", Bus.NATS) as supervisor:
        system = System(supervisor)
        async with system.tenant("a shop that leaves") as gone, system.tenant("a shop that stays") as other:
            await rendered(system, gone, tmp_path)
            kept = await rendered(system, other, tmp_path, 1)
            async with await owner_of(system, gone.id) as owner:
                asked = await owner.post("/api/v1/tenant/erase", json={"confirm": "a shop that leaves"})
            assert asked.status_code == 202, asked.text
            killing = asyncio.create_task(kill_each(supervisor))
            done = await completed(system, asked.json()["id"])
            await killing
            assert done["waiting_for"] == []
            found = await left_of(supervisor, gone.id, "a shop that leaves")
            assert not any(found.values()), found
            assert (await scan(places_of(supervisor), [kept.id]))["objects"]
