"""The parts that requests are answered with, and what a request needs of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, TypeVar

from fastapi import Depends, Header, Request
from fastapi.responses import Response
from pydantic import BaseModel

from libs.common.bus.bus import Bus
from libs.common.contracts.ids import TenantId
from libs.common.contracts.message import Query
from libs.common.db import Database
from libs.common.objects import Objects
from services.gateway.auth.access import Access
from services.gateway.auth.bearer import caller, presented, staff_caller
from services.gateway.auth.caller import Caller, StaffCaller
from services.gateway.auth.keyring import KeyRing
from services.gateway.auth.standing import Standing
from services.gateway.auth.token_keys import TokenKeyBook
from services.gateway.batches import Batches
from services.gateway.branding.book import BrandBook
from services.gateway.branding.pictures import Pictures
from services.gateway.idempotency import Answer, Idempotency, SomeId, request_fingerprint, stable_id
from services.gateway.middleware.metrics import GatewayMetrics
from services.gateway.plans import Plans
from services.gateway.progress import Hub
from services.gateway.rate_limit import TokenBuckets
from services.gateway.sealing import Sealer
from services.gateway.settings import GatewaySettings
from services.gateway.views import Links

Reply = TypeVar("Reply", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Gateway:
    """Made by `wiring.py`."""

    settings: GatewaySettings
    database: Database
    bus: Bus
    objects: Objects
    keys: KeyRing
    token_keys: TokenKeyBook
    standing: Standing
    access: Access
    hub: Hub
    batches: Batches
    sealer: Sealer
    idempotency: Idempotency
    buckets: TokenBuckets
    strangers: TokenBuckets
    metrics: GatewayMetrics
    plans: Plans
    brands: BrandBook
    brand_pictures: Pictures


IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=255,
        pattern=r"^[\x20-\x7e]+$",
        description="Any value of your own, such as a UUID: the same request sent again under it is done "
        "once and answered alike, for 24 hours.",
        examples=["5f0c9a0e-0d6b-4a53-9a57-0d2f6f7a1c11"],
    ),
]


@dataclass(frozen=True, slots=True)
class Ask:
    """A request that only looks: who makes it, and what it is answered with."""

    request: Request
    gateway: Gateway
    caller: Caller
    links: Links

    @property
    def tenant(self) -> TenantId:
        return self.caller.tenant

    async def service(self, query: Query[Reply], limit_s: float = 5.0) -> Reply:
        """Ask another service for this tenant, for `limit_s` seconds at most."""
        return await self.gateway.bus.request(query, tenant=self.tenant, timeout=limit_s)


@dataclass(frozen=True, slots=True)
class Act(Ask):
    """A request that changes something, and may come twice."""

    idempotency_key: str | None

    async def once(self, work: Callable[[], Awaitable[Answer]]) -> Response:
        """Do `work` unless this request was answered before."""
        return await self.gateway.idempotency.once(self.request, self.tenant, self.idempotency_key, work)

    async def id_for_secret(self, kind: type[SomeId]) -> SomeId:
        """An id for what this request makes: under an Idempotency-Key the same for each repeat."""
        if self.idempotency_key is None:
            return kind.new()
        print_ = await request_fingerprint(self.request, self._keyed_by)
        return stable_id(kind, self.idempotency_key, print_)

    async def once_with_secret(self, work: Callable[[], Awaitable[Answer]]) -> Response:
        """The same for a request that holds a secret: what is stored of it can't be tried against guesses.

        Its fingerprint is keyed by the caller's own API key, of which nothing but a digest is kept anywhere.
        """
        return await self.gateway.idempotency.once(
            self.request,
            self.tenant,
            self.idempotency_key,
            work,
            keyed_by=self._keyed_by,
        )

    @property
    def _keyed_by(self) -> bytes:
        return presented(self.request.scope).encode()


@dataclass(frozen=True, slots=True)
class StaffAsk:
    """A request of one of the platform's own people that only looks."""

    request: Request
    gateway: Gateway
    caller: StaffCaller
    links: Links

    async def service(
        self, query: Query[Reply], tenant: TenantId | None = None, limit_s: float = 5.0
    ) -> Reply:
        """Ask another service, about `tenant` or about all of the platform, for `limit_s` seconds at most."""
        return await self.gateway.bus.request(query, tenant=tenant, timeout=limit_s)


@dataclass(frozen=True, slots=True)
class StaffAct(StaffAsk):
    """A request of theirs that changes something, and may come twice."""

    idempotency_key: str | None

    async def once(self, work: Callable[[], Awaitable[Answer]]) -> Response:
        """Do `work` unless this request was answered before."""
        return await self.gateway.idempotency.once(self.request, None, self._own_key, work)

    async def once_with_secret(self, work: Callable[[], Awaitable[Answer]]) -> Response:
        """The same for a request that holds a secret; see `Act.once_with_secret`."""
        keyed_by = presented(self.request.scope).encode()
        return await self.gateway.idempotency.once(self.request, None, self._own_key, work, keyed_by=keyed_by)

    @property
    def _own_key(self) -> str | None:
        """One person's keys are not another's."""
        return self.idempotency_key and f"{self.caller.subject} {self.idempotency_key}"


async def _ask(request: Request, who: Annotated[Caller, Depends(caller)]) -> Ask:
    return Ask(request, _gateway(request), who, _links(request))


async def _act(ask: Annotated[Ask, Depends(_ask)], idempotency_key: IdempotencyKey = None) -> Act:
    return Act(ask.request, ask.gateway, ask.caller, ask.links, idempotency_key)


async def _staff_ask(request: Request, who: Annotated[StaffCaller, Depends(staff_caller)]) -> StaffAsk:
    return StaffAsk(request, _gateway(request), who, _links(request))


async def _staff_act(
    ask: Annotated[StaffAsk, Depends(_staff_ask)], idempotency_key: IdempotencyKey = None
) -> StaffAct:
    return StaffAct(ask.request, ask.gateway, ask.caller, ask.links, idempotency_key)


def _gateway(request: Request) -> Gateway:
    gateway: Gateway = request.app.state.gateway
    return gateway


def _links(request: Request) -> Links:
    return Links(_gateway(request).settings.public_url or str(request.base_url))


Asking = Annotated[Ask, Depends(_ask)]
Acting = Annotated[Act, Depends(_act)]
StaffAsking = Annotated[StaffAsk, Depends(_staff_ask)]
StaffActing = Annotated[StaffAct, Depends(_staff_act)]
