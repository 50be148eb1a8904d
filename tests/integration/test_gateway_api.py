"""The public API of a running system: uploads, answers and what is left behind."""

from __future__ import annotations

import asyncio
import io
import json
import socket
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.servers.photos import jpegs, numbered, zipped
from tests.servers.system import Caller, System

ZIP = {"content-type": "application/zip"}
JPEG = {"content-type": "image/jpeg"}


@pytest.fixture
async def caller(system: System) -> AsyncIterator[Caller]:
    async with system.tenant() as caller:
        yield caller


def form(archive: bytes, options: object, *, options_first: bool) -> list[tuple[str, tuple[str, bytes, str]]]:
    parts = [
        ("file", ("spring.zip", archive, "application/zip")),
        ("options", ("", json.dumps(options).encode(), "application/json")),
    ]
    return parts[::-1] if options_first else parts


@pytest.mark.parametrize("options_first", [True, False])
async def test_a_form_is_taken_with_its_options_in_either_place(caller: Caller, options_first: bool) -> None:
    """And the options are those of the batch, defaults filled in."""
    files = form(zipped(numbered(jpegs(1))), {"size": 64, "format": "webp"}, options_first=options_first)
    response = await caller.client.post("/api/v1/batch/process", files=files)
    assert response.status_code == 202, response.text
    batch = await caller.ended(response.json()["id"])
    assert (batch["options"]["size"], batch["options"]["format"], batch["options"]["quality"]) == (
        64,
        "webp",
        90,
    )


async def test_a_batch_can_be_read_at_once(caller: Caller) -> None:
    """Before the batch service may have heard of it, and through every link."""
    for _ in range(10):
        response = await caller.client.post("/api/v1/batch/process", content=zipped([]), headers=ZIP)
        links = response.json()["links"]
        assert response.headers["location"] == links["self"]
        assert (await caller.client.get(links["self"])).status_code == 200
        assert (await caller.client.get(links["images"])).status_code == 200


async def test_results_come_under_their_own_names_with_the_manifest_last(caller: Caller) -> None:
    """And not before the batch has ended."""
    photos = jpegs(3)
    files = [
        ("a/shirt.jpg", photos[0]),
        ("b/shirt.jpg", photos[1]),
        ("b/SHIRT.png", photos[2]),
        ("x.txt", b"x"),
    ]
    posted = await caller.client.post("/api/v1/batch/process", content=zipped(files), headers=ZIP)
    url = posted.json()["links"]["results"]
    early = await caller.client.get(url)
    await caller.ended(posted.json()["id"])
    archive = zipfile.ZipFile(io.BytesIO((await caller.client.get(url)).content))
    assert (early.status_code, early.json()["code"]) == (409, "batch_not_ended")
    assert archive.testzip() is None
    assert archive.namelist() == ["a/shirt.png", "b/shirt.png", "b/SHIRT (2).png", "manifest.json"]
    images = json.loads(archive.read("manifest.json"))["images"]
    assert [image["file"] for image in images] == ["a/shirt.png", "b/shirt.png", "b/SHIRT (2).png", None]
    assert "result_key" not in images[0]


async def test_listings_come_in_pages(caller: Caller) -> None:
    """Newest first, each once, and the cursor says nothing to anybody else."""
    ids = [
        (await caller.client.post("/api/v1/batch/process", content=zipped([]), headers=ZIP)).json()["id"]
        for _ in range(5)
    ]
    await asyncio.gather(*map(caller.ended, ids))
    seen: list[str] = []
    cursor: str | None = None
    while True:
        url = httpx.URL("/api/v1/batches", params={"limit": 2} | ({"cursor": cursor} if cursor else {}))
        page = (await caller.client.get(url)).json()
        seen += [batch["id"] for batch in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
        assert not set(ids) & {cursor}
    assert seen == ids[::-1]


async def test_a_photo_that_can_not_be_rendered_is_a_problem_with_its_reason(caller: Caller) -> None:
    """From the first bytes at once, or from the render a moment later."""
    text = await caller.client.post("/api/v1/images", content=b"no picture" * 100, headers=JPEG)
    broken = await caller.client.post("/api/v1/images", content=jpegs(1)[0][:600], headers=JPEG)
    assert (text.status_code, text.json()["code"]) == (422, "not_an_image")
    assert (broken.status_code, broken.headers["content-type"]) == (422, "application/problem+json")
    assert broken.json()["code"] in ("truncated", "corrupt")
    assert broken.json()["hint"]


async def test_a_photo_is_waited_for_or_followed(caller: Caller) -> None:
    """`wait=0` answers at once with links; the repeat under the same key waits for the same image."""
    headers = {**JPEG, "idempotency-key": "one photo"}
    first = await caller.client.post("/api/v1/images?wait=0", content=jpegs(1)[0], headers=headers)
    again = await caller.client.post("/api/v1/images?wait=30", content=jpegs(1)[0], headers=headers)
    assert first.status_code == 202
    assert (again.status_code, again.headers["idempotent-replayed"]) == (200, "true")
    assert again.headers["image-id"] == first.json()["id"]
    assert again.headers["image-verdict"] in ("publishable", "review", "rejected")
    result = await caller.client.get(first.json()["links"]["result"])
    assert result.content == again.content
    shown = (await caller.client.get(first.json()["links"]["self"])).json()
    assert shown["sha256"] == result.headers["etag"].strip('"')


async def test_an_upload_that_breaks_off_leaves_nothing(system: System, caller: Caller) -> None:
    """No batch, no object, and its idempotency key is free again."""
    _send_half(system, caller.key.get_secret_value(), "broken off")
    headers = {**ZIP, "idempotency-key": "broken off"}
    async with asyncio.timeout(10):
        while True:  # the gateway notices a moment later
            response = await caller.client.post("/api/v1/batch/process", content=zipped([]), headers=headers)
            if response.status_code != 409:
                break
            await asyncio.sleep(0.05)
    assert response.status_code == 202, response.text
    await caller.ended(response.json()["id"])
    listed = (await caller.client.get("/api/v1/batches")).json()["items"]
    assert [batch["id"] for batch in listed] == [response.json()["id"]]
    stored = [path for path in _objects(system).glob(f"tenants/{caller.id}/**/*") if path.is_file()]
    assert [path.parent.name for path in stored] == [response.json()["id"]]


def _send_half(system: System, key: str, idempotency_key: str) -> None:
    """Begin an upload of 100 MB, and hang up after ten."""
    url = httpx.URL(system.api_url)
    head = (
        f"POST /api/v1/batch/process HTTP/1.1\r\nHost: {url.host}\r\nAuthorization: Bearer {key}\r\n"
        f"Idempotency-Key: {idempotency_key}\r\n"
        "Content-Type: application/zip\r\nContent-Length: 100000000\r\n\r\n"
    )
    with socket.create_connection((url.host, url.port or 80)) as connection:
        connection.sendall(head.encode())
        connection.sendall(b"PK" * 5_000_000)


def _objects(system: System) -> Path:
    return Path(httpx.URL(system.supervisor.addresses.objects_url).path)


async def test_a_body_that_says_it_is_too_large_is_refused_before_it_is_sent(
    system: System, caller: Caller
) -> None:
    """A photo of over 50 MB is not even read."""
    url = httpx.URL(system.api_url)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(
        f"POST /api/v1/images HTTP/1.1\r\nHost: {url.host}\r\nX-API-Key: {caller.key.get_secret_value()}\r\n"
        "Content-Type: image/jpeg\r\nContent-Length: 60000000\r\nExpect: 100-continue\r\n\r\n".encode()
    )
    answer = await asyncio.wait_for(reader.readuntil(b"}"), 10)
    writer.close()
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b'"code":"body_too_large"' in answer


async def test_a_batch_is_cancelled_and_retried_by_its_state(caller: Caller) -> None:
    """An ended one can't be cancelled; one without failures has nothing to retry."""
    posted = await caller.client.post(
        "/api/v1/batch/process", content=zipped(numbered(jpegs(1))), headers=ZIP
    )
    batch_id = posted.json()["id"]
    await caller.ended(batch_id)
    cancelled = await caller.client.post(f"/api/v1/batches/{batch_id}/cancel")
    retried = await caller.client.post(f"/api/v1/batches/{batch_id}/retry")
    assert (cancelled.status_code, cancelled.json()["code"]) == (409, "batch_ended")
    assert (retried.status_code, retried.json()["code"]) == (409, "nothing_to_retry")


async def test_a_webhook_secret_is_shown_once(caller: Caller) -> None:
    """Not in a repeat, not in a listing; a rotated one is another."""
    headers = {"idempotency-key": "hook"}
    body = {"url": "http://127.0.0.1:9/hook"}
    created = await caller.client.post("/api/v1/webhook-endpoints", json=body, headers=headers)
    repeated = await caller.client.post("/api/v1/webhook-endpoints", json=body, headers=headers)
    url = created.headers["location"]
    rotated = await caller.client.post(f"{url}/rotate-secret", json={"overlap_s": 60})
    assert created.status_code == 201
    assert created.json()["secret"].startswith("whsec_")
    assert (repeated.json()["id"], repeated.json()["secret"]) == (created.json()["id"], None)
    assert rotated.json()["secret"] not in (None, created.json()["secret"])
    assert "secret" not in (await caller.client.get(url)).json()
    assert (await caller.client.delete(url)).status_code == 204
    assert (await caller.client.get(url)).status_code == 404
