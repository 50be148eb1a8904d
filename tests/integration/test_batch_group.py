"""From an uploaded ZIP to the end of its group, on a real database and a real folder."""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from libs.common.contracts.batch import (
    BatchCompleted,
    BatchFailed,
    CancelBatch,
    GetBatch,
    SubmitImage,
)
from libs.common.contracts.ids import ApiKeyId, BatchId, ChunkId, ImageId, TenantId
from libs.common.contracts.inference import (
    ImagesRendered,
    RenderImages,
    RenderImagesNow,
)
from libs.common.contracts.options import RenderOptions
from libs.common.errors import Unavailable
from services.batch.errors import BatchEnded, BatchStillRunning, NoSuchBatch, NothingToRetry
from services.batch.splitter import Split
from services.batch.store import sql
from tests.integration.batch_desk import Desk, Dying, archive, at_desk, broken, done, photo
from tests.servers.databases import TestDatabase
from tests.unit.archive_samples import Part, build, forged


@pytest.fixture
async def desk(database: TestDatabase, tmp_path: Path) -> AsyncIterator[Desk]:
    async with at_desk(database.of("batch"), tmp_path) as desk:
        yield desk


async def test_an_archive_becomes_images_that_lie_where_they_lay(desk: Desk) -> None:
    """Each knows its range in the archive; what can't be rendered is refused by itself, with the reason."""
    content = build([Part(b"a.jpg", photo(1)), Part(b"note.txt", b"hello"), Part(b"__MACOSX/._a.jpg", b"x")])
    batch_id = await desk.submit(content)
    await desk.split(batch_id)

    good, refused = await desk.images(batch_id)
    assert (good.name, good.status, refused.name, refused.status) == (
        "a.jpg",
        "waiting",
        "note.txt",
        "refused",
    )
    assert refused.failure is not None
    assert refused.failure.code == "not_an_image"
    assert await desk.released() == [good.id]


async def test_a_batch_ends_once_and_charges_each_image_once(desk: Desk) -> None:
    """However often and however late the same outcomes come."""
    batch_id = await desk.submit(archive(20))
    await desk.split(batch_id)
    images = await desk.released()
    outcomes = [done(image) for image in images]
    for chunk in (outcomes[:7], outcomes[:7], outcomes[7:], outcomes):
        await desk.collect(batch_id, chunk)

    batch = await desk.batch(batch_id)
    assert (batch.status, batch.counts.completed, batch.progress) == ("completed", 20, 1.0)
    assert len(await desk.outbox(BatchCompleted)) == 1
    assert await desk.charged() == 20
    assert sorted(image.sequence or 0 for image in await desk.images(batch_id)) == list(range(1, 21))


async def test_chunks_that_come_at_once_are_taken_in_together(desk: Desk) -> None:
    """One of them twice, as a broker may deliver it: still every image once."""
    batch_id = await desk.submit(archive(40))
    await desk.split(batch_id)
    images = await desk.released()
    messages = [
        ImagesRendered(
            chunk_id=ChunkId.new(),
            batch_id=batch_id,
            worker="w",
            outcomes=tuple(done(image) for image in images[start : start + 10]),
        )
        for start in range(0, 40, 10)
    ]
    deliveries = [desk.delivery(message) for message in messages]
    await asyncio.gather(*map(desk.outcomes.handle, [*deliveries, deliveries[1]]))

    assert (await desk.batch(batch_id)).counts.completed == 40
    assert len(await desk.outbox(BatchCompleted)) == 1
    assert await desk.charged() == 40


@pytest.mark.parametrize("slices", [0, 1, 2])
async def test_a_splitter_killed_between_slices_goes_on_without_doubling(desk: Desk, slices: int) -> None:
    """The mark in the batch's row and the images of a slice are one transaction."""
    batch_id = await desk.submit(archive(300))
    with pytest.raises(Unavailable):
        await desk.split(batch_id, Dying(desk.database, slices))
    assert (await desk.batch(batch_id)).counts.total == slices * 128

    await desk.split(batch_id)
    assert [image.position for image in await desk.images(batch_id)] == list(range(300))
    assert (await desk.batch(batch_id)).counts.total == 300


async def test_two_splitters_of_one_batch_do_not_double_it(desk: Desk) -> None:
    """A claim that ran out leaves two at work; the slower one's slices find the mark moved."""
    batch_id = await desk.submit(archive(200))
    async with desk.database.tenant(desk.tenant) as tx:
        row = await tx.fetchrow(sql.get_batch, desk.tenant, batch_id)
    assert row is not None
    for _ in range(2):
        await Split(desk.database, desk.objects, desk.progress, row, lambda: None).run()
    assert (await desk.batch(batch_id)).counts.total == 200


async def test_the_same_picture_twice_is_rendered_and_charged_once(desk: Desk) -> None:
    """The copy takes the original's outcome over, also when that came before the copy was found."""
    parts = [Part(b"a.jpg", photo(1)), Part(b"b.jpg", photo(2)), Part(b"copy of a.jpg", photo(1), method=0)]
    batch_id = await desk.submit(build(parts))
    await desk.split(batch_id)
    released = await desk.released()
    assert len(released) == 2
    await desk.collect(batch_id, [done(image) for image in released])

    a, _, copy = await desk.images(batch_id)
    assert (copy.status, copy.duplicate_of, copy.result_key) == ("completed", a.id, a.result_key)
    assert await desk.charged() == 2
    assert (await desk.batch(batch_id)).counts.duplicates == 1


async def test_a_copy_in_a_later_slice_than_its_finished_original_is_settled(desk: Desk) -> None:
    """The original may be rendered before the end of the archive is read."""
    parts = [Part(f"{n}.jpg".encode(), photo(n)) for n in range(200)] + [Part(b"again.jpg", photo(0))]
    batch_id = await desk.submit(build(parts))
    with pytest.raises(Unavailable):
        await desk.split(batch_id, Dying(desk.database, 1))
    marks = {"synthesized_fraction": 0.25, "digital_source_type": "urn:of-a-code"}
    await desk.collect(batch_id, [done(image, **marks) for image in await desk.released()])
    await desk.split(batch_id)
    await desk.collect(batch_id, [done(image) for image in await desk.released()])

    copy = (await desk.images(batch_id))[-1]
    assert copy.status == "completed"
    assert {name: getattr(copy, name) for name in marks} == marks
    assert (await desk.batch(batch_id)).status == "completed"
    assert await desk.charged() == 200


async def test_equal_checksums_of_different_pictures_do_not_make_them_one(desk: Desk) -> None:
    """A CRC is easily forged; only equal bytes are the same picture."""
    one = photo(1) + b"\0\0\0\0"
    other = forged(photo(2), zlib.crc32(one))
    assert (len(one), zlib.crc32(one)) == (len(other), zlib.crc32(other))
    batch_id = await desk.submit(build([Part(b"a.jpg", one), Part(b"b.jpg", other)]))
    await desk.split(batch_id)
    assert (await desk.batch(batch_id)).counts.duplicates == 0


async def test_an_archive_without_a_photo_fails_with_the_reason(desk: Desk) -> None:
    """Nothing valid inside: the batch fails and says so, once."""
    batch_id = await desk.submit(build([Part(b"a.txt", b"no picture")]))
    await desk.split(batch_id)
    batch = await desk.batch(batch_id)
    assert batch.failure is not None
    assert (batch.status, batch.failure.code) == ("failed", "nothing_to_render")
    assert len(await desk.outbox(BatchFailed)) == 1


async def test_failed_images_can_be_rendered_again(desk: Desk) -> None:
    """A retry is another round of the same batch: the completed ones keep their results."""
    batch_id = await desk.submit(archive(3))
    await desk.split(batch_id)
    with pytest.raises(BatchStillRunning):
        await desk.retry(batch_id)
    first, second, third = await desk.released()
    await desk.collect(batch_id, [done(first), broken(second), done(third)])

    batch = await desk.retry(batch_id)
    assert (batch.status, batch.round, batch.counts.waiting) == ("processing", 2, 1)
    assert await desk.released() == [second]
    await desk.collect(batch_id, [done(second)])
    assert (await desk.batch(batch_id)).counts.completed == 3
    assert len(await desk.outbox(BatchCompleted)) == 2
    assert await desk.charged() == 3
    with pytest.raises(NothingToRetry):
        await desk.retry(batch_id)


async def test_cancelling_ends_what_waits_and_keeps_what_renders(desk: Desk) -> None:
    """The batch ends when the last image in hand is through."""
    batch_id = await desk.submit(archive(600))
    await desk.split(batch_id)
    await desk.dispatcher.dispatch()
    messages = await desk.outbox(RenderImages)
    in_hand = [item.image_id for message in messages for item in message.items]  # type: ignore[attr-defined]
    await desk.service.cancel(CancelBatch(batch_id=batch_id), desk.tenant)
    assert await desk.released() == []
    await desk.collect(batch_id, [done(image) for image in in_hand])

    batch = await desk.batch(batch_id)
    assert (batch.status, batch.counts.completed) == ("cancelled", len(in_hand))
    assert batch.counts.cancelled == 600 - len(in_hand)
    with pytest.raises(BatchEnded):
        await desk.service.cancel(CancelBatch(batch_id=batch_id), desk.tenant)


async def test_a_single_image_goes_ahead_of_every_batch(desk: Desk) -> None:
    """It is released though the window is full, and by a command of its own."""
    batch_id = await desk.submit(archive(600))
    await desk.split(batch_id)
    await desk.dispatcher.dispatch()
    command = SubmitImage(
        batch_id=BatchId.new(),
        image_id=ImageId.new(),
        submitted_by=ApiKeyId.new(),
        name="coat.jpg",
        photo_key="k",
        photo_size=3,
        options=RenderOptions(),
        submitted_at=datetime.now(UTC),
    )
    async with desk.database.tenant(desk.tenant) as tx:
        await desk.service.submit_image(command, tx)
    await desk.dispatcher.dispatch()
    [now] = await desk.outbox(RenderImagesNow)
    assert json.loads(now.model_dump_json())["items"][0]["image_id"] == command.image_id


async def test_another_tenant_finds_nothing(desk: Desk) -> None:
    """Not even that the batch exists."""
    batch_id = await desk.submit(archive(1))
    with pytest.raises(NoSuchBatch):
        await desk.service.get_batch(GetBatch(batch_id=batch_id), TenantId.new())
