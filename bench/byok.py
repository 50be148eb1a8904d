"""What a tenant's own key costs an image on its way, and how soon its owner hears that it failed.

`overhead`: the same small photos through the same pipeline with the network left out, once on the platform's
way and once on a key's: routing, reservation, lease, the remote worker, the charge. Time, and the CPU of all
processes. `key_fault_to_webhook`: from the first refused call of a real server (MLServer) to the webhook.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import statistics
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

from pydantic import SecretStr

from bench import photos
from bench.line import Line, Tenant, line
from deploy.local.demo.account import make_enterprise_account, once_planned
from deploy.local.demo.own_key import own_account
from deploy.local.demo.receiver import receiver
from deploy.local.servers.mlserver import MODEL_NAME
from deploy.local.supervisor import Bus
from libs.client import AsyncMannequin

ITEMS = 300
ROUNDS = 5
FAILURES = 15
_ONE_ANSWER = {"inference": "bench.one_answer", "inference-remote": "bench.one_answer"}


async def run() -> dict[str, float]:
    archive = photos.small_archive(ITEMS)
    costs: dict[str, list[tuple[float, float]]] = {"plain": [], "byok": []}
    async with (
        line(Bus.NATS, _ONE_ANSWER) as running,
        running.tenant("plain") as plain,
        _keyed(running) as keyed,
    ):
        for _ in range(ROUNDS):
            costs["plain"].append(await _costs(running, plain, archive))
            costs["byok"].append(await _costs(running, keyed, archive))
    figures: dict[str, float] = {}
    for place, what in enumerate(("ms_an_image", "cpu_ms_an_image")):
        plain_ms, byok_ms = (statistics.median(c[place] for c in costs[way]) for way in ("plain", "byok"))
        figures |= {
            f"{what}_plain": plain_ms,
            f"{what}_byok": byok_ms,
            f"{what}_overhead": byok_ms - plain_ms,
        }
    return figures | {"key_fault_to_webhook_ms_p50": await _key_fault_to_webhook_ms()}


async def _costs(running: Line, tenant: Tenant, archive: Path) -> tuple[float, float]:
    """Milliseconds and CPU milliseconds of all processes, an image."""
    before = running.cpu_s()
    batch = await tenant.submit(archive)
    took = await tenant.done(batch) - batch.accepted
    return took * 1000 / ITEMS, (running.cpu_s() - before) * 1000 / ITEMS


@asynccontextmanager
async def _keyed(running: Line) -> AsyncIterator[Tenant]:
    """A tenant whose images are computed on its own key and nowhere else."""
    account = await make_enterprise_account(running.system.addresses, "keyed")
    async with running.tenant_of(account) as tenant:
        await _store(AsyncMannequin(account.key.get_secret_value(), running.system.addresses.api_url))
        yield tenant


async def _store(client: AsyncMannequin, url: str = "http://127.0.0.1:9", key: str = "") -> str:
    settings = {"url": url, "model": MODEL_NAME}
    secret = {"bearer": SecretStr(key or secrets.token_urlsafe(16))}
    create = client.credentials.create
    stored = await once_planned(lambda: create("open-inference", "bench", secret, settings=settings))
    await once_planned(lambda: client.routing_policy.set("byok_only"))
    return stored.id


async def _key_fault_to_webhook_ms() -> float:
    """The median over keys that are revoked and then used by a photo."""
    waits = []
    async with line(Bus.NATS) as running, own_account(running.state) as (server, _), receiver() as hooks:
        addresses = running.system.addresses
        account = await make_enterprise_account(addresses, "failing")
        async with AsyncMannequin(account.key.get_secret_value(), addresses.api_url) as client:
            await client.webhook_endpoints.create(hooks.url, types=["credential.failed"])
            for number in range(FAILURES):
                key = secrets.token_urlsafe(16)
                server.accept(key)
                credential = await _store(client, server.grpc_url, key)
                server.revoke(key)
                batch = await client.batches.process(photos.archive(number + 1))
                told = await asyncio.wait_for(hooks.arrivals.get(), 60)
                first = datetime.fromisoformat(json.loads(told.body)["data"]["first_fault_at"])
                waits.append((told.at - first.timestamp()) * 1000)
                await client.batches.cancel(batch.id)
                await client.credentials.delete(credential)
    return statistics.median(waits)
