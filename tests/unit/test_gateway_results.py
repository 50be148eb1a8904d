"""`results.zip`, made from objects in a folder."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from libs.common.contracts.batch import Batch, BatchStatus, Counts, Failure, Image, ImageStatus
from libs.common.contracts.ids import BatchId, ImageId
from libs.common.contracts.options import RenderOptions
from libs.common.errors import NotFound
from libs.common.objects import Objects
from services.gateway.results import ResultsZip
from services.gateway.views import Links

BATCH = Batch(
    id=BatchId.new(),
    status=BatchStatus.COMPLETED,
    options=RenderOptions(),
    counts=Counts(),
    progress=1,
    created_at=datetime(2026, 1, 2, tzinfo=UTC),
    ended_at=datetime(2026, 1, 2, 3, 4, 6, tzinfo=UTC),
)
BIG = bytes(range(256)) * 8192  # 2 MiB: several blocks of the archive


def completed(name: str, key: str, content: bytes) -> Image:
    return Image(
        id=ImageId.new(),
        batch_id=BATCH.id,
        position=0,
        name=name,
        status=ImageStatus.COMPLETED,
        media_type="image/webp",
        size=len(content),
        result_key=key,
    )


def refused(name: str) -> Image:
    failure = Failure(code="not_an_image", detail="no picture")
    return Image(
        id=ImageId.new(),
        batch_id=BATCH.id,
        position=1,
        name=name,
        status=ImageStatus.REFUSED,
        failure=failure,
    )


@pytest.fixture
def objects(tmp_path: Path) -> Objects:
    return Objects(tmp_path.as_uri())


async def packed(objects: Objects, *images: Image) -> zipfile.ZipFile:
    archive = ResultsZip(BATCH, images, Links("http://api.test"))
    return zipfile.ZipFile(io.BytesIO(b"".join([block async for block in archive.stream(objects)])))


async def test_results_are_whole_and_the_manifest_is_last(objects: Objects) -> None:
    """Those without a result are in the manifest alone, with the reason."""
    await objects.put("a", BIG)
    images = (completed("spring/shirt.jpg", "a", BIG), refused("notes.txt"))
    archive = await packed(objects, *images)
    assert archive.testzip() is None
    assert archive.namelist() == ["spring/shirt.webp", "manifest.json"]
    assert archive.read("spring/shirt.webp") == BIG
    manifest = json.loads(archive.read("manifest.json"))
    assert manifest["batch"]["id"] == BATCH.id
    assert [image["file"] for image in manifest["images"]] == ["spring/shirt.webp", None]
    assert manifest["images"][1]["failure"]["code"] == "not_an_image"
    assert "result_key" not in manifest["images"][0]


async def test_pictures_are_stored_and_not_compressed_again(objects: Objects) -> None:
    """Compressing costs time and gains nothing; the overhead is some bytes a block."""
    await objects.put("a", BIG)
    entry = (await packed(objects, completed("x.jpg", "a", BIG))).getinfo("x.webp")
    assert len(BIG) <= entry.compress_size < len(BIG) * 1.001


async def test_a_batch_without_results_is_its_manifest(objects: Objects) -> None:
    """It says why of every photo."""
    assert (await packed(objects, refused("x.txt"))).namelist() == ["manifest.json"]


async def test_a_missing_object_breaks_the_download(objects: Objects) -> None:
    """Rather than ending it as if it were whole."""
    with pytest.raises(NotFound):
        await packed(objects, completed("x.jpg", "gone", b"x"))
