"""A remote inference worker on real servers, with those beside it: a vault that seals, the batch service's
ears, and tenants' accounts that run the platform's model.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import onnxruntime as ort
from pydantic import SecretStr

from deploy.local.servers.nats import Nats
from libs.common.bus.bus import Bus, Delivery
from libs.common.bus.connect import connect
from libs.common.contracts import flow
from libs.common.contracts.credentials import (
    CredentialObserved,
    Lease,
    LeaseCredential,
    LeasesRevoked,
    ProbeCredential,
)
from libs.common.contracts.envelope import Envelope
from libs.common.contracts.ids import BatchId, ChunkId, CredentialId, ImageId, LeaseId, ProbeId, TenantId
from libs.common.contracts.inference import ImagesRendered, RenderItem, RenderRemotely, StoredPhoto
from libs.common.contracts.message import Durable, Message
from libs.common.contracts.options import RenderOptions
from libs.common.contracts.providers import Fault, Payer, ProviderName, Route
from libs.common.errors import MannequinError
from libs.common.lifecycle import Lifecycle
from libs.common.objects import Objects
from libs.common.sealing import seal_for_worker
from services.inference.models.card import Precision
from services.inference.models.registry import load_model
from services.inference.providers.provider import Account, CallFailed, Drawing, Tensors
from services.inference.settings import InferenceSettings
from services.inference.wiring import wire
from tests.servers.databases import TestDatabase

LIMIT_S = 30.0


@dataclass
class Told:
    """Messages of the tenant that came, with the moment (`time.perf_counter()`)."""

    tenant: TenantId
    came: list[tuple[float, Message]] = field(default_factory=list)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, delivery: Delivery) -> None:
        if delivery.envelope.tenant_id == self.tenant:
            self.came.append((time.perf_counter(), delivery.message))
            self._changed.set()

    async def of(self, kind: type[Any], count: int = 1) -> list[Any]:
        """The first `count` of a kind, once they are there."""
        async with asyncio.timeout(LIMIT_S):
            while len(found := [m for _, m in self.came if isinstance(m, kind)]) < count:
                self._changed.clear()
                await self._changed.wait()
        return found

    def at(self, message: Message) -> float:
        return next(moment for moment, came in self.came if came is message)


@dataclass
class Vault:
    """Leases the one secret of each credential; `refuse` has what it raises next, in order."""

    secrets: dict[CredentialId, dict[str, str]] = field(default_factory=dict)
    refuse: list[MannequinError] = field(default_factory=list)
    leased: list[LeaseCredential] = field(default_factory=list)
    provider: ProviderName = ProviderName.OPEN_INFERENCE
    term_s: float = 300

    async def lease(self, delivery: Delivery) -> Lease:
        query, tenant = delivery.message, delivery.envelope.tenant_id
        assert isinstance(query, LeaseCredential)
        assert tenant is not None
        if self.refuse:
            raise self.refuse.pop(0)
        self.leased.append(query)
        said = query.model_dump(
            include={"credential_id", "version", "purpose", "batch_id", "probe_id", "worker"}
        )
        lease = Lease(
            id=LeaseId.new(),
            provider=self.provider,
            expires_at=datetime.now(UTC) + timedelta(seconds=self.term_s),
            sealed="",
            **said,
        )
        secrets = self.secrets[query.credential_id]
        return lease.model_copy(update={"sealed": seal_for_worker(secrets, query.public_key, tenant, lease)})


class ModelAccount:
    """A Connection to an account that runs the platform's exported model.

    `before` is called before each call; what it raises is the call's fault.
    """

    def __init__(self, precision: Precision = Precision.FP32) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        model = load_model(precision=precision)
        self._session = ort.InferenceSession(model.onnx, options, providers=["CPUExecutionProvider"])
        self.before: Callable[[int], Awaitable[None]] | None = None
        self.calls = 0
        self.closed = 0
        self.seconds: list[float] = []

    async def connect(self, provider: ProviderName, account: Account) -> ModelAccount:
        self.account = account
        return self

    async def probe(self) -> None:
        await self._begin()

    async def segment(self, inputs: Tensors, outputs: Sequence[str]) -> Tensors:
        started = time.perf_counter()
        try:
            await self._begin()
            values = await asyncio.to_thread(self._session.run, list(outputs), dict(inputs))
            return dict(zip(outputs, values, strict=True))
        finally:
            self.seconds.append(time.perf_counter() - started)

    async def ghost(self, photo: bytes, media_type: str) -> Drawing:
        raise NotImplementedError

    async def on_model(
        self, photo: bytes, media_type: str, prompt: str, person: bytes | None = None
    ) -> Drawing:
        raise NotImplementedError

    async def close(self) -> None:
        self.closed += 1

    async def _begin(self) -> None:
        self.calls += 1
        if self.before is not None:
            await self.before(self.calls)


def failing(failed: CallFailed, after: int = 0) -> Callable[[int], Awaitable[None]]:
    """Every call after the first few fails so."""

    async def before(number: int) -> None:
        if number > after:
            raise failed

    return before


@dataclass
class Desk:
    """One tenant with one credential, the worker, and what is told of its work."""

    objects: Objects
    batch: Bus
    keyvault: Bus
    vault: Vault = field(default_factory=Vault)
    tenant: TenantId = field(default_factory=TenantId.new)
    credential: CredentialId = field(default_factory=CredentialId.new)
    settings: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.told = Told(self.tenant)

    def route(self, **other: Any) -> Route:
        usual = Route(
            provider=self.vault.provider,
            payer=Payer.TENANT,
            credential_id=self.credential,
            credential_version=1,
            settings=self.settings,
            reason="its own key is healthy",
        )
        return usual.model_copy(update=other)

    async def chunk(self, photos: Sequence[bytes], batch_id: BatchId | None = None) -> RenderRemotely:
        """A chunk of stored photos."""
        items = []
        for photo in photos:
            image_id = ImageId.new()
            await self.objects.put(f"photos/{image_id}", photo)
            source = StoredPhoto(key=f"photos/{image_id}", size=len(photo))
            items.append(RenderItem(image_id=image_id, photo=source, result_key=f"results/{image_id}.png"))
        return RenderRemotely(
            chunk_id=ChunkId.new(),
            batch_id=batch_id or BatchId.new(),
            options=RenderOptions(),
            items=tuple(items),
            route=self.route(),
        )

    async def render(self, chunk: RenderRemotely) -> ImagesRendered:
        """What comes of a chunk."""
        await self.send(self.batch, chunk)
        return await self.outcome(chunk)

    async def outcome(self, chunk: RenderRemotely) -> ImagesRendered:
        async with asyncio.timeout(LIMIT_S):
            for count in range(1, 1000):
                found: ImagesRendered = (await self.told.of(ImagesRendered, count))[-1]
                if found.chunk_id == chunk.chunk_id:
                    return found
        raise AssertionError

    async def probe(self, **other: Any) -> ProbeId:
        probe = ProbeCredential(
            probe_id=ProbeId.new(),
            credential_id=self.credential,
            version=1,
            provider=self.vault.provider,
            settings=self.settings,
            expires_at=datetime.now(UTC) + timedelta(seconds=10),
        ).model_copy(update=other)
        await self.send(self.keyvault, probe)
        return probe.probe_id

    async def observed(self, count: int = 1) -> list[CredentialObserved]:
        return await self.told.of(CredentialObserved, count)

    async def fault_told(self) -> Fault:
        """The first fault that is told of the credential, whatever is told before."""
        for count in range(1, 1000):
            fault = (await self.observed(count))[-1].fault
            if fault is not None:
                return fault
        raise AssertionError

    async def revoke(self) -> None:
        await self.keyvault.signal(LeasesRevoked(credential_id=self.credential), tenant=self.tenant)

    async def send(self, bus: Bus, message: Durable) -> None:
        await bus.publish([Envelope.of(message, source="test", tenant=self.tenant)])


def remote_settings(database: TestDatabase, nats: Nats, objects_url: str, **other: Any) -> InferenceSettings:
    values = {
        "bus_url": SecretStr(nats.url),
        "objects_url": SecretStr(objects_url),
        "database_url": database.url("inference"),
        "platform_database_url": database.url("inference_platform"),
        "role": "remote",
        "remote_allow_private": True,
    }
    return InferenceSettings(**(values | other))  # type: ignore[arg-type]


@asynccontextmanager
async def at_desk(nats: Nats, objects_url: str) -> AsyncIterator[Desk]:
    """The desk without a worker: a vault that answers, and ears for outcomes and observations."""
    async with AsyncExitStack() as stack:
        desk = Desk(Objects(objects_url), connect(nats.url, "batch"), connect(nats.url, "keyvault"))
        for bus in (desk.batch, desk.keyvault):
            stack.push_async_callback(bus.close)
            await bus.start()
        desk.vault.secrets[desk.credential] = {"bearer_token": "opens-nothing"}
        await desk.keyvault.respond(LeaseCredential, desk.vault.lease)
        await desk.batch.subscribe(flow.OUTCOMES, desk.told.handle)
        await desk.keyvault.subscribe(flow.OBSERVATIONS, desk.told.handle)
        yield desk


@asynccontextmanager
async def working(settings: InferenceSettings, account: ModelAccount | None = None) -> AsyncIterator[None]:
    """A worker in this process; on an account of the test, or on real ones."""
    lifecycle = Lifecycle()
    try:
        await wire(settings, lifecycle, connect_to=account.connect if account else None)
        yield
    finally:
        await lifecycle.close()
