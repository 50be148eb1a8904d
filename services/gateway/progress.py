"""Live progress: signals of the batch service wake whoever waits, who also looks now and then anyway.

Events go out as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html).
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress

from pydantic import BaseModel

from libs.common.bus.bus import Delivery
from libs.common.contracts.batch import BatchEvents, BatchProgressed
from libs.common.contracts.ids import BatchId, TenantId
from libs.common.errors import Transient
from services.gateway.batches import Batches
from services.gateway.views import Batch, Image, Links

RECHECK_S = 2.0
"""How long a lost signal can go unnoticed."""
HEARTBEAT_S = 15.0
CALM_S = 0.05
"""Signals that come closer than this are looked at together."""
PAGE = 200


class Watch:
    """One waiter's view of a batch."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._changed = asyncio.Event()

    @property
    def closed(self) -> bool:
        """Whether the process is about to stop, so that waiting must end."""
        return self._hub.closed

    def wake(self) -> None:
        self._changed.set()

    async def wait(self, timeout: float) -> None:
        """Return on the next change, or after `timeout` seconds."""
        if self.closed:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._changed.wait()
        self._changed.clear()


class Hub:
    """Wakes those in this process who watch a batch."""

    def __init__(self) -> None:
        self._watches: dict[BatchId, set[Watch]] = defaultdict(set)
        self.closed = False

    async def heard(self, delivery: Delivery) -> None:
        """Listener of BatchProgressed."""
        if isinstance(delivery.message, BatchProgressed):
            for watch in self._watches.get(delivery.message.batch_id, ()):
                watch.wake()

    @contextmanager
    def watch(self, batch_id: BatchId) -> Iterator[Watch]:
        watch = Watch(self)
        self._watches[batch_id].add(watch)
        try:
            yield watch
        finally:
            self._watches[batch_id].discard(watch)
            if not self._watches[batch_id]:
                del self._watches[batch_id]

    def close(self) -> None:
        """End all waiting: the process stops."""
        self.closed = True
        for watches in self._watches.values():
            for watch in watches:
                watch.wake()


class EventStream:
    """The events of one batch for one listener, from the first image that ended after `after`.

    admitted: whether the listener's key is still good; the stream ends, unfinished, once it is not.
    """

    def __init__(
        self,
        batches: Batches,
        hub: Hub,
        links: Links,
        tenant: TenantId,
        batch_id: BatchId,
        after: int,
        admitted: Callable[[], bool],
    ) -> None:
        self._admitted = admitted
        self._batches, self._hub, self._links = batches, hub, links
        self._tenant, self._batch_id = tenant, batch_id
        self._after = after
        self._shown: Batch | None = None
        self._spoke = time.monotonic()

    async def open(self) -> AsyncIterator[bytes]:
        """The stream; NotFound before it starts if there is no such batch."""
        events = await self._ask()
        return self._run(events)

    async def _run(self, events: BatchEvents | None) -> AsyncIterator[bytes]:
        yield b"retry: 1000\n\n"
        with self._hub.watch(self._batch_id) as watch:
            while not watch.closed and self._admitted():
                if events is not None:
                    for message in self._tell(events):
                        yield message
                    if _over(events):
                        return
                if events is None or not events.more:
                    await watch.wait(RECHECK_S)
                    await asyncio.sleep(CALM_S)
                if time.monotonic() - self._spoke >= HEARTBEAT_S:
                    yield self._spoken(b": still here\n\n")
                events = await self._ask_again()

    async def _ask_again(self) -> BatchEvents | None:
        """None while the batch service does not answer: the stream outlives its restart."""
        with suppress(Transient):
            return await self._ask()
        return None

    async def _ask(self) -> BatchEvents:
        return await self._batches.events(self._tenant, self._batch_id, self._after, PAGE)

    def _tell(self, events: BatchEvents) -> Iterator[bytes]:
        for image in events.images:
            assert image.sequence is not None
            self._after = image.sequence
            yield self._message("image", Image.of(image, self._links))
        batch = Batch.of(events.batch, self._links)
        if batch != self._shown:
            self._shown = batch
            yield self._message("progress", batch)
        if _over(events):
            yield self._message("batch", batch)

    def _message(self, event: str, data: BaseModel) -> bytes:
        return self._spoken(sse(event, data, self._after))

    def _spoken(self, message: bytes) -> bytes:
        self._spoke = time.monotonic()
        return message


def sse(event: str, data: BaseModel, id_: int) -> bytes:
    """One server-sent event; JSON has no raw line breaks, so one data line is enough."""
    body = json.dumps(data.model_dump(mode="json"), separators=(",", ":"))
    return f"id: {id_}\nevent: {event}\ndata: {body}\n\n".encode()


def _over(events: BatchEvents) -> bool:
    """Whether the batch has ended and all of its images have been told."""
    return events.batch.status.ended and not events.more
