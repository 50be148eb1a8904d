"""Plans and test keys at the public API: what is beyond them is told before it starts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest

from libs.client import AsyncMannequin
from libs.client.errors import QuotaExceeded
from libs.common.bus.bus import Bus
from libs.common.bus.connect import connect
from libs.common.contracts import flow
from libs.common.contracts.ids import TenantId
from libs.common.contracts.tenants import IssueApiKey, KeyMode, Plan, Quotas, SetPlan
from tests.servers.photos import jpegs, numbered, zipped
from tests.servers.system import Caller, System

ZIP = {"content-type": "application/zip"}
JPEG = {"content-type": "image/jpeg"}


@pytest.fixture
async def operator(system: System) -> AsyncIterator[Bus]:
    bus = connect(system.supervisor.addresses.bus_url, flow.OPERATOR)
    await bus.start()
    yield bus
    await bus.close()


@pytest.fixture
async def caller(system: System) -> AsyncIterator[Caller]:
    async with system.tenant() as caller:
        yield caller


async def until(caller: httpx.AsyncClient, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The quotas by name once they are so."""
    async with asyncio.timeout(15):
        while True:
            items = (await caller.get("/api/v1/usage/quotas")).json()["items"]
            quotas = {one["name"]: one for one in items}
            if holds(quotas):
                return quotas
            await asyncio.sleep(0.05)


async def buys(operator: Bus, caller: Caller, **quotas: int) -> None:
    """A plan with these limits, once every service has heard of it, the gateway included."""
    quotas = {"archive_bytes": 1_000_000 + len(quotas)} | quotas
    await operator.request(SetPlan(plan=Plan(quotas=Quotas(**quotas))), tenant=caller.id)
    await until(caller.client, lambda found: all(found[name]["limit"] == quotas[name] for name in quotas))
    async with asyncio.timeout(15):
        large = bytes(quotas["archive_bytes"] + 200_000)
        while (await post(caller.client, large)).json().get("quota", {}).get("limit") != quotas[
            "archive_bytes"
        ]:
            await asyncio.sleep(0.1)


async def post(client: httpx.AsyncClient, content: bytes) -> httpx.Response:
    return await client.post("/api/v1/batch/process", content=content, headers=ZIP)


async def refused(client: httpx.AsyncClient, content: bytes) -> dict[str, Any]:
    """What the API says of a ZIP that the plan does not take."""
    response = await post(client, content)
    assert response.status_code == 402, response.text
    problem: dict[str, Any] = response.json()
    return problem


async def test_a_batch_beyond_the_month_is_told_so_before_it_starts(
    system: System, operator: Bus, caller: Caller, tmp_path: Path
) -> None:
    """402 with what, how much and when; nothing of it stays; what fits is counted by the bill."""
    await buys(operator, caller, images_month=5)
    problem = await refused(caller.client, zipped(numbered(jpegs(6))))
    assert problem["code"] == "quota_exceeded"
    quota = problem["quota"]
    assert (quota["what"], quota["limit"], quota["needed"]) == ("images_month", 5, 6)
    assert datetime.fromisoformat(quota["resets_at"]) > datetime.now(UTC)
    listed = (await caller.client.get("/api/v1/batches")).json()["items"]
    folder = Path(system.supervisor.addresses.objects_url.removeprefix("file://")) / "tenants" / caller.id
    assert len(list(folder.glob("batches/*/archive.zip"))) == len(listed)

    response = await post(caller.client, zipped(numbered(jpegs(3))))
    assert response.status_code == 202, response.text
    await caller.ended(response.json()["id"])
    quotas = await until(caller.client, lambda found: found["images_month"]["used"] == 3)
    assert quotas["images_month"]["reserved"] == 0

    archive = tmp_path / "more.zip"
    archive.write_bytes(zipped(numbered(jpegs(3))))
    async with AsyncMannequin(caller.key.get_secret_value(), system.api_url) as api:
        look = await api.batches.estimate(archive)
        assert look.quota is not None
        assert (look.quota.fits, look.quota.needed) == (False, 3)
        with pytest.raises(QuotaExceeded) as told:
            await api.batches.process(archive)
    assert (told.value.what, told.value.limit, told.value.used) == ("images_month", 5, 3)
    assert told.value.resets_at is not None


async def test_an_archive_that_is_too_large_for_the_plan_breaks_off(operator: Bus, caller: Caller) -> None:
    """402 for the plan's limit, by its bytes and by its photos."""
    content = zipped(numbered(jpegs(3)))
    await buys(operator, caller, archive_bytes=len(content) - 1)
    assert (await refused(caller.client, content))["quota"]["what"] == "archive_bytes"
    await buys(operator, caller, archive_items=2)
    assert (await refused(caller.client, content))["quota"] == {
        "what": "archive_items",
        "limit": 2,
        "used": 0,
        "needed": 3,
    }


async def test_a_test_key_renders_small_and_marked_and_for_nothing(
    system: System, operator: Bus, caller: Caller
) -> None:
    """Whatever the plan has left; the live render of the same photo is larger and clean."""
    await buys(operator, caller, images_month=1)
    params = {"wait": "30", "size": "1500", "background": "#ffffff"}
    photo = jpegs(1)[0]
    async with with_test_key(system, operator, caller.id) as test:
        marked = await test.post("/api/v1/images", content=photo, headers=JPEG, params=params)
        assert marked.status_code == 200, marked.text
        shown = (await test.get(f"/api/v1/images/{marked.headers['image-id']}")).json()
        batch = (await test.get(f"/api/v1/batches/{shown['batch_id']}")).json()
        archive = await post(test, zipped(numbered(jpegs(2))))
        assert archive.json()["test"] is True
        ended = await caller.ended(archive.json()["id"])
    clean = await caller.client.post("/api/v1/images", content=photo, headers=JPEG, params=params)
    assert clean.status_code == 200, clean.text

    assert (shown["test"], shown["billable"], batch["test"]) == (True, False, True)
    assert (ended["counts"]["completed"], ended["counts"]["billable"]) == (2, 0)
    small, large = picture(marked.content), picture(clean.content)
    assert max(small.shape[:2]) == 1024
    assert max(large.shape[:2]) == 1500
    same = cv2.resize(large, small.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert float((np.abs(small.astype(int) - same).max(axis=2) > 40).mean()) > 0.05
    quotas = await until(caller.client, lambda found: found["images_month"]["used"] == 1)
    assert quotas["test_images_day"]["used"] == 3
    charged = (await caller.client.get("/api/v1/usage")).json()["total"]["images"]
    assert charged == 1


async def test_the_day_of_test_keys_ends_with_429(system: System, operator: Bus, caller: Caller) -> None:
    """With when to come again."""
    async with with_test_key(system, operator, caller.id) as test:
        photo = jpegs(1)[0]
        content = zipped([(f"{n}.jpg", photo + bytes([n % 256, n // 256])) for n in range(201)])
        response = await post(test, content)
    assert response.status_code == 429, response.text
    problem = response.json()
    assert problem["code"] == "test_quota_exceeded"
    assert (problem["quota"]["limit"], problem["quota"]["needed"]) == (200, 201)
    assert 1 <= int(response.headers["retry-after"]) <= 86_400


@asynccontextmanager
async def with_test_key(system: System, operator: Bus, tenant: TenantId) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody with a test key of the tenant, which the gateway knows."""
    issued = await operator.request(IssueApiKey(mode=KeyMode.TEST), tenant=tenant)
    headers = {"authorization": f"Bearer {issued.secret.get_secret_value()}"}
    async with httpx.AsyncClient(base_url=system.api_url, headers=headers, timeout=60) as client:
        async with asyncio.timeout(10):
            while (await client.get("/api/v1/batches")).status_code != 200:
                await asyncio.sleep(0.05)
        yield client


def picture(data: bytes) -> np.ndarray[Any, Any]:
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert found is not None
    return np.asarray(found)
