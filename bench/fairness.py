"""A tenant's batch of 5 beside another tenant's 2,000 waiting images, over its time alone."""

from __future__ import annotations

import statistics

from bench import photos
from bench.line import Tenant, line

WAITING = 2000
SMALL = 5
RUNS = 7


async def run() -> dict[str, float]:
    async with line() as running, running.tenant("small") as small, running.tenant("big") as big:
        await _batch_s(small)
        alone = [await _batch_s(small) for _ in range(RUNS)]
        batch = await big.submit(photos.archive(WAITING))
        await _batch_s(small)
        beside = [await _batch_s(small) for _ in range(RUNS)]
        (await big.client.post(f"/api/v1/batches/{batch.id}/cancel")).raise_for_status()
    return {
        "small_tenant_slowdown": statistics.median(beside) / statistics.median(alone),
        "alone_s": statistics.median(alone),
        "beside_s": statistics.median(beside),
    }


async def _batch_s(tenant: Tenant) -> float:
    batch = await tenant.submit(photos.archive(SMALL))
    return await tenant.done(batch) - batch.accepted
