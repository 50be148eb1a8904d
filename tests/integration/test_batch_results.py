"""What is kept of a result, what is billed of it, and that telling of many fits into messages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from libs.common.contracts.batch import BatchCompleted, ImagesCompleted, ListBatchEvents, ListImages
from libs.common.contracts.ids import BatchId
from libs.common.contracts.inference import (
    Box,
    Finding,
    Landmarks,
    RenderedImage,
    RenderOutcome,
    StoredFile,
    Verdict,
)
from services.batch.pages import PORTION_BYTES
from tests.integration.batch_desk import Desk, archive, at_desk, broken, done, photo
from tests.servers.databases import TestDatabase
from tests.unit.archive_samples import Part, build

BROKER_BYTES = 1024 * 1024


@pytest.fixture
async def desk(database: TestDatabase, tmp_path: Path) -> AsyncIterator[Desk]:
    async with at_desk(database.of("batch"), tmp_path) as desk:
        yield desk


def file(name: str) -> StoredFile:
    return StoredFile(name=name, media_type="image/png", size=9, sha256="a" * 64, width=3, height=4)


FINDING = Finding(code="cut_off_by_frame", detail="x" * 300, box=Box(left=1, top=2, width=3, height=4))
RICH = {
    "findings": (FINDING,) * 16,
    "preserved_fraction": 0.987654,
    "synthesized_fraction": 0.012346,
    "digital_source_type": "http://cv.iptc.org/newscodes/digitalsourcetype/compositeSynthetic",
    "landmarks": Landmarks(neck=(10.5, 20.25), left_hem=(1, 2)),
    "renditions": tuple(file(f"rendition-{number}") for number in range(8)),
    "artefacts": tuple(file(name) for name in ("alpha", "classes", "synthesized")),
}


async def submitted(desk: Desk, content: bytes) -> BatchId:
    batch_id = await desk.submit(content)
    await desk.split(batch_id)
    return batch_id


async def test_all_that_the_engine_says_is_kept_with_the_image(desk: Desk) -> None:
    """And with its copies."""
    parts = [Part(b"a.jpg", photo(1)), Part(b"b.jpg", photo(1))]
    batch_id = await submitted(desk, build(parts))
    outcomes = [done(image, **RICH) for image in await desk.released()]
    await desk.collect(batch_id, outcomes)
    for image in await desk.images(batch_id):
        told = {name: getattr(image, name) for name in RICH}
        assert told == RICH


async def test_a_rejected_image_is_kept_and_not_billed(desk: Desk) -> None:
    """Nor is a failed one, nor the copy of another: what is billable is what is charged."""
    parts = [Part(f"{n}.jpg".encode(), photo(n % 4)) for n in range(5)]
    batch_id = await submitted(desk, build(parts))
    good, bad, failed, doubtful = await desk.released()
    outcomes: list[RenderOutcome] = [
        done(good),
        done(bad, verdict=Verdict.REJECTED),
        broken(failed),
        done(doubtful, verdict=Verdict.REVIEW),
    ]
    await desk.collect(batch_id, outcomes)

    images = await desk.images(batch_id)
    assert [image.billable for image in images] == [True, False, False, True, False]
    assert images[1].result_key
    counts = (await desk.batch(batch_id)).counts
    assert (counts.completed, counts.rejected, counts.billable) == (4, 1, 2)
    assert await desk.charged() == 2
    [told] = await desk.outbox(BatchCompleted)
    assert told.model_dump()["batch"]["counts"]["billable"] == 2


async def test_the_copy_of_a_rejected_image_is_rejected_too(desk: Desk) -> None:
    """It counts as such, also when it is found after its original has ended."""
    parts = [Part(b"a.jpg", photo(1)), Part(b"b.jpg", photo(1))]
    batch_id = await submitted(desk, build(parts))
    [original] = await desk.released()
    await desk.collect(batch_id, [done(original, verdict=Verdict.REJECTED)])
    counts = (await desk.batch(batch_id)).counts
    assert (counts.completed, counts.rejected, counts.billable) == (2, 2, 0)
    assert await desk.charged() == 0


async def test_many_rich_results_are_told_in_messages_that_a_broker_carries(desk: Desk) -> None:
    """Events, pages and the stream of ends: each image once and in order, in portions."""
    batch_id = await submitted(desk, archive(200))
    outcomes: list[RenderedImage] = [done(image, **RICH) for image in await desk.released()]
    await desk.collect(batch_id, outcomes)

    events = await desk.outbox(ImagesCompleted)
    told = [image.id for event in events for image in ImagesCompleted.model_validate(event).images]
    assert told == [outcome.image_id for outcome in outcomes]
    assert max(len(event.model_dump_json()) for event in events) < BROKER_BYTES
    assert len(events) > 1

    assert await ends(desk, batch_id) == told
    assert sorted(await pages(desk, batch_id)) == sorted(told)


async def pages(desk: Desk, batch_id: BatchId) -> list[str]:
    ids: list[str] = []
    cursor: str | None = None
    while True:
        query = ListImages(batch_id=batch_id, limit=500, cursor=cursor)
        page = await desk.service.list_images(query, desk.tenant)
        assert len(page.model_dump_json()) < PORTION_BYTES + 4096
        ids += [image.id for image in page.items]
        if (cursor := page.next_cursor) is None:
            return ids


async def ends(desk: Desk, batch_id: BatchId) -> list[str]:
    ids: list[str] = []
    after = 0
    while True:
        query = ListBatchEvents(batch_id=batch_id, after=after, limit=500)
        events = await desk.service.list_events(query, desk.tenant)
        ids += [image.id for image in events.images]
        if not events.more:
            return ids
        after = events.images[-1].sequence or 0
