"""Inside shots on their way from an archive to the worker, on a real database and a real folder."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from libs.common.contracts.batch import BatchOptions, Image
from libs.common.contracts.ids import BatchId
from libs.common.contracts.inference import ArchivedPhoto, RenderItem
from libs.common.errors import Unavailable
from libs.common.zip_entry import inflate_entry
from tests.integration.batch_desk import Desk, Dying, at_desk, broken, done, photo
from tests.servers.databases import TestDatabase
from tests.unit.archive_samples import Part, build


@pytest.fixture
async def desk(database: TestDatabase, tmp_path: Path) -> AsyncIterator[Desk]:
    async with at_desk(database.of("batch"), tmp_path) as desk:
        yield desk


def zipped(*names: str, manifest: str | bytes | None = None) -> bytes:
    """An archive of photos with these names, each another one, and a manifest."""
    parts = [Part(name.encode(), photo(number), flags=1 << 11) for number, name in enumerate(names)]
    if manifest is not None:
        content = manifest.encode() if isinstance(manifest, str) else manifest
        parts.insert(0, Part(b"manifest.csv", content))
    return build(parts)


async def split(desk: Desk, content: bytes, options: BatchOptions | None = None) -> BatchId:
    batch_id = await desk.submit(content, options)
    await desk.split(batch_id)
    return batch_id


async def by_name(desk: Desk, batch_id: BatchId) -> dict[str, Image]:
    return {image.name: image for image in await desk.images(batch_id)}


def content(archive: bytes, source: object) -> bytes:
    """What a worker reads of a photo."""
    assert isinstance(source, ArchivedPhoto)
    raw = archive[source.offset : source.offset + source.length]
    return inflate_entry(raw, method=source.method, size=source.size, crc32=source.crc32)


async def test_a_front_takes_its_inside_shot_along(desk: Desk) -> None:
    """The worker is told where both lie; the inside shot is no image of its own, and is not billed."""
    archive = zipped("A_front.jpg", "A_inside.jpg", "B.jpg")
    batch_id = await split(desk, archive)
    items = await desk.items()
    assert [content(archive, item.photo) for item in items] == [photo(0), photo(2)]
    assert content(archive, items[0].inside) == photo(1)
    assert items[1].inside is None
    await desk.collect(batch_id, [done(item.image_id) for item in items])

    batch = await desk.batch(batch_id)
    assert (batch.status, batch.progress) == ("completed", 1.0)
    counts = batch.counts
    assert (counts.total, counts.completed, counts.paired, counts.billable) == (3, 2, 1, 2)
    front, inside, other = await desk.images(batch_id)
    assert (front.paired_with, front.sku, front.status) == ("A_inside.jpg", "A", "completed")
    assert (inside.paired_with, inside.sku, inside.status) == ("A_front.jpg", "A", "paired")
    assert (other.paired_with, other.sku, other.note) == (None, None, None)


async def test_an_inside_shot_without_a_front_is_rendered_with_a_note(desk: Desk) -> None:
    """Better a picture too many than one that is missing without a word."""
    batch_id = await split(desk, zipped("A_inside.jpg"))
    assert len(await desk.items()) == 1
    [image] = await desk.images(batch_id)
    assert image.note is not None
    assert image.note.code == "inside_without_front"


async def test_the_words_are_an_option_of_the_batch(desk: Desk) -> None:
    """A front whose inside shot is called otherwise finds it."""
    options = BatchOptions(inside_pattern="innen")
    await split(desk, zipped("A_front.jpg", "A_innen.jpg", "A_inside.jpg"), options)
    first, second = await desk.items()
    assert first.inside is not None
    assert second.inside is None


async def test_the_manifest_tells_who_belongs_to_whom(desk: Desk) -> None:
    """And which garment is meant; it is no photo itself, wherever in the archive it stands."""
    rows = "file,inside,sku,garment\n1.jpg,2.jpg,K-1,dress\n3.jpg,,K-2,"
    batch_id = await split(desk, zipped("1.jpg", "2.jpg", "3.jpg", manifest=rows))
    dress, other = await desk.items()
    assert (dress.garment, dress.inside is None, other.garment, other.inside) == ("dress", False, None, None)
    images = await by_name(desk, batch_id)
    assert [(name, image.sku, image.status) for name, image in images.items()] == [
        ("1.jpg", "K-1", "rendering"),
        ("2.jpg", "K-1", "paired"),
        ("3.jpg", "K-2", "rendering"),
    ]
    assert images["1.jpg"].garment == "dress"


@pytest.mark.parametrize(
    ("manifest", "code", "reason"),
    [
        (b"\xff\xfe\x00", "manifest_unreadable", "UTF-8"),
        (b"file,inside\n" + b"x" * 1024 * 1024, "manifest_unreadable", "larger"),
        (b'file\n"a', "manifest_unreadable", "line 2"),
        (b"file,inside\nB.jpg,C.jpg\n,\nnone.jpg,", "manifest_rows_ignored", "line 4: there is no photo"),
    ],
)
async def test_a_manifest_that_is_wrong_is_refused_by_itself(
    desk: Desk, manifest: bytes, code: str, reason: str
) -> None:
    """With its reason; the photos go on, paired by what is right in it and by their names."""
    batch_id = await split(desk, zipped("A_front.jpg", "A_inside.jpg", "B.jpg", "C.jpg", manifest=manifest))
    refused = (await by_name(desk, batch_id))["manifest.csv"]
    assert refused.failure is not None
    assert (refused.status, refused.failure.code) == ("refused", code)
    assert reason in refused.failure.detail
    items = await desk.items()
    assert items[0].inside is not None
    assert len(items) == (2 if code == "manifest_rows_ignored" else 3)


def long_shoot() -> tuple[bytes, list[str]]:
    """Fronts in the first slices, their inside shots in the last ones."""
    count = 150
    names = [f"{n:03}_front.jpg" for n in range(count)] + [f"{n:03}_inside.jpg" for n in range(count)]
    return zipped(*names), names


def inside_shots(archive: bytes, items: Sequence[RenderItem]) -> list[bytes]:
    return [content(archive, item.inside) for item in items]


@pytest.mark.parametrize("slices", [0, 1, 2])
async def test_pairs_survive_a_splitter_that_is_killed(desk: Desk, slices: int) -> None:
    """Also where the first fronts have been rendered before their inside shots are reached."""
    archive, names = long_shoot()
    batch_id = await desk.submit(archive)
    with pytest.raises(Unavailable):
        await desk.split(batch_id, Dying(desk.database, slices))
    early = await desk.items()
    await desk.collect(batch_id, [done(item.image_id) for item in early])
    await desk.split(batch_id)
    late = await desk.items()
    await desk.collect(batch_id, [done(item.image_id) for item in late])

    assert inside_shots(archive, [*early, *late]) == [photo(150 + number) for number in range(150)]
    assert [image.name for image in await desk.images(batch_id)] == names
    batch = await desk.batch(batch_id)
    assert (batch.status, batch.counts.completed, batch.counts.paired) == ("completed", 150, 150)
    assert await desk.charged() == 150


async def test_a_retried_front_still_has_its_inside_shot(desk: Desk) -> None:
    """Its place is kept with the image."""
    batch_id = await split(desk, zipped("A_front.jpg", "A_inside.jpg", "B.jpg"))
    first = await desk.items()
    await desk.collect(batch_id, [broken(first[0].image_id), done(first[1].image_id)])
    await desk.retry(batch_id)
    [again] = await desk.items()
    assert (again.image_id, again.inside) == (first[0].image_id, first[0].inside)


async def test_the_same_photo_is_another_result_with_another_inside_shot_or_garment(desk: Desk) -> None:
    """Only what would come out the same is rendered once."""
    same = photo(1)
    parts = [
        Part(b"manifest.csv", b"file,garment\nd.jpg,top"),
        Part(b"a.jpg", same),
        Part(b"b.jpg", same),
        Part(b"c_front.jpg", same),
        Part(b"c_inside.jpg", photo(2)),
        Part(b"d.jpg", same),
    ]
    batch_id = await split(desk, build(parts))
    a, b, c, _, d = await desk.images(batch_id)
    assert (b.duplicate_of, c.duplicate_of, d.duplicate_of) == (a.id, None, None)
    assert len(await desk.items()) == 3
