"""A ZIP of 300 photos accepted until its webhook is received, beside the ceiling of the same pictures."""

from __future__ import annotations

import asyncio

from bench import photos, pure
from bench.line import line
from deploy.local.supervisor import Bus


async def run() -> dict[str, float]:
    archive = photos.archive(pure.PHOTOS)
    ceiling = await asyncio.to_thread(pure.images_per_s, archive)
    rate, workers, memory = await images_per_s(Bus.NATS)
    return {
        "images_per_s": rate,
        "share_of_pure": rate / ceiling,
        "pure_images_per_s": ceiling,
        "worker_memory_mib": workers,
        "whole_memory_mib": memory,
    }


async def images_per_s(bus: Bus) -> tuple[float, float, float]:
    """Images per second of one batch; memory (MiB) of the workers, and of servers and services together."""
    archive = photos.archive(pure.PHOTOS)
    async with line(bus) as running, running.tenant("bench") as tenant:
        warm = await tenant.submit(photos.archive(5))
        await tenant.done(warm)
        batch = await tenant.submit(archive)
        received = await tenant.done(batch)
        rate = pure.PHOTOS / (received - batch.accepted)
        return rate, running.memory_mib("inference"), running.memory_mib()
