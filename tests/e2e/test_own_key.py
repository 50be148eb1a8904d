"""A tenant's own key through the whole system: who is told when it fails, how soon, and who pays then."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from deploy.local.demo.account import make_enterprise_account, once_planned
from deploy.local.demo.receiver import Receiver, receiver
from deploy.local.ports import Ports
from deploy.local.servers.mlserver import MODEL_NAME, MlServer
from libs.client import AsyncMannequin
from libs.client.byok.models import Credential
from libs.client.models import Batch, Image
from tests.servers.mlserver import mlserver
from tests.servers.photos import jpegs, numbered, zipped
from tests.servers.planted import planted
from tests.servers.system import System

IMAGES = 12
FAILURES = 9
TOLD_WITHIN_S = 1.0


@pytest.fixture(scope="module")
def own_server(ports: Ports) -> Iterator[MlServer]:
    """The tenants' own inference server."""
    yield from mlserver(ports)


@asynccontextmanager
async def enterprise(system: System) -> AsyncIterator[AsyncMannequin]:
    account = await make_enterprise_account(system.supervisor.addresses, "an enterprise")
    async with AsyncMannequin(account.key.get_secret_value(), system.api_url) as client:
        yield client


async def test_a_single_photo_on_an_own_key_says_so_in_its_headers(
    system: System, own_server: MlServer
) -> None:
    """In the answer that brings the picture, and in that of its result later."""
    key = planted()
    account = await make_enterprise_account(system.supervisor.addresses, "an enterprise")
    async with (
        AsyncMannequin(account.key.get_secret_value(), system.api_url) as client,
        httpx.AsyncClient(base_url=system.api_url, headers=account.headers, timeout=60) as http,
    ):
        credential = await stored(client, own_server, key, "byok_only")
        made = await http.post("/api/v1/images", files={"file": ("coat.jpg", jpegs(1)[0])})
        again = await http.get(f"/api/v1/images/{made.headers['image-id']}/result")
    for answer in (made, again):
        assert answer.status_code == 200, answer.text
        named = [answer.headers[f"x-mannequin-{name}"] for name in ("route", "payer", "credential")]
        assert named == ["open-inference", "tenant", credential.id]


async def stored(client: AsyncMannequin, server: MlServer, key: str, policy: str) -> Credential:
    """A key of the tenant's server, accepted there, and the policy."""
    server.accept(key)
    settings = {"url": server.url, "model": MODEL_NAME}
    create = client.credentials.create
    made = await once_planned(
        lambda: create("open-inference", "own", {"bearer": SecretStr(key)}, settings=settings)
    )
    await once_planned(lambda: client.routing_policy.set(policy))
    assert made.health.state == "healthy", made.health
    return made


async def batch_of(client: AsyncMannequin, folder: Path, images: int = IMAGES) -> Batch:
    archive = folder / "photos.zip"
    archive.write_bytes(zipped(numbered(jpegs(images))))
    return await client.batches.process(archive)


async def images_of(client: AsyncMannequin, batch: Batch) -> list[Image]:
    return [image async for image in client.batches.images(batch.id)]


async def next_told(hooks: Receiver, kind: str) -> float:
    """When the next webhook of that type came (`time.time()`)."""
    async with asyncio.timeout(30):
        while True:
            arrived = await hooks.arrivals.get()
            if json.loads(arrived.body)["type"] == kind:
                return arrived.at


@pytest.mark.timeout(240)
async def test_the_owner_is_told_of_a_failed_key_within_a_second(
    system: System, own_server: MlServer
) -> None:
    """From the first refused call to `credential.failed` at its receiver, by a real clock; the median."""
    waits = []
    async with enterprise(system) as client, receiver() as hooks:
        await client.webhook_endpoints.create(hooks.url, types=["credential.failed"])
        for _ in range(FAILURES):
            key = planted()
            credential = await stored(client, own_server, key, "byok_only")
            own_server.revoke(key)
            began = time.time()
            await client.credentials.verify(credential.id)
            waits.append(await next_told(hooks, "credential.failed") - began)
            await client.credentials.delete(credential.id)
    assert statistics.median(waits) < TOLD_WITHIN_S, waits


@pytest.mark.timeout(240)
async def test_a_key_that_fails_half_way_costs_no_image(
    system: System, own_server: MlServer, tmp_path: Path
) -> None:
    """The platform does the rest where that was bought; every image names its route, and the sum is right."""
    key = planted()
    async with enterprise(system) as client, receiver() as hooks:
        await client.webhook_endpoints.create(hooks.url, types=["credential.failed"])
        credential = await stored(client, own_server, key, "byok_then_platform")
        first = await client.batches.wait((await batch_of(client, tmp_path)).id, timeout_s=120)
        own_server.revoke(key)
        second = await client.batches.wait((await batch_of(client, tmp_path)).id, timeout_s=120)
        await next_told(hooks, "credential.failed")
        usage = await client.usage.get(group_by=["payer"])
        by_batch = [await images_of(client, batch) for batch in (first, second)]

    assert [batch.counts.completed for batch in (first, second)] == [IMAGES, IMAGES]
    routes = [[image.route for image in images if image.billable] for images in by_batch]
    assert {(r.payer, r.provider, r.credential_id) for r in routes[0] if r} == {
        ("tenant", "open-inference", credential.id)
    }
    assert {(r.payer, r.provider, r.fallback) for r in routes[1] if r} == {("platform", "onnx", True)}
    assert all(route and route.reason for route in (*routes[0], *routes[1]))
    costs = {row.payer: row.cost for row in usage.rows}
    named = [sum((r.cost or Decimal(0) for r in some if r), Decimal(0)) for some in routes]
    assert costs == {"tenant": named[0], "platform": named[1]}


@pytest.mark.timeout(240)
async def test_what_waits_for_its_key_goes_on_when_the_key_is_replaced(
    system: System, own_server: MlServer, tmp_path: Path
) -> None:
    """Without a fallback nothing is lost and nothing silently computed elsewhere."""
    key, better = planted(), planted()
    async with enterprise(system) as client:
        credential = await stored(client, own_server, key, "byok_only")
        own_server.revoke(key)
        batch = await batch_of(client, tmp_path)
        async with asyncio.timeout(60):
            while (counts := (await client.batches.get(batch.id)).counts).parked < IMAGES:
                assert not counts.ended
                await asyncio.sleep(0.1)
        assert all(image.parked for image in await images_of(client, batch))

        own_server.accept(better)
        replaced = await client.credentials.replace(credential.id, {"bearer": SecretStr(better)})
        assert replaced.version == 2
        ended = await client.batches.wait(batch.id, timeout_s=120)
        images = await images_of(client, batch)
    assert ended.counts.completed == IMAGES
    assert {image.route.payer for image in images if image.route} == {"tenant"}
