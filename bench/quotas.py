"""What a plan with quotas adds to an upload's answer: the question that the gateway asks the batch service.

One photo, and an archive of 200 photos, sent one after another by a tenant whose plan counts images a month
and by one whose plan does not, in turns, so that both meet the same machine. Each has one image under way at
most, so that rendering takes little of it.
"""

from __future__ import annotations

import asyncio
import io
import statistics
import time
import zipfile

import httpx

from bench.line import line
from deploy.local.demo.account import make_enterprise_account
from deploy.local.supervisor import Bus
from libs.common.contracts.tenants import Plan, Quotas

PHOTOS, ARCHIVES, IN_ONE = 200, 30, 200
PLANS = {"unlimited": Quotas(concurrent_items=1), "quota": Quotas(concurrent_items=1, images_month=1_000_000)}
_JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"


async def run() -> dict[str, float]:
    async with line(Bus.NATS, {"inference": "bench.stub_inference"}) as running:
        clients = {}
        for name, quotas in PLANS.items():
            plan = Plan(name=name, quotas=quotas)
            account = await make_enterprise_account(running.system.addresses, name, plan)
            clients[name] = httpx.AsyncClient(
                base_url=running.system.addresses.api_url, headers=account.headers, timeout=60
            )
        await _known(clients["quota"])
        figures = await _compared("photo_ms", clients, "/api/v1/images?wait=0", _JPEG, PHOTOS)
        figures |= await _compared("archive_ms", clients, "/api/v1/batch/process", _archive(), ARCHIVES)
        for client in clients.values():
            await client.aclose()
    return figures


async def _known(client: httpx.AsyncClient) -> None:
    """The batch service has heard of the plan, and so has who is told at the same time."""
    async with asyncio.timeout(10):
        while True:
            found = (await client.get("/api/v1/usage/quotas")).raise_for_status().json()
            if any(one["name"] == "images_month" and one["limit"] for one in found["items"]):
                return
            await asyncio.sleep(0.05)


async def _compared(
    name: str, clients: dict[str, httpx.AsyncClient], path: str, content: bytes, times: int
) -> dict[str, float]:
    waits: dict[str, list[float]] = {tenant: [] for tenant in clients}
    for turn in range(times + 10):
        for tenant, client in clients.items():
            began = time.perf_counter()
            response = await client.post(
                path, content=content, headers={"content-type": "application/octet-stream"}
            )
            response.raise_for_status()
            if turn >= 10:
                waits[tenant].append((time.perf_counter() - began) * 1000)
    figures: dict[str, float] = {}
    for tenant, measured in waits.items():
        cuts = statistics.quantiles(measured, n=20)
        figures |= {f"{name}_{tenant}_p50": cuts[9], f"{name}_{tenant}_p95": cuts[18]}
    return figures


def _archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for number in range(IN_ONE):
            archive.writestr(f"{number:04}.jpg", _JPEG + number.to_bytes(4, "big") * 2_500)
    return buffer.getvalue()
