"""One dispatch in the making: images are released on their routes; those that have none leave the line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from opentelemetry import trace

from libs.common.contracts.batch import BatchOptions, Failure
from libs.common.contracts.ids import BatchId, ChunkId, ImageId, TenantId
from libs.common.contracts.inference import (
    PersonSource,
    RenderImages,
    RenderImagesNow,
    RenderItem,
    RenderRemotely,
    RenderRemotelyNow,
    WorkerRole,
)
from libs.common.contracts.options import GarmentChoice, Render
from libs.common.contracts.providers import Route, RouteTaken
from libs.common.db import Row, Transaction
from libs.common.objects import tenant_key
from libs.common.telemetry import remote_context
from services.batch import accounts, faults, store
from services.batch.accounts import Ledger
from services.batch.flights import Flights, Rooms, role_of
from services.batch.human_models.persons import Persons
from services.batch.parking import Parking
from services.batch.progress import Progress
from services.batch.quotas.concurrency import Concurrency
from services.batch.routing import Decision, Share, Standing, Work, decide, month_of
from services.batch.store import Moves, routes, sql

_tracer = trace.get_tracer("mannequin.batch")
_PEEK, _PEEK_FAR = 32, 1_000
"""Images looked at together: where some can be released, and where none can."""
Item = TypeVar("Item")


@dataclass
class Released:
    """What became of images that were looked at: sent off, or out of the line for want of a route."""

    sent: int = 0
    without_route: int = 0

    def __bool__(self) -> bool:
        return bool(self.sent or self.without_route)


@dataclass
class Round:
    """What one dispatch knows and sets aside. `rooms` bound what it releases, where they are asked for."""

    tx: Transaction
    flights: Flights
    rooms: Rooms
    progress: Progress
    now: datetime
    ledger: Ledger = field(default_factory=Ledger)
    concurrency: Concurrency = field(default_factory=Concurrency)
    _standings: dict[TenantId, Standing] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.parking = Parking(self.tx, self.ledger, self.progress, self.now)
        self.persons = Persons(self.tx, self.now)

    async def standing(self, tenant: TenantId) -> Standing:
        """How the tenant stands, with what this dispatch reserved."""
        if tenant not in self._standings:
            self._standings[tenant] = await accounts.standing(self.tx, tenant, self.now)
        return self._standings[tenant]

    async def release_plainly(self, batch: Row, limit: int) -> Released:
        """Release up to `limit` images of a batch to the platform, as its tenant has it compute all."""
        if (ended := await self._without_person(batch)) is not None:
            return ended
        tenant, batch_id = TenantId(batch["tenant_id"]), BatchId(batch["id"])
        taken = await self.tx.fetch(sql.take_images, tenant, batch_id, limit)
        if taken:
            await self._sent(batch, sorted(taken, key=_position), None)
        return Released(sent=len(taken))

    async def release_routed(self, batch: Row, limit: int, *, ahead: bool = False) -> Released:
        """Release up to `limit` images of a batch, each on its route; `ahead`: whatever room there is.

        Those that have none leave the line, also beyond the limit.
        """
        if (ended := await self._without_person(batch)) is not None:
            return ended
        tenant, released = TenantId(batch["tenant_id"]), Released()
        peek = max(limit, _PEEK) if limit else _PEEK_FAR
        rows = await self.tx.fetch(routes.peek_images, tenant, batch["id"], peek)
        for work, images in alike(rows, batch, await self.standing(tenant), self.now).items():
            decision = decide(await self.standing(tenant), work, len(images), self.now)
            left = limit - released.sent
            released.sent += await self._release_shares(batch, images, decision, left, ahead=ahead)
            rest = images[len(images) - decision.rest :] if decision.rest else []
            await self.parking.without_route(batch, rest, work, decision)
            released.without_route += len(rest)
        return released

    async def _without_person(self, batch: Row) -> Released | None:
        """End images whose human model is gone or may not be used any more; None where all is well."""
        person = await self.persons.of(batch)
        if not isinstance(person, Failure):
            return None
        rows = await self.tx.fetch(routes.peek_images, batch["tenant_id"], batch["id"], _PEEK_FAR)
        await self.parking.end(batch, rows, person)
        return Released(without_route=len(rows))

    async def finish(self) -> None:
        """Write what was set aside: after the batches, as everyone takes rows in that order."""
        await self.ledger.write(self.tx)
        await self.parking.finish()

    async def _release_shares(
        self, batch: Row, images: Sequence[Row], decision: Decision, limit: int, *, ahead: bool
    ) -> int:
        sent, start = 0, 0
        for share in decision.shares:
            room = share.images if ahead else self.rooms.on(share.route)
            count = min(share.images, limit - sent, room)
            if count > 0:
                await self._release_on(batch, images[start : start + count], share)
                sent += count
            start += share.images
        return sent

    async def _release_on(self, batch: Row, images: Sequence[Row], share: Share) -> None:
        tenant, route, amount = TenantId(batch["tenant_id"]), share.route, share.most * len(images)
        await self.tx.execute(
            routes.release_images,
            tenant,
            [image["id"] for image in images],
            stored(route),
            route.credential_id,
            route.credential_version,
            share.account,
            month_of(self.now) if share.account else None,
            share.most if share.account else None,
        )
        self.ledger.reserve(tenant, share.account, month_of(self.now), amount)
        self._standings[tenant] = accounts.reserve(await self.standing(tenant), share.account, amount)
        self.rooms.take(route, len(images))
        await self._sent(batch, images, route)

    async def _sent(self, batch: Row, images: Sequence[Row], route: Route | None) -> None:
        """Count what was released, and tell the workers; `route` None: it is the platform's business."""
        tenant, count = TenantId(batch["tenant_id"]), len(images)
        moves = Moves(ready=-count, waiting=-count, rendering=count)
        await store.move_counts(self.tx, tenant, BatchId(batch["id"]), moves)
        self.concurrency.take(tenant, count)
        role = role_of(route) if route else WorkerRole.LOCAL
        person = await self.persons.of(batch)
        assert not isinstance(person, Failure)
        with _tracer.start_as_current_span("release", context=remote_context(batch["traceparent"])):
            for chunk in _chunks(images, self.flights.of(role).chunk_size):
                self.tx.publish(_command(batch, chunk, route, person), tenant=tenant, subject=batch["id"])


def alike(images: Sequence[Row], batch: Row, standing: Standing, now: datetime) -> dict[Work, list[Row]]:
    """The images by what they need, so that one decision holds for many."""
    options, groups = batch["options"], dict[Work, list[Row]]()
    for image in images:
        work = Work(needs_segment(image, options), faults.tried(image, standing, now), on_model(options))
        groups.setdefault(work, []).append(image)
    return groups


def needs_segment(image: Mapping[str, Any] | Row, options: Mapping[str, Any]) -> bool:
    """Whether only our own rendering will do: nobody else's takes an inside shot or gives masks."""
    garment = image["garment"] or options.get("garment")
    return bool(image["inside"]) or bool(options.get("artefacts")) or garment == GarmentChoice.ALL


def on_model(options: Mapping[str, Any]) -> bool:
    """Whether the garment is to be shown on a person."""
    return bool(options.get("render") == Render.ON_MODEL)


def stored(route: Route) -> dict[str, Any]:
    """What the image keeps of its route."""
    taken = RouteTaken(
        provider=route.provider,
        payer=route.payer,
        credential_id=route.credential_id,
        fallback=route.fallback,
        reason=route.reason,
    )
    return taken.model_dump(mode="json")


def _command(
    batch: Row, images: Sequence[Row], route: Route | None, person: PersonSource | None
) -> RenderImages:
    options = BatchOptions.model_validate(batch["options"]).of_each()
    chunk = {
        "chunk_id": ChunkId.new(),
        "batch_id": batch["id"],
        "options": options,
        "person": person,
        "items": tuple(_item(batch, image, options.format.extension) for image in images),
        "test": batch["test"],
    }
    single = batch["kind"] == "single"
    if route is None or route.credential_id is None:
        return (RenderImagesNow if single else RenderImages)(**chunk)
    return (RenderRemotelyNow if single else RenderRemotely)(**chunk, route=route)


def _item(batch: Row, image: Row, extension: str) -> RenderItem:
    image_id = ImageId(image["id"])
    key = tenant_key(
        TenantId(batch["tenant_id"]), "batches", batch["id"], "results", f"{image_id}.{extension}"
    )
    where = {"key": batch["archive_key"]}
    item = {
        "image_id": image_id,
        "photo": where | image["photo"],
        "inside": image["inside"] and where | image["inside"],
        "garment": image["garment"],
        "result_key": key,
    }
    return RenderItem.model_validate(item)


def _position(image: Row) -> int:
    return int(image["position"])


def _chunks(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    return (items[start : start + size] for start in range(0, len(items), size))
