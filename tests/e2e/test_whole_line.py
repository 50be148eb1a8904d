"""From a ZIP in to a signed webhook out, through the public API of a running system."""

from __future__ import annotations

import asyncio
import json
import time
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from standardwebhooks.webhooks import Webhook

from deploy.local.demo.receiver import receiver
from libs.client import AsyncMannequin
from libs.client.errors import Unauthorized
from tests.servers.photos import jpegs, numbered, zipped
from tests.servers.system import Caller, System


@pytest.fixture
async def caller(system: System) -> AsyncIterator[Caller]:
    async with system.tenant() as caller:
        yield caller


def client(system: System, caller: Caller) -> AsyncMannequin:
    return AsyncMannequin(caller.key.get_secret_value(), system.api_url)


async def test_a_zip_goes_in_and_pictures_and_a_signed_webhook_come_out(
    system: System, caller: Caller, tmp_path: Path
) -> None:
    """What is no photo is refused by itself; the same photo twice is one result; the rest is rendered."""
    photos = jpegs(4)
    archive = tmp_path / "shoot.zip"
    files = [
        *numbered(photos),
        ("again.jpg", photos[0]),
        ("notes.txt", b"hello"),
        ("broken.jpg", photos[1][:900]),
    ]
    archive.write_bytes(zipped(files))
    async with client(system, caller) as api, receiver() as hooks:
        endpoint = await api.webhook_endpoints.create(hooks.url)
        assert endpoint.secret is not None
        batch = await api.batches.process(archive, options={"background": "#ffffff", "size": 200})
        ended = await api.batches.wait(batch.id, timeout_s=60)
        arrived = await asyncio.wait_for(hooks.arrivals.get(), 20)
        results = await api.batches.download(batch.id, tmp_path / "results.zip")

    assert ended.status == "completed"
    counts = ended.counts
    assert (counts.completed, counts.refused, counts.failed, counts.duplicates) == (5, 1, 1, 1)
    told = Webhook(endpoint.secret.get_secret_value()).verify(arrived.body, dict(arrived.headers))
    assert (told["type"], told["data"]["batch"]["id"]) == ("batch.completed", batch.id)
    _check_results(results)


def _check_results(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        manifest = json.loads(archive.read("manifest.json"))
        by_name = {image["name"]: image for image in manifest["images"]}
        assert by_name["notes.txt"]["failure"]["code"] == "not_an_image"
        assert by_name["broken.jpg"]["failure"]["code"] in ("truncated", "corrupt")
        for name in ("photo-000.jpg", "again.jpg"):
            picture = cv2.imdecode(
                np.frombuffer(archive.read(by_name[name]["file"]), np.uint8), cv2.IMREAD_COLOR
            )
            assert picture is not None
            assert max(picture.shape[:2]) == 200


async def test_a_single_photo_is_answered_with_its_picture(caller: Caller) -> None:
    """Within the time that the caller waits."""
    response = await caller.client.post(
        "/api/v1/images", content=jpegs(1)[0], headers={"content-type": "image/jpeg"}, params={"wait": 30}
    )
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "image/png"
    picture = cv2.imdecode(np.frombuffer(response.content, np.uint8), cv2.IMREAD_UNCHANGED)
    assert picture is not None
    assert picture.shape == (400, 300, 4)


async def test_an_archive_that_lies_fails_by_name(caller: Caller) -> None:
    """Accepted as an upload, refused as a batch, with the reason."""
    response = await caller.client.post(
        "/api/v1/batch/process",
        content=b"PK\x03\x04" + b"\0" * 100,
        headers={"content-type": "application/zip"},
    )
    assert response.status_code == 202, response.text
    batch = await caller.ended(response.json()["id"])
    assert batch["status"] == "failed"
    assert batch["failure"]["code"] == "not_a_zip"


async def test_the_same_request_twice_is_one_batch(caller: Caller) -> None:
    """By its idempotency key; another body under the same key is refused."""
    archive, other = zipped(numbered(jpegs(1))), zipped(numbered(jpegs(2)))
    headers = {"content-type": "application/zip", "idempotency-key": "spring drop"}

    async def post(content: bytes) -> tuple[int, dict[str, str]]:
        response = await caller.client.post("/api/v1/batch/process", content=content, headers=headers)
        return response.status_code, response.json()

    first, again, reused = await post(archive), await post(archive), await post(other)
    assert first[0] == again[0] == 202
    assert first[1]["id"] == again[1]["id"]
    assert (reused[0], reused[1]["code"]) == (422, "idempotency_key_reused")


async def test_a_revoked_key_stops_working_within_a_second(system: System, caller: Caller) -> None:
    """On the gateway that never asks anybody about a key."""
    async with client(system, caller) as api:
        await api.batches.list()
        await system.revoke(caller)
        revoked = time.monotonic()
        async with asyncio.timeout(5):
            while await _works(api):
                pass
        assert time.monotonic() - revoked < 1.0


async def _works(api: AsyncMannequin) -> bool:
    try:
        await api.batches.list()
    except Unauthorized:
        return False
    return True


async def test_events_resume_after_the_last_one_seen(system: System, caller: Caller) -> None:
    """A broken stream goes on with what came later, and leaves nothing out."""
    response = await caller.client.post(
        "/api/v1/batch/process",
        content=zipped(numbered(jpegs(6))),
        headers={"content-type": "application/zip"},
    )
    batch_id = response.json()["id"]
    async with client(system, caller) as api:
        await api.batches.wait(batch_id, timeout_s=60)
        whole = [event async for event in api.batches.events(batch_id) if event.kind == "image"]
        rest = [event async for event in api.batches.events(batch_id, whole[2].id) if event.kind == "image"]
    assert [event.id for event in whole] == ["1", "2", "3", "4", "5", "6"]
    assert [event.id for event in rest] == ["4", "5", "6"]


async def test_a_range_of_a_result_can_be_fetched(caller: Caller) -> None:
    """With its entity tag, by which a copy is found to be fresh."""
    posted = await caller.client.post(
        "/api/v1/images", content=jpegs(1)[0], headers={"content-type": "image/jpeg"}, params={"wait": 0}
    )
    image = posted.json()
    await caller.ended(image["batch_id"])
    url = f"/api/v1/images/{image['id']}/result"
    whole = await caller.client.get(url)
    part = await caller.client.get(url, headers={"range": "bytes=10-19"})
    fresh = await caller.client.get(url, headers={"if-none-match": whole.headers["etag"]})
    assert (part.status_code, part.content) == (206, whole.content[10:20])
    assert fresh.status_code == 304
    assert cv2.imdecode(np.frombuffer(whole.content, np.uint8), -1) is not None
