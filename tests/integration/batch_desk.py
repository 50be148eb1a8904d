"""The parts of the batch service on a real database and a real folder, and one tenant who uses them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from libs.common.bus.bus import Delivery
from libs.common.bus.connect import connect
from libs.common.contracts import flow
from libs.common.contracts.batch import (
    Batch,
    BatchOptions,
    GetBatch,
    Image,
    ListImages,
    RetryBatch,
    SubmitBatch,
)
from libs.common.contracts.envelope import Envelope
from libs.common.contracts.ids import ApiKeyId, BatchId, ChunkId, ImageId, TenantId
from libs.common.contracts.inference import (
    ImagesRendered,
    RenderedImage,
    RenderImages,
    RenderItem,
    RenderOutcome,
    UnrenderableImage,
    Verdict,
)
from libs.common.contracts.message import Message
from libs.common.contracts.providers import Route
from libs.common.db import Database
from libs.common.errors import Unavailable
from libs.common.objects import Objects, tenant_key
from services.batch.collector import Collector
from services.batch.dispatcher import Dispatcher
from services.batch.flights import Flights
from services.batch.outcomes import Outcomes
from services.batch.progress import Progress
from services.batch.service import BatchService
from services.batch.splitter import Split
from services.batch.store import sql
from services.batch.window import Window
from tests.unit.archive_samples import JPEG, Part, build


@dataclass
class Desk:
    """The parts of the batch service and one tenant; messages stay in the outbox, as there is no broker."""

    database: Database
    objects: Objects
    tenant: TenantId = field(default_factory=TenantId.new)

    def __post_init__(self) -> None:
        self.progress = Progress(connect("nats://nobody", "batch"))
        self.collector = Collector(self.progress, lambda: None, lambda _, __: None)
        self.outcomes = Outcomes(self.database, flow.OUTCOMES, self.collector)
        self.dispatcher = self.new_dispatcher()
        self.service = BatchService(self.database, self.progress, split=lambda: None, dispatch=lambda: None)

    def new_dispatcher(self) -> Dispatcher:
        windows = (Window(queued_s=60, chunk=16, image_s=0.01) for _ in range(2))
        return Dispatcher(self.database, Flights(*windows), self.progress, render_timeout_s=60)

    async def submit(self, archive: bytes, options: BatchOptions | None = None) -> BatchId:
        batch_id = BatchId.new()
        key = tenant_key(self.tenant, "batches", batch_id, "archive.zip")
        await self.objects.put(key, archive)
        command = SubmitBatch(
            batch_id=batch_id,
            submitted_by=ApiKeyId.new(),
            archive_key=key,
            archive_size=len(archive),
            options=options or BatchOptions(),
            submitted_at=datetime.now(UTC),
        )
        async with self.database.tenant(self.tenant) as tx:
            await self.service.submit_batch(command, tx)
        return batch_id

    async def split(self, batch_id: BatchId, database: Any = None) -> None:
        async with self.database.tenant(self.tenant) as tx:
            row = await tx.fetchrow(sql.get_batch, self.tenant, batch_id)
        assert row is not None
        await Split(database or self.database, self.objects, self.progress, row, lambda: None).run()

    async def released(self) -> list[ImageId]:
        """Dispatch until nothing more comes; the images in the order of their release."""
        return [item.image_id for item in await self.items()]

    async def items(self) -> list[RenderItem]:
        """The same, with what the workers are told of each."""
        items: list[RenderItem] = []
        while await self.dispatcher.dispatch():
            for message in await self.outbox(RenderImages):
                items += message.items  # type: ignore[attr-defined]
            await self.forget(RenderImages)
        return items

    async def collect(
        self, batch_id: BatchId, outcomes: Sequence[RenderOutcome], route: Route | None = None
    ) -> None:
        message = ImagesRendered(
            chunk_id=ChunkId.new(), batch_id=batch_id, worker="w", route=route, outcomes=tuple(outcomes)
        )
        await self.outcomes.handle(self.delivery(message))

    def delivery(self, message: Message) -> Delivery:
        return Delivery(Envelope.of(message, source="inference", tenant=self.tenant), message)

    async def batch(self, batch_id: BatchId) -> Batch:
        return await self.service.get_batch(GetBatch(batch_id=batch_id), self.tenant)

    async def retry(self, batch_id: BatchId) -> Batch:
        return await self.service.retry(RetryBatch(batch_id=batch_id), self.tenant)

    async def images(self, batch_id: BatchId) -> tuple[Image, ...]:
        page = await self.service.list_images(ListImages(batch_id=batch_id, limit=500), self.tenant)
        return page.items

    async def outbox(self, kind: type[Message]) -> list[Message]:
        async with self.database.platform("look") as tx:
            rows = await tx.fetch(
                "select headers, data from outbox where tenant_id = $1 order by id", self.tenant
            )
        return [kind.model_validate_json(row["data"]) for row in rows if row["headers"]["type"] == kind.wire]

    async def forget(self, kind: type[Message]) -> None:
        async with self.database.platform("forget") as tx:
            await tx.execute("delete from outbox where headers->>'type' = $1", kind.wire)

    async def charged(self) -> int:
        async with self.database.tenant(self.tenant) as tx:
            return int(await tx.fetchval("select count(*) from charges"))


@asynccontextmanager
async def at_desk(database: Database, folder: Path) -> AsyncIterator[Desk]:
    """A desk on an empty database."""
    await database.start()
    async with database.platform("clean up") as tx:
        await tx.execute("delete from batches")
    yield Desk(database, Objects(folder.as_uri()))
    await database.close()


def photo(number: int) -> bytes:
    return JPEG + str(number).encode()


def archive(count: int) -> bytes:
    return build([Part(f"{number:04}.jpg".encode(), photo(number)) for number in range(count)])


def done(image_id: ImageId, **other: Any) -> RenderedImage:
    """How an image ended well; `other` fields than the usual ones."""
    usual = RenderedImage(
        image_id=image_id,
        result_key=f"r/{image_id}",
        media_type="image/png",
        size=1,
        sha256="0" * 64,
        width=1,
        height=1,
        verdict=Verdict.PUBLISHABLE,
        score=1,
        model="m@1",
        render_ms=5,
    )
    return usual.model_copy(update=other)


def broken(image_id: ImageId) -> UnrenderableImage:
    return UnrenderableImage(image_id=image_id, code="corrupt", detail="It is damaged.")


class Dying:
    """A database whose process is killed when it begins its transaction number `at`."""

    def __init__(self, database: Database, at: int) -> None:
        self._database = database
        self._left = at

    def tenant(self, tenant: TenantId) -> Any:
        self._left -= 1
        if self._left < 0:
            raise Unavailable("killed here")
        return self._database.tenant(tenant)
