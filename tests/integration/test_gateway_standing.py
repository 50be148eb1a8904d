"""What becomes of a request that began before its tenant was suspended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from libs.common.bus.connect import connect
from libs.common.contracts import flow
from libs.common.contracts.tenants import SuspendTenant
from tests.servers.photos import jpegs, numbered, zipped
from tests.servers.system import Caller, System

LIMIT_S = 10.0
ZIP = {"content-type": "application/zip"}


async def suspended(caller: Caller) -> bool:
    answer = await caller.client.delete("/api/v1/webhook-endpoints/unknown")
    return bool(answer.json()["code"] == "tenant_suspended")


async def test_an_upload_that_ends_after_its_tenant_was_suspended_is_refused(system: System) -> None:
    """Archives take their time, and a suspended tenant submits nothing; the same holds for one that is being
    erased, of which nothing may be left.
    """
    archive = zipped(numbered(jpegs(1)))
    bus = connect(system.supervisor.addresses.bus_url, flow.OPERATOR)
    await bus.start()
    try:
        async with system.tenant() as caller:

            async def slowly() -> AsyncIterator[bytes]:
                yield archive[:1000]
                await bus.request(SuspendTenant(reason="An invoice"), tenant=caller.id, timeout=20)
                async with asyncio.timeout(LIMIT_S):
                    while not await suspended(caller):
                        await asyncio.sleep(0.02)
                yield archive[1000:]

            answer = await caller.client.post("/api/v1/batch/process", content=slowly(), headers=ZIP)
            assert (answer.status_code, answer.json()["code"]) == (403, "tenant_suspended")
            assert (await caller.client.get("/api/v1/batches")).json()["items"] == []
    finally:
        await bus.close()
