"""Renders chunks. A chunk that comes again after its worker died is done image by image, in a child process.

One delivery is one transaction: the outcomes of a chunk leave together with the mark that it was done.
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from opentelemetry import trace
from prometheus_client import Counter, Histogram
from pydantic import TypeAdapter
from structlog.contextvars import bound_contextvars

from libs.common.bus.bus import Delivery, Handler
from libs.common.contracts.flow import Queue
from libs.common.contracts.ids import ImageId, TenantId
from libs.common.contracts.inference import (
    ImagesRendered,
    RenderedImage,
    RenderImages,
    RenderImagesNow,
    RenderItem,
    RenderOutcome,
    UnrenderableImage,
)
from libs.common.contracts.options import RenderOptions
from libs.common.db import Database
from libs.common.errors import Permanent
from libs.common.telemetry import logger
from services.inference.errors import PictureRefused, RefusalCode, WorkerKilled
from services.inference.isolation import Isolation
from services.inference.photos import Photos
from services.inference.places import Places
from services.inference.renderer import Renderer
from services.inference.results import Finished
from services.inference.shots import Shots, options_for, render_shots
from services.inference.store import Attempts, sql

_log = logger("inference.worker")
_tracer = trace.get_tracer("mannequin.inference")
_images = Counter("mannequin_images_rendered", "Images that ended", ["outcome"])
_seconds = Histogram("mannequin_render_seconds", "Time of one image in the pipeline")
_outcomes: TypeAdapter[RenderOutcome] = TypeAdapter(RenderOutcome)

_DEATHS = 3
_FETCHED_AHEAD = 2


class Worker:
    """Handlers of the render queues. `places`: images rendered at a time, each on a thread of its own."""

    def __init__(
        self,
        name: str,
        database: Database,
        photos: Photos,
        renderer: Renderer,
        isolation: Isolation,
        *,
        places: int,
    ) -> None:
        self._name = name
        self._database = database
        self._photos = photos
        self._renderer = renderer
        self._isolation = isolation
        self._threads = ThreadPoolExecutor(places, thread_name_prefix="render")
        self._places = Places(places)
        # What is decoded, fetched ahead or waits to be stored is bounded, whatever the chunks' sizes.
        self._in_hand = Places(places + _FETCHED_AHEAD)

    def handler(self, queue: Queue) -> Handler:
        """The bus handler of one of the render queues."""

        async def handle(delivery: Delivery) -> None:
            await self._handle(queue, delivery)

        return handle

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        await self._isolation.close()

    async def _handle(self, queue: Queue, delivery: Delivery) -> None:
        chunk, tenant = delivery.message, delivery.envelope.tenant_id
        assert isinstance(chunk, RenderImages)
        if tenant is None:
            raise Permanent("the chunk names no tenant")
        if delivery.attempt == 1:
            outcomes = await self._render_together(chunk)
        elif await self._was_done(queue, delivery, tenant):
            return
        else:
            outcomes = await self._render_apart(chunk, tenant)
        await self._finish(queue, delivery, tenant, chunk, outcomes)

    async def _was_done(self, queue: Queue, delivery: Delivery, tenant: TenantId) -> bool:
        async with self._database.tenant(tenant) as tx:
            return bool(await tx.fetchval(sql.was_taken, queue.name, delivery.envelope.id))

    async def _finish(
        self,
        queue: Queue,
        delivery: Delivery,
        tenant: TenantId,
        chunk: RenderImages,
        outcomes: list[RenderOutcome],
    ) -> None:
        async with self._database.tenant(tenant) as tx:
            if not await tx.first_time(queue.name, delivery.envelope):
                return
            if delivery.attempt > 1:
                await tx.execute(sql.forget_chunk, tenant, chunk.chunk_id)
            tx.publish(
                ImagesRendered(
                    chunk_id=chunk.chunk_id,
                    batch_id=chunk.batch_id,
                    worker=self._name,
                    outcomes=tuple(outcomes),
                ),
                subject=chunk.batch_id,
            )
        for outcome in outcomes:
            _images.labels(outcome.status).inc()

    async def _render_together(self, chunk: RenderImages) -> list[RenderOutcome]:
        urgent = isinstance(chunk, RenderImagesNow)
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._render_item(item, chunk.options, urgent=urgent))
                for item in chunk.items
            ]
        return [task.result() for task in tasks]

    async def _render_item(self, item: RenderItem, options: RenderOptions, *, urgent: bool) -> RenderOutcome:
        attributes = {"image": item.image_id}
        with _tracer.start_as_current_span("render", attributes=attributes), bound_contextvars(**attributes):
            async with self._in_hand.one(urgent=urgent):
                try:
                    shots = await self._read(item)
                    async with self._places.one(urgent=urgent):
                        started = time.perf_counter()
                        result = await self._on_thread(shots, options_for(item, options))
                        elapsed = time.perf_counter() - started
                except PictureRefused as refused:
                    return _failed(item.image_id, refused)
                return await self._store(item, result, elapsed)

    async def _read(self, item: RenderItem) -> Shots:
        front = await self._photos.read(item.photo)
        if item.inside is None:
            return Shots(front)
        try:
            return Shots(front, await self._photos.read(item.inside))
        except PictureRefused as refused:
            return Shots(front, lost=refused.detail)

    def _render(self, shots: Shots, options: RenderOptions) -> Finished:
        return Finished.of(render_shots(self._renderer, shots, options))

    async def _on_thread(self, shots: Shots, options: RenderOptions) -> Finished:
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, self._render, shots, options)
        except (PictureRefused, MemoryError):
            raise
        except Exception as error:
            # A picture that finds a mistake of ours must not take its neighbours along.
            _log.exception("render_failed")
            detail = "The picture could not be rendered; support can tell why."
            raise PictureRefused(RefusalCode.RENDER_FAILED, detail) from error

    async def _store(self, item: RenderItem, finished: Finished, elapsed: float) -> RenderedImage:
        *beside, result = finished.objects(finished.key(item))
        async with asyncio.TaskGroup() as group:
            for key, data in beside:
                group.create_task(self._photos.write(key, data))
        await self._photos.write(*result)
        _seconds.observe(elapsed)
        return finished.outcome(item, elapsed)

    async def _render_apart(self, chunk: RenderImages, tenant: TenantId) -> list[RenderOutcome]:
        """Image by image; what an earlier delivery got done this way is taken over."""
        attempts = Attempts(self._database, tenant, chunk.chunk_id)
        known = await attempts.begin([item.image_id for item in chunk.items])
        outcomes: list[RenderOutcome] = []
        for item in chunk.items:
            saved: Any = known[item.image_id].outcome
            if saved is not None:
                outcomes.append(_outcomes.validate_python(saved))
                continue
            outcome = await self._render_suspect(item, chunk.options, attempts, known[item.image_id].deaths)
            await attempts.save(item.image_id, outcome.model_dump(mode="json"))
            outcomes.append(outcome)
        return outcomes

    async def _render_suspect(
        self, item: RenderItem, options: RenderOptions, attempts: Attempts, deaths: int
    ) -> RenderOutcome:
        """Render in a child until it works or has killed three workers, the first one counted in."""
        while deaths < _DEATHS:
            try:
                shots = await self._read(item)
                started = time.perf_counter()
                render = await self._isolation.render(shots, options_for(item, options))
                finished = await asyncio.to_thread(Finished.of, render)
                return await self._store(item, finished, time.perf_counter() - started)
            except PictureRefused as refused:
                return _failed(item.image_id, refused)
            except WorkerKilled:
                deaths += 1
                _log.warning("picture_killed_worker", image=item.image_id, deaths=deaths)
                await attempts.count_death(item.image_id)
        return _failed(item.image_id, PictureRefused(RefusalCode.KILLED_WORKER, str(WorkerKilled())))


def _failed(image_id: ImageId, refused: PictureRefused) -> UnrenderableImage:
    return UnrenderableImage(image_id=image_id, code=refused.code, detail=refused.detail)
