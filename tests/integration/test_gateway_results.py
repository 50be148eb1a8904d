"""Renditions, artefacts, pairs and bills as the public API of a running system shows them."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import AsyncIterator
from typing import Any

import cv2
import numpy as np
import pytest

from tests.servers.photos import jpegs, zipped
from tests.servers.system import Caller, System

ZIP = {"content-type": "application/zip"}
JPEG = {"content-type": "image/jpeg"}
RENDITIONS = [{"name": "thumb", "size": 64, "format": "webp"}, {"name": "white", "background": "#ffffff"}]
ALL = {"artefacts": "true", "renditions": json.dumps(RENDITIONS)}


@pytest.fixture
async def caller(system: System) -> AsyncIterator[Caller]:
    async with system.tenant() as caller:
        yield caller


async def processed(caller: Caller, files: list[tuple[str, bytes]], **options: str) -> dict[str, Any]:
    posted = await caller.client.post(
        "/api/v1/batch/process", content=zipped(files), headers=ZIP, params=options
    )
    assert posted.status_code == 202, posted.text
    return await caller.ended(posted.json()["id"])


async def images_of(caller: Caller, batch: dict[str, Any]) -> dict[str, dict[str, Any]]:
    items = (await caller.client.get(batch["links"]["images"])).json()["items"]
    return {image["name"]: image for image in items}


async def test_every_file_of_a_result_can_be_fetched_by_its_link(caller: Caller) -> None:
    """It is the file that its size and checksum tell of; ranges and entity tags work as for a result."""
    batch = await processed(caller, [("a.jpg", jpegs(1)[0])], **ALL)
    image = (await images_of(caller, batch))["a.jpg"]
    assert [file["name"] for file in image["renditions"]] == ["thumb", "white"]
    assert {file["name"] for file in image["artefacts"]} >= {"alpha", "classes", "synthesized"}
    for file in (*image["renditions"], *image["artefacts"]):
        whole = await caller.client.get(file["url"])
        assert (whole.status_code, whole.headers["content-type"]) == (200, file["media_type"])
        assert (len(whole.content), hashlib.sha256(whole.content).hexdigest()) == (
            file["size"],
            file["sha256"],
        )
        picture = cv2.imdecode(np.frombuffer(whole.content, np.uint8), cv2.IMREAD_UNCHANGED)
        assert picture is not None
        assert picture.shape[:2] == (file["height"], file["width"])
        part = await caller.client.get(file["url"], headers={"range": "bytes=2-5"})
        fresh = await caller.client.get(file["url"], headers={"if-none-match": whole.headers["etag"]})
        assert (part.status_code, part.content, fresh.status_code) == (206, whole.content[2:6], 304)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("renditions/none", 404, "rendition_not_found"),
        ("artefacts/none", 404, "artefact_not_found"),
        ("renditions/alpha", 404, "rendition_not_found"),
        ("artefacts/thumb", 404, "artefact_not_found"),
        ("renditions/..%2F..%2Fphoto", 404, "not_found"),
        ("renditions/NONE", 422, "invalid"),
    ],
)
async def test_a_file_that_is_not_there_is_told_by_name(
    caller: Caller, path: str, status: int, code: str
) -> None:
    """No name leads anywhere but to a file of the image."""
    posted = await caller.client.post(
        "/api/v1/images", content=jpegs(1)[0], headers=JPEG, params={**ALL, "wait": 30}
    )
    assert posted.status_code == 200, posted.text
    response = await caller.client.get(f"/api/v1/images/{posted.headers['image-id']}/{path}")
    assert (response.status_code, response.json()["code"]) == (status, code)


async def test_a_pair_is_one_result_and_the_manifest_tells_of_both(caller: Caller) -> None:
    """The results' ZIP has the files of the front alone, renditions and artefacts in folders."""
    photos = jpegs(4)
    files = [
        ("s/A_front.jpg", photos[0]),
        ("s/A_inside.jpg", photos[1]),
        ("s/x.jpg", photos[2]),
        ("s/y.jpg", photos[3]),
        ("s/manifest.csv", b"file,inside,sku,garment\nx.jpg,y.jpg,K-7,top\nz.jpg,,,"),
    ]
    batch = await processed(caller, files, **ALL)
    counts = batch["counts"]
    assert (counts["completed"], counts["paired"], counts["refused"]) == (2, 2, 1)
    archive = zipfile.ZipFile(io.BytesIO((await caller.client.get(batch["links"]["results"])).content))
    assert archive.testzip() is None
    names = set(archive.namelist())
    assert {"s/A_front.png", "s/x.png", "renditions/thumb/s/x.webp", "artefacts/alpha/s/A_front.png"} <= names
    assert not [name for name in names if "inside" in name or "y." in name]
    told = {image["name"]: image for image in json.loads(archive.read("manifest.json"))["images"]}
    assert (told["s/A_inside.jpg"]["status"], told["s/A_inside.jpg"]["paired_with"]) == (
        "paired",
        "s/A_front.jpg",
    )
    assert (told["s/x.jpg"]["sku"], told["s/x.jpg"]["garment"]) == ("K-7", "top")
    assert told["s/manifest.csv"]["failure"]["code"] == "manifest_rows_ignored"
    assert told["s/x.jpg"]["renditions"][0]["file"] == "renditions/thumb/s/x.webp"
    assert {"drift", "findings", "landmarks", "preserved_fraction"} <= set(told["s/x.jpg"])
    marked = told["s/x.jpg"]
    assert (marked["synthesized_fraction"] > 0) == (marked["digital_source_type"] is not None)
    result = await caller.client.get(marked["links"]["result"])
    assert result.headers.get("image-digital-source-type") == marked["digital_source_type"]
    inside = await caller.client.get(told["s/y.jpg"]["links"]["result"])
    assert (inside.status_code, inside.json()["code"]) == (409, "image_not_completed")


async def test_what_is_rejected_is_not_billed(caller: Caller) -> None:
    """The image, the batch, and the answer of a single photo all say so."""
    wall = cv2.imencode(".png", np.full((300, 200, 3), 200, np.uint8))[1].tobytes()
    batch = await processed(caller, [("wall.png", wall), ("a.jpg", jpegs(1)[0])])
    images = await images_of(caller, batch)
    assert (images["wall.png"]["verdict"], images["wall.png"]["billable"]) == ("rejected", False)
    rejected = sum(image["verdict"] == "rejected" for image in images.values())
    assert (batch["counts"]["rejected"], batch["counts"]["billable"]) == (rejected, 2 - rejected)
    single = await caller.client.post(
        "/api/v1/images", content=wall, headers={"content-type": "image/png"}, params={"wait": 30}
    )
    assert (single.status_code, single.headers["image-billable"]) == (200, "false")


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"renditions": "[{"}, "renditions"),
        ({"renditions": '[{"name": "a", "size": 3}]'}, "renditions.0.size"),
        ({"garment": "hat"}, "garment"),
        ({"fill": "2"}, "fill"),
        ({"aspect": "wide"}, "aspect"),
        ({"inside_pattern": "(a+)+$"}, "inside_pattern"),
    ],
)
async def test_an_option_that_does_not_fit_is_named(
    caller: Caller, options: dict[str, str], field: str
) -> None:
    """Before the archive is taken."""
    response = await caller.client.post(
        "/api/v1/batch/process", content=zipped([]), headers=ZIP, params=options
    )
    assert (response.status_code, response.json()["field"]) == (422, field)
