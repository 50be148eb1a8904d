"""2 GiB through the gateway: speed, and how much its memory grows."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import suppress

from bench.line import Line, line

BYTES = 2 * 2**30
_PIECE = 2**20


async def run() -> dict[str, float]:
    async with line() as running, running.tenant("bench") as tenant:
        headers = {"content-type": "application/zip"}
        (
            await tenant.client.post("/api/v1/batch/process", content=_body(2**24), headers=headers)
        ).raise_for_status()
        before = _rss_mib(running)
        peak = asyncio.create_task(_peak_rss_mib(running))
        began = time.perf_counter()
        response = await tenant.client.post("/api/v1/batch/process", content=_body(BYTES), headers=headers)
        elapsed = time.perf_counter() - began
        response.raise_for_status()
        peak.cancel()
        return {
            "mb_per_s": BYTES / 1e6 / elapsed,
            "memory_growth_mib": await peak - before,
        }


async def _body(size: int) -> AsyncIterator[bytes]:
    noise = os.urandom(_PIECE)
    yield b"PK\x03\x04" + noise[4:]
    for _ in range(size // _PIECE - 1):
        yield noise


async def _peak_rss_mib(running: Line) -> float:
    peak = 0.0
    with suppress(asyncio.CancelledError):
        while True:
            peak = max(peak, _rss_mib(running))
            await asyncio.sleep(0.02)
    return peak


def _rss_mib(running: Line) -> float:
    return float(sum(process.memory_info().rss for process in running.processes("gateway"))) / 2**20
