"""`results.zip`, made from objects in a folder."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from libs.common.contracts.batch import Batch, BatchOptions, BatchStatus, Counts, Failure, Image, ImageStatus
from libs.common.contracts.ids import BatchId, ImageId
from libs.common.contracts.inference import FileKind, Landmarks, StoredFile
from libs.common.errors import NotFound
from libs.common.objects import Objects
from services.gateway.results import ResultsZip
from services.gateway.views import Links

BATCH = Batch(
    id=BatchId.new(),
    status=BatchStatus.COMPLETED,
    options=BatchOptions(),
    counts=Counts(),
    progress=1,
    created_at=datetime(2026, 1, 2, tzinfo=UTC),
    ended_at=datetime(2026, 1, 2, 3, 4, 6, tzinfo=UTC),
)
BIG = bytes(range(256)) * 8192  # 2 MiB: several blocks of the archive


def completed(name: str, key: str, content: bytes, **other: Any) -> Image:
    image = Image(
        id=ImageId.new(),
        batch_id=BATCH.id,
        position=0,
        name=name,
        status=ImageStatus.COMPLETED,
        media_type="image/webp",
        size=len(content),
        result_key=key,
    )
    return image.model_copy(update=other)


def stored(name: str, media_type: str, size: int = 1) -> StoredFile:
    return StoredFile(name=name, media_type=media_type, size=size, sha256="0" * 64, width=1, height=1)


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


async def test_renditions_and_artefacts_have_folders_of_their_own(objects: Objects) -> None:
    """Under the photos' names as well; a photo that is called like one of them stays another file."""
    beside = {"renditions": (stored("thumb", "image/jpeg"),), "artefacts": (stored("alpha", "image/png"),)}
    await objects.put("a", b"a")
    await objects.put("b", b"b")
    await objects.put(FileKind.RENDITION.key("a", "thumb"), b"r")
    await objects.put(FileKind.ARTEFACT.key("a", "alpha"), b"m")
    images = (
        completed("spring/shirt.jpg", "a", b"a", **beside),
        completed("renditions/thumb/spring/shirt.jpg", "b", b"b", media_type="image/jpeg"),
    )
    archive = await packed(objects, *images)
    assert archive.testzip() is None
    assert {name: archive.read(name) for name in archive.namelist()[:-1]} == {
        "spring/shirt.webp": b"a",
        "renditions/thumb/spring/shirt.jpg": b"b",
        "artefacts/alpha/spring/shirt.png": b"m",
        "renditions/thumb/spring/shirt (2).jpg": b"r",
    }
    first, second = json.loads(archive.read("manifest.json"))["images"]
    assert first["renditions"][0]["file"] == "renditions/thumb/spring/shirt (2).jpg"
    assert first["artefacts"][0]["file"] == "artefacts/alpha/spring/shirt.png"
    assert first["artefacts"][0]["url"].endswith(f"/images/{images[0].id}/artefacts/alpha")
    assert second["renditions"] == []


async def test_the_manifest_tells_how_each_photo_stands_among_the_others(objects: Objects) -> None:
    """Against the median of the batch, where there are landmarks."""

    def shoulders(left: float, right: float) -> dict[str, Any]:
        landmarks = Landmarks(left_shoulder=(left, 200), right_shoulder=(right, 200))
        return {"landmarks": landmarks, "photo_width": 1000, "photo_height": 1000}

    await objects.put("a", b"a")
    places = [(400, 600), (400, 600), (350, 650)]
    images = [completed(f"{n}.jpg", "a", b"a", **shoulders(*at)) for n, at in enumerate(places)]
    archive = await packed(objects, *images, refused("notes.txt"))
    told = [image["drift"] for image in json.loads(archive.read("manifest.json"))["images"]]
    assert told[0] == {"scale": 1.0, "x": 0.0, "y": 0.0, "rotation": 0.0}
    assert told[2]["scale"] == 1.5
    assert told[3] is None
