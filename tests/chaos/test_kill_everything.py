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
from pathlib import Path

import asyncpg
import pytest

from deploy.local.demo.receiver import Receiver, receiver
from deploy.local.restarts import RestartRule
from deploy.local.state import State
from deploy.local.supervisor import Bus, Supervisor
from libs.client import AsyncMannequin, verify_webhook
from libs.client.models import Batch
from libs.client.retry import RetryPolicy
from tests.servers.deadly_inference import DEADLY
from tests.servers.photos import jpegs, numbered, zipped
from tests.servers.system import System

IMAGES = 300
FAULTS = 10
SERVICES = ("tenants", "batch", "inference", "webhooks", "gateway")
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


def plan(broker: str) -> Sequence[str]:
    """Whom to kill: each service and the broker at least once, at random."""
    victims = [*SERVICES, broker, broker]
    victims += random.choices(SERVICES, k=FAULTS - len(victims))
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


@pytest.mark.timeout(400)
@pytest.mark.parametrize("bus", list(Bus))
async def test_nothing_is_lost_or_doubled_whatever_dies(bus: Bus, tmp_path: Path) -> None:
    """Ten kills during a batch of 300: each image once, each good one charged once, one `batch.completed`."""
    archive = tmp_path / "photos.zip"
    archive.write_bytes(zipped(numbered(jpegs(IMAGES, (800, 600)))))
    async with watched(tmp_path / "state", bus) as supervisor, receiver() as hooks:
        _, _, key = await System(supervisor).make_tenant("a shop in a storm")
        async with AsyncMannequin(
            key.get_secret_value(), supervisor.addresses.api_url, retry=PATIENT
        ) as client:
            endpoint = await client.webhook_endpoints.create(hooks.url)
            assert endpoint.secret is not None
            batch = await client.batches.process(archive)
            await kill_now_and_then(supervisor, plan(supervisor.broker.name))
            ended = await client.batches.wait(batch.id, timeout_s=240)
            arrived = await _webhooks(hooks, endpoint.secret.get_secret_value())
            images = [image async for image in client.batches.images(batch.id)]

        assert (ended.status, ended.counts.completed) == ("completed", IMAGES), ended
        assert sorted(image.name for image in images) == [name for name, _ in numbered([b""] * IMAGES)]
        billable = ended.counts.billable
        assert billable == IMAGES - ended.counts.rejected == sum(image.billable for image in images)
        assert await _told(supervisor) == {"deliveries": 1, "charges": billable, "charged images": billable}
        assert len(set(arrived)) == 1
        assert _results(supervisor, ended) == IMAGES


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
