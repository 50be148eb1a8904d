"""A tenant with keys of its own at the desk of the batch service."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg

from libs.common.contracts.batch import BatchOptions
from libs.common.contracts.credentials import Credential, CredentialChanged, Health, HealthState
from libs.common.contracts.ids import BatchId, CredentialId, ImageId
from libs.common.contracts.inference import RenderImages, RenderOutcome, RenderRemotely, UnroutedImage
from libs.common.contracts.message import Message
from libs.common.contracts.providers import Fault, FaultCode, ProviderName, Route
from libs.common.contracts.routing import (
    CheckRoutes,
    GetRoutingPolicy,
    PolicyName,
    RouteClaim,
    RoutingPolicy,
    SetRoutingPolicy,
)
from libs.common.contracts.tenants import Plan, PlanChanged
from libs.common.db import Database
from services.batch.claims import Claims
from services.batch.policy import Policies
from services.batch.projection import remember_credential, remember_tenant
from tests.integration.batch_desk import Desk, archive, at_desk, done
from tests.servers.databases import TestDatabase

EVERYTHING = Plan(name="enterprise", byok=True, fallback=True)
ONLY, THEN = PolicyName.BYOK_ONLY, PolicyName.BYOK_THEN_PLATFORM
PROVIDER = ProviderName.PHOTOROOM


class ByokDesk(Desk):
    """What the other services say comes as messages; what leaves is read from the outbox."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.policies = Policies(self.database, lambda: None)
        self._plan_revision = 0

    async def hears(self, message: Message) -> None:
        """Something that another service says of the tenant."""
        effect = remember_credential if isinstance(message, CredentialChanged) else remember_tenant
        async with self.database.tenant(self.tenant) as tx:
            await effect(message, tx)

    async def buys(self, plan: Plan = EVERYTHING) -> None:
        self._plan_revision += 1
        await self.hears(PlanChanged(plan=plan, revision=self._plan_revision))

    async def wants(self, policy: PolicyName, **other: Any) -> RoutingPolicy:
        wanted = RoutingPolicy(policy=policy, **other)
        return await self.policies.set(SetRoutingPolicy(policy=wanted), self.tenant)

    async def policy(self) -> RoutingPolicy:
        return await self.policies.get(GetRoutingPolicy(), self.tenant)

    async def has(self, credential: Credential) -> CredentialId:
        await self.hears(CredentialChanged(credential=credential))
        return credential.id

    async def in_line(self, count: int, options: BatchOptions | None = None) -> BatchId:
        """A batch of so many photos, split."""
        batch_id = await self.submit(archive(count), options)
        await self.split(batch_id)
        return batch_id

    async def dispatched(self) -> list[tuple[Route | None, list[ImageId]]]:
        """Dispatch once; the chunks that left, each with its route."""
        return [(_route(message), _images(message)) for message in await self._messages()]

    async def work_off(self) -> list[tuple[Route | None, int]]:
        """Dispatch and render until nothing more comes; how many images went on what route."""
        went: list[tuple[Route | None, int]] = []
        while messages := await self._messages():
            for message in messages:
                outcomes = [done(image, compute_ms=250) for image in _images(message)]
                await self.collect(message.batch_id, outcomes, _route(message))
                went.append((_route(message), len(outcomes)))
        return went

    async def _messages(self) -> list[RenderImages]:
        await self.dispatcher.dispatch()
        messages: list[RenderImages] = []
        for kind in (RenderImages, RenderRemotely):
            messages += [one for one in await self.outbox(kind) if isinstance(one, RenderImages)]
            await self.forget(kind)
        return messages

    async def unrouted(
        self, batch_id: BatchId, sent: Sequence[tuple[Route | None, list[ImageId]]], code: FaultCode
    ) -> None:
        """Every image comes back because of this fault of its route."""
        for route, images in sent:
            await self.collect(batch_id, [gave_up(image, code) for image in images], route)

    async def rows(self, query: str) -> list[Any]:
        """The tenant's rows."""
        async with self.database.tenant(self.tenant) as tx:
            return [dict(row) for row in await tx.fetch(query)]

    async def charges(self) -> list[Any]:
        return await self.rows("select * from charges order by image_id")

    async def spend(self) -> dict[str, tuple[Decimal, Decimal]]:
        """Reserved and charged by account."""
        rows = await self.rows("select account, reserved, charged from spend")
        return {row["account"]: (row["reserved"], row["charged"]) for row in rows}

    async def open(self, claims: tuple[RouteClaim, ...]) -> tuple[bool, ...]:
        """What the vault is told of these claims."""
        answer = await Claims(self.database).check(self.delivery(CheckRoutes(claims=claims)))
        return answer.open

    async def hurry(self) -> None:
        """Every pause and every look that is planned is over."""
        async with self.database.platform("hurry up") as tx:
            await tx.execute("update credentials set paused_until = now() where paused_until is not null")
            await tx.execute("update routing set look_at = now() where look_at is not null")


@asynccontextmanager
async def at_byok_desk(database: Database, folder: Path) -> AsyncIterator[ByokDesk]:
    """A desk on an empty database, whose tenant bought everything."""
    async with at_desk(database, folder) as desk:
        byok = ByokDesk(desk.database, desk.objects)
        await byok.buys()
        yield byok


def _route(message: RenderImages) -> Route | None:
    return message.route if isinstance(message, RenderRemotely) else None


def _images(message: RenderImages) -> list[ImageId]:
    return [item.image_id for item in message.items]


def credential(**other: Any) -> Credential:
    """A healthy one of 0.02 USD an image; `state` and `detail` are those of its health."""
    now = datetime.now(UTC)
    health = Health(state=other.pop("state", HealthState.HEALTHY), since=now, detail=other.pop("detail", ""))
    usual = {
        "id": CredentialId.new(),
        "provider": PROVIDER,
        "label": "studio",
        "health": health,
        "last_four": "abcd",
        "fingerprint": "f",
        "created_at": now,
        "updated_at": now,
    }
    return Credential.model_validate(usual | other)


def now_is(before: Credential, state: HealthState, **other: Any) -> Credential:
    """The same credential one revision on."""
    health = before.health.model_copy(update={"state": state, "detail": other.pop("detail", "")})
    changes = {"health": health, "revision": before.revision + 1, **other}
    return before.model_copy(update=changes)


def gave_up(image_id: ImageId, code: FaultCode) -> RenderOutcome:
    return UnroutedImage(image_id=image_id, fault=Fault(code=code, detail="It does not answer."))


def images_on(sent: Sequence[tuple[Route | None, list[ImageId]]]) -> list[ImageId]:
    return [image for _, images in sent for image in images]


def as_admin(database: TestDatabase) -> psycopg.Connection:
    return psycopg.connect(database.admin_url, autocommit=True)
