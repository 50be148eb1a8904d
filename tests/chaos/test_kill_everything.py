"""Traffic, faults, and a checker: whatever is killed, every accepted image ends once and is billed once."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr

from deploy.local.demo.account import make_enterprise_account, once_planned
from deploy.local.demo.own_key import own_account
from deploy.local.demo.receiver import Receiver, receiver
from deploy.local.environment import PROCESSES
from deploy.local.restarts import RestartRule
from deploy.local.servers.mlserver import MODEL_NAME, MlServer
from deploy.local.state import State
from deploy.local.supervisor import Bus, Supervisor
from libs.client import AsyncMannequin, verify_webhook
from libs.client.models import Batch
from libs.client.retry import RetryPolicy
from tests.servers.deadly_inference import DEADLY
from tests.servers.photos import jpegs, numbered, zipped
from tests.servers.system import System

IMAGES = 150
FAULTS = 12
_WRONG_ROUTE = """
select count(*) from batch.charges
where (payer = 'tenant') <> (tenant_id in (select tenant_id from keyvault.credentials))
"""
PATIENT = RetryPolicy(attempts=60, base_s=0.2, longest_s=1.0)


@asynccontextmanager
async def watched(folder: Path, bus: Bus, modules: dict[str, str] | None = None) -> AsyncIterator[Supervisor]:
    """A system whose processes are started again when they die."""
    rule = lambda: RestartRule(limit=100)  # noqa: E731
    supervisor = Supervisor(State(folder), bus, modules=modules, rule=rule)
    for server in supervisor.servers.values():
        if reason := server.available():
            (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"{server.name}: {reason}")
    async with supervisor:
        watching = asyncio.create_task(supervisor.watch())
        try:
            yield supervisor
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching


def plan(supervisor: Supervisor) -> Sequence[str]:
    """Whom to kill: each process, the vault and the broker at least once, at random."""
    victims = [*PROCESSES, supervisor.vault.name, supervisor.broker.name, supervisor.broker.name]
    victims += random.choices(list(PROCESSES), k=FAULTS - len(victims))
    random.shuffle(victims)
    return victims


async def kill_now_and_then(supervisor: Supervisor, victims: Sequence[str]) -> None:
    """`kill -9` a service, restart the broker; each time once the last victim is back."""
    for victim in victims:
        server = supervisor.servers[victim]
        async with asyncio.timeout(60):
            while not server.pids:
                await asyncio.sleep(0.05)
        await asyncio.sleep(random.uniform(0.2, 2.5))  # the point of the test: any moment may be the one
        how = signal.SIGTERM if victim == supervisor.broker.name else signal.SIGKILL
        for pid in server.pids:
            with suppress(ProcessLookupError):
                os.kill(pid, how)


@pytest.mark.timeout(500)
@pytest.mark.parametrize("bus", list(Bus))
async def test_nothing_is_lost_or_doubled_whatever_dies(bus: Bus, tmp_path: Path) -> None:
    """Twelve kills during two batches of 150, one of them on a tenant's own key: each image once, each good
    one charged once, one `batch.completed` a batch, and the key is not blamed for what was killed.
    """
    archive = tmp_path / "photos.zip"
    archive.write_bytes(zipped(numbered(jpegs(IMAGES, (800, 600)))))
    async with watched(tmp_path / "state", bus) as supervisor, own_account(State(tmp_path / "own")) as own:
        async with receiver() as plain_hooks, receiver() as own_hooks:
            shops = [
                await _plain_shop(supervisor, plain_hooks),
                await _shop_with_its_own_key(supervisor, own_hooks, *own),
            ]
            async with shops[0].client, shops[1].client:
                batches = [await shop.client.batches.process(archive) for shop in shops]
                await kill_now_and_then(supervisor, plan(supervisor))
                ended = [await _ended(shop, batch.id) for shop, batch in zip(shops, batches, strict=True)]
        billable = sum(batch.counts.billable for batch in ended)
        assert await _told(supervisor) == {
            "deliveries": 2,
            "charges": billable,
            "charged images": billable,
            "charged on the wrong route": 0,
            "keys that were blamed": 0,
        }
        assert [_results(supervisor, batch) for batch in ended] == [IMAGES, IMAGES]


@dataclass
class Shop:
    """A tenant in the storm. secret: of its webhooks."""

    client: AsyncMannequin
    hooks: Receiver
    secret: str


async def _plain_shop(supervisor: Supervisor, hooks: Receiver) -> Shop:
    _, _, key = await System(supervisor).make_tenant("a shop in a storm")
    return await _shop(key, supervisor, hooks)


async def _shop_with_its_own_key(
    supervisor: Supervisor, hooks: Receiver, server: MlServer, key: SecretStr
) -> Shop:
    account = await make_enterprise_account(supervisor.addresses, "a shop of its own in a storm")
    shop = await _shop(account.key, supervisor, hooks)
    settings = {"url": server.url, "model": MODEL_NAME}
    create = shop.client.credentials.create
    await once_planned(lambda: create("open-inference", "own", {"bearer": key}, settings=settings))
    await once_planned(lambda: shop.client.routing_policy.set("byok_only"))
    return shop


async def _shop(key: SecretStr, supervisor: Supervisor, hooks: Receiver) -> Shop:
    url = supervisor.addresses.api_url
    client = AsyncMannequin(key.get_secret_value(), url, retry=PATIENT)
    endpoint = await client.webhook_endpoints.create(hooks.url)
    assert endpoint.secret is not None
    return Shop(client, hooks, endpoint.secret.get_secret_value())


async def _ended(shop: Shop, batch_id: str) -> Batch:
    """The batch at its end: every image of it once, told of once."""
    batch = await shop.client.batches.wait(batch_id, timeout_s=300)
    images = [image async for image in shop.client.batches.images(batch_id)]
    assert (batch.status, batch.counts.completed) == ("completed", IMAGES), batch
    assert sorted(image.name for image in images) == [name for name, _ in numbered([b""] * IMAGES)]
    billable = IMAGES - batch.counts.rejected
    assert batch.counts.billable == billable == sum(image.billable for image in images)
    assert len(set(await _webhooks(shop.hooks, shop.secret))) == 1
    return batch


async def _webhooks(hooks: Receiver, secret: str) -> list[str]:
    """The ids of what arrived, every signature verified; a repeated delivery has the same id."""
    first = await asyncio.wait_for(hooks.arrivals.get(), 60)
    arrived = [first, *(hooks.arrivals.get_nowait() for _ in range(hooks.arrivals.qsize()))]
    for webhook in arrived:
        assert verify_webhook(secret, webhook.headers, webhook.body)["type"] == "batch.completed"
    return [{k.lower(): v for k, v in webhook.headers.items()}["webhook-id"] for webhook in arrived]


async def _told(supervisor: Supervisor) -> dict[str, int]:
    connection = await asyncpg.connect(supervisor.postgres.url)
    try:
        return {
            "deliveries": await connection.fetchval("select count(*) from webhooks.deliveries"),
            "charges": await connection.fetchval("select count(*) from batch.charges"),
            "charged images": await connection.fetchval("select count(distinct image_id) from batch.charges"),
            "charged on the wrong route": await connection.fetchval(_WRONG_ROUTE),
            "keys that were blamed": await connection.fetchval(
                "select count(*) from keyvault.credentials where health in ('failed', 'recovered')"
            ),
        }
    finally:
        await connection.close()


def _results(supervisor: Supervisor, batch: Batch) -> int:
    root = Path(supervisor.addresses.objects_url.removeprefix("file://"))
    return len(list(root.glob(f"tenants/*/batches/{batch.id}/results/*.png")))


@pytest.mark.timeout(240)
async def test_a_picture_that_kills_its_worker_fails_alone(tmp_path: Path) -> None:
    """Three workers die of it; then it is failed by name, and its neighbours are completed."""
    good = jpegs(5)
    archive = tmp_path / "photos.zip"
    archive.write_bytes(zipped([*numbered(good), ("deadly.jpg", good[0] + DEADLY)]))
    modules = {"inference": "tests.servers.deadly_inference"}
    async with watched(tmp_path / "state", Bus.NATS, modules) as supervisor:
        _, _, key = await System(supervisor).make_tenant("an unlucky shop")
        async with AsyncMannequin(key.get_secret_value(), supervisor.addresses.api_url) as client:
            batch = await client.batches.process(archive)
            ended = await client.batches.wait(batch.id, timeout_s=180)
            images = [image async for image in client.batches.images(batch.id)]

    assert ended.status == "completed"
    statuses = Counter(image.status for image in images)
    assert statuses == {"completed": 5, "failed": 1}, json.dumps([i.model_dump(mode="json") for i in images])
    [failed] = [image for image in images if image.status == "failed"]
    assert failed.failure is not None
    assert (failed.name, failed.failure.code) == ("deadly.jpg", "killed_worker")
