"""Live progress: who is woken when, and what an event stream tells of what it is given."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from libs.client.events import EventParser
from libs.common.bus.bus import Delivery
from libs.common.contracts.batch import (
    Batch,
    BatchEvents,
    BatchOptions,
    BatchProgressed,
    BatchStatus,
    Counts,
    Image,
    ImageStatus,
)
from libs.common.contracts.envelope import Envelope
from libs.common.contracts.ids import BatchId, ImageId, TenantId
from libs.common.errors import NotFound, Unavailable
from services.gateway import progress
from services.gateway.batches import Batches
from services.gateway.errors import NoSuchBatch
from services.gateway.progress import EventStream, Hub
from services.gateway.views import Batch as ShownBatch
from services.gateway.views import Links

BATCH, TENANT = BatchId.new(), TenantId.new()


def events(*sequences: int, status: BatchStatus = BatchStatus.PROCESSING, more: bool = False) -> BatchEvents:
    """Images that ended with these sequence numbers, and a batch with as many ended as the last says."""
    images = tuple(
        Image(
            id=ImageId.new(),
            batch_id=BATCH,
            position=number,
            name="x.jpg",
            status=ImageStatus.COMPLETED,
            sequence=number,
        )
        for number in sequences
    )
    batch = Batch(
        id=BATCH,
        status=status,
        options=BatchOptions(),
        counts=Counts(completed=sequences[-1] if sequences else 0),
        progress=0,
        created_at=datetime.now(UTC),
    )
    return BatchEvents(batch=batch, images=images, more=more)


class Scripted(Batches):
    """Answers by a list, and remembers after which sequence it was asked."""

    def __init__(self, *answers: BatchEvents | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[int] = []

    async def events(self, tenant: TenantId, batch_id: BatchId, after: int, limit: int) -> BatchEvents:
        self.asked.append(after)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


async def told(stream: AsyncIterator[bytes]) -> list[tuple[str, str | None]]:
    """Kind and id of each event, as the client reads them."""
    parser, found = EventParser(), []
    async for block in stream:
        for line in block.decode().split("\n")[:-1]:
            if event := parser.feed(line):
                found.append((event.kind, event.id))
    return found


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "RECHECK_S", 0.001)
    monkeypatch.setattr(progress, "CALM_S", 0.0)


async def follow(batches: Batches, hub: Hub | None = None, after: int = 0) -> list[tuple[str, str | None]]:
    stream = EventStream(batches, hub or Hub(), Links("http://api.test"), TENANT, BATCH, after, lambda: True)
    return await told(await stream.open())


async def test_images_then_progress_then_the_batch_at_the_end() -> None:
    """Each image once, and each question starts after the last one told."""
    batches = Scripted(events(1, 2), events(), events(3, status=BatchStatus.COMPLETED))
    assert await follow(batches) == [
        ("image", "1"),
        ("image", "2"),
        ("progress", "2"),
        ("progress", "2"),
        ("image", "3"),
        ("progress", "3"),
        ("batch", "3"),
    ]
    assert batches.asked == [0, 2, 2]


async def test_a_stream_resumes_after_the_last_event_that_was_seen() -> None:
    """By its id."""
    batches = Scripted(events(8, status=BatchStatus.COMPLETED))
    assert (await follow(batches, after=7))[0] == ("image", "8")
    assert batches.asked == [7]


async def test_a_page_of_images_is_followed_by_the_next_at_once() -> None:
    """The end is not told before all images are."""
    first = events(1, 2, 3, status=BatchStatus.COMPLETED, more=True)
    batches = Scripted(first, events(4, status=BatchStatus.COMPLETED))
    kinds = [kind for kind, _ in await follow(batches)]
    assert kinds.count("image") == 4
    assert kinds[-1] == "batch"
    assert kinds.count("batch") == 1


async def test_a_stream_outlives_a_batch_service_that_is_away() -> None:
    """And repeats nothing meanwhile."""
    batches = Scripted(events(1), Unavailable(), Unavailable(), events(2, status=BatchStatus.COMPLETED))
    assert [id_ for kind, id_ in await follow(batches) if kind == "image"] == ["1", "2"]


async def test_a_batch_that_is_not_there_is_no_stream() -> None:
    """The error comes before the first byte."""
    with pytest.raises(NotFound):
        await follow(Scripted(NoSuchBatch()))


async def test_streams_end_when_the_process_stops() -> None:
    """Clients come again to another replica and resume."""
    hub = Hub()
    batches = Scripted(*[events(1)] * 1000)
    following = asyncio.create_task(follow(batches, hub))
    while not batches.asked:
        await asyncio.sleep(0)
    hub.close()
    assert (await asyncio.wait_for(following, 5))[0] == ("image", "1")


async def test_a_signal_wakes_those_who_watch_its_batch() -> None:
    """And nobody else."""
    hub, other = Hub(), BatchId.new()
    with hub.watch(BATCH) as watch, hub.watch(other) as elsewhere:
        waiting = asyncio.create_task(watch.wait(60))
        sleeping = asyncio.create_task(elsewhere.wait(60))
        await asyncio.sleep(0)
        await hub.heard(_signal())
        await asyncio.wait_for(waiting, 1)
        assert not sleeping.done()
        sleeping.cancel()


async def test_a_signal_before_the_wait_is_not_lost() -> None:
    """It came while the batch was being asked for."""
    hub = Hub()
    with hub.watch(BATCH) as watch:
        await hub.heard(_signal())
        await asyncio.wait_for(watch.wait(60), 1)


def test_an_event_is_one_line_of_data() -> None:
    """Whatever line breaks its strings have."""
    batch = ShownBatch.of(events().batch, Links("http://api.test"))
    lines = progress.sse("progress", batch, 7).decode().split("\n")
    assert lines[:2] == ["id: 7", "event: progress"]
    shown: dict[str, Any] = json.loads(lines[2].removeprefix("data: "))
    assert shown["id"] == BATCH
    assert lines[3:] == ["", ""]


def _signal() -> Delivery:
    signal = BatchProgressed(batch_id=BATCH, sequence=1, status=BatchStatus.PROCESSING)
    return Delivery(Envelope.of(signal, source="batch", tenant=TENANT), signal)
