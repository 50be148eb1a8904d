"""The images of a chunk: read, rendered by an engine, stored; each ends in an outcome of its own."""

from __future__ import annotations

import asyncio
import hashlib
import time
from dataclasses import replace
from typing import Any

from opentelemetry import trace
from prometheus_client import Histogram
from pydantic import TypeAdapter
from structlog.contextvars import bound_contextvars

from libs.common.contracts.ids import ImageId, TenantId
from libs.common.contracts.inference import (
    RenderedImage,
    RenderImages,
    RenderImagesNow,
    RenderItem,
    RenderOutcome,
    RenderRemotelyNow,
    UnrenderableImage,
    UnroutedImage,
)
from libs.common.contracts.options import Render, RenderOptions
from libs.common.contracts.providers import Fault, FaultKind
from libs.common.db import Database
from libs.common.telemetry import logger
from services.inference.engine import Job
from services.inference.errors import PictureRefused, RefusalCode, WorkerKilled
from services.inference.human_models.persons import Persons
from services.inference.photos import Photos
from services.inference.pipeline.on_model.person import PersonShot
from services.inference.pipeline.watermark import trial
from services.inference.places import Places
from services.inference.providers.provider import CallFailed
from services.inference.results import Finished
from services.inference.shots import Shots, options_for
from services.inference.store import Attempts

_log = logger("inference.chunks")
_tracer = trace.get_tracer("mannequin.inference")
_seconds = Histogram("mannequin_render_seconds", "Time of one image in the pipeline")
_outcomes: TypeAdapter[RenderOutcome] = TypeAdapter(RenderOutcome)

_DEATHS = 3
_FETCHED_AHEAD = 2


class Chunks:
    """Renders chunks. `places`: images rendered at a time. `persons`: where those are who wear garments."""

    def __init__(
        self, database: Database, photos: Photos, *, places: int, persons: Persons | None = None
    ) -> None:
        self._database = database
        self._photos = photos
        self._persons = persons
        self._places = Places(places)
        # What is decoded, fetched ahead or waits to be stored is bounded, whatever the chunks' sizes.
        self._in_hand = Places(places + _FETCHED_AHEAD)

    async def together(self, chunk: RenderImages, tenant: TenantId, job: Job) -> list[RenderOutcome]:
        """All images of a chunk at once, as far as there are places."""
        urgent, options = isinstance(chunk, RenderImagesNow | RenderRemotelyNow), asked_of(chunk)
        try:
            person = await self._person(chunk, tenant)
        except PictureRefused as refused:
            return [failed(item.image_id, refused) for item in chunk.items]
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._render_item(item, options, job, person, urgent=urgent))
                for item in chunk.items
            ]
        return [task.result() for task in tasks]

    async def apart(self, chunk: RenderImages, tenant: TenantId, job: Job) -> list[RenderOutcome]:
        """Image by image; what an earlier delivery got done this way is taken over."""
        attempts = Attempts(self._database, tenant, chunk.chunk_id)
        known = await attempts.begin([item.image_id for item in chunk.items])
        outcomes: list[RenderOutcome] = []
        for item in chunk.items:
            saved: Any = known[item.image_id].outcome
            if saved is not None:
                outcomes.append(_outcomes.validate_python(saved))
                continue
            suspect = _Suspect(
                item, options_for(item, asked_of(chunk)), known[item.image_id].deaths, chunk, tenant
            )
            outcome = await self._render_suspect(suspect, job, attempts)
            await attempts.save(item.image_id, outcome.model_dump(mode="json"))
            outcomes.append(outcome)
        return outcomes

    async def _render_item(
        self, item: RenderItem, options: RenderOptions, job: Job, person: PersonShot | None, *, urgent: bool
    ) -> RenderOutcome:
        attributes = {"image": item.image_id}
        with _tracer.start_as_current_span("render", attributes=attributes), bound_contextvars(**attributes):
            async with job.turn(urgent=urgent), self._in_hand.one(urgent=urgent):
                try:
                    require_route(job)
                    shots = replace(await self._read(item), person=person)
                    async with self._places.one(urgent=urgent):
                        require_route(job)
                        started = time.perf_counter()
                        result = await job.render(shots, options_for(item, options))
                        elapsed = time.perf_counter() - started
                except (PictureRefused, CallFailed) as error:
                    return failed(item.image_id, error)
                return await self._store(item, result, elapsed)

    async def _person(self, chunk: RenderImages, tenant: TenantId) -> PersonShot | None:
        """Who wears the chunk's garments, read once for all of them. PictureRefused where that is gone."""
        if chunk.options.render is not Render.ON_MODEL:
            return None
        if chunk.person is None or self._persons is None:
            raise PictureRefused(RefusalCode.RENDER_FAILED, "the chunk names nobody to wear the garment.")
        data = await self._persons.read(chunk.person)
        if await asyncio.to_thread(_digest, data) != chunk.person.sha256:
            raise PictureRefused(RefusalCode.CORRUPT, "The human model's photo is damaged; send it again.")
        return PersonShot(tenant, chunk.person.sha256, data, chunk.person.torso)

    async def _read(self, item: RenderItem) -> Shots:
        front = await self._photos.read(item.photo)
        if item.inside is None:
            return Shots(front)
        try:
            return Shots(front, await self._photos.read(item.inside))
        except PictureRefused as refused:
            return Shots(front, lost=refused.detail)

    async def _store(self, item: RenderItem, finished: Finished, elapsed: float) -> RenderedImage:
        *beside, result = finished.objects(finished.key(item))
        async with asyncio.TaskGroup() as group:
            for key, data in beside:
                group.create_task(self._photos.write(key, data))
        await self._photos.write(*result)
        _seconds.observe(elapsed)
        return finished.outcome(item, elapsed)

    async def _render_suspect(self, suspect: _Suspect, job: Job, attempts: Attempts) -> RenderOutcome:
        """Render in a child until it works or has killed three workers, the first one counted in."""
        item = suspect.item
        while suspect.deaths < _DEATHS:
            try:
                require_route(job)
                person = await self._person(suspect.chunk, suspect.tenant)
                shots = replace(await self._read(item), person=person)
                started = time.perf_counter()
                finished = await job.render_apart(shots, suspect.options)
                return await self._store(item, finished, time.perf_counter() - started)
            except (PictureRefused, CallFailed) as error:
                return failed(item.image_id, error)
            except WorkerKilled:
                suspect.deaths += 1
                _log.warning("picture_killed_worker", image=item.image_id, deaths=suspect.deaths)
                await attempts.count_death(item.image_id)
        return failed(item.image_id, PictureRefused(RefusalCode.KILLED_WORKER, str(WorkerKilled())))


def asked_of(chunk: RenderImages) -> RenderOptions:
    """The options of a chunk's images; for a test key, such that they are marked."""
    return trial(chunk.options) if chunk.test else chunk.options


class _Suspect:
    """An image that was in hand when a worker ended, and how many ended so."""

    def __init__(
        self, item: RenderItem, options: RenderOptions, deaths: int, chunk: RenderImages, tenant: TenantId
    ) -> None:
        self.item = item
        self.chunk = chunk
        self.tenant = tenant
        self.options = options
        self.deaths = deaths


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def require_route(job: Job) -> None:
    """CallFailed where no further image can be computed on the chunk's route."""
    fault: Fault | None = job.fault
    if fault is not None:
        raise CallFailed(fault.code, fault.detail)


def failed(image_id: ImageId, error: PictureRefused | CallFailed) -> UnrenderableImage | UnroutedImage:
    """The image's own end, or that of its route: whoever is at fault."""
    if isinstance(error, PictureRefused):
        return UnrenderableImage(image_id=image_id, code=error.code, detail=error.detail)
    fault = error.fault
    if fault.kind is FaultKind.REQUEST:
        return UnrenderableImage(image_id=image_id, code=fault.code.value, detail=fault.detail)
    return UnroutedImage(image_id=image_id, fault=fault)
