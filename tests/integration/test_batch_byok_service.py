"""The batch service as it runs, over the bus, with a tenant's key that fails half-way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from pydantic import SecretStr

from deploy.local.servers.nats import Nats
from libs.common.bus.bus import Bus, Delivery
from libs.common.bus.connect import connect
from libs.common.contracts import flow
from libs.common.contracts.batch import Batch, BatchOptions, BatchStatus, GetBatch, SubmitBatch
from libs.common.contracts.credentials import CredentialChanged
from libs.common.contracts.envelope import Envelope
from libs.common.contracts.ids import ApiKeyId, BatchId, ChunkId, TenantId
from libs.common.contracts.inference import ImagesRendered, RenderImages, RenderOutcome, RenderRemotely
from libs.common.contracts.message import Durable
from libs.common.contracts.providers import FaultCode, Payer
from libs.common.contracts.routing import (
    CheckRoutes,
    EstimateBatch,
    GetRoutingPolicy,
    GetSavings,
    GetUsage,
    ListRenderedOn,
    RouteClaim,
    RoutingPolicy,
    SetRoutingPolicy,
)
from libs.common.contracts.tenants import PlanChanged
from libs.common.errors import Conflict, NotFound
from libs.common.lifecycle import Lifecycle
from libs.common.objects import Objects, tenant_key
from services.batch.settings import BatchSettings
from services.batch.wiring import wire
from tests.integration.batch_desk import archive, done
from tests.integration.byok_desk import EVERYTHING, THEN, credential, gave_up
from tests.servers.databases import TestDatabase

LIMIT_S = 30
IMAGES = 24
TODAY = datetime.now(UTC).date()


class Others:
    """All services but this one, as it sees them: a tenant's key stops working after some images."""

    def __init__(self, buses: dict[str, Bus], tenant: TenantId) -> None:
        self.buses = buses
        self.tenant = tenant
        self.key = credential()
        self.open: list[tuple[bool, ...]] = []
        self.works = True

    async def say(self, service: str, message: Durable) -> None:
        envelope = Envelope.of(message, source=service, tenant=self.tenant)
        await self.buses[service].publish([envelope])

    async def render(self, delivery: Delivery) -> None:
        """A worker, local or remote. The key is revoked after the first chunk on it."""
        chunk = delivery.message
        assert isinstance(chunk, RenderImages)
        route = chunk.route if isinstance(chunk, RenderRemotely) else None
        outcomes: list[RenderOutcome] = [done(item.image_id) for item in chunk.items]
        if route is not None:
            self.open.append(await self.check(chunk.batch_id))
            if not self.works:
                outcomes = [gave_up(item.image_id, FaultCode.REVOKED) for item in chunk.items]
            self.works = False
        told = ImagesRendered(
            chunk_id=ChunkId.new(), batch_id=chunk.batch_id, worker="w", route=route, outcomes=tuple(outcomes)
        )
        await self.say("inference", told)

    async def check(self, batch_id: BatchId) -> tuple[bool, ...]:
        claim = RouteClaim(tenant_id=self.tenant, batch_id=batch_id, credential_id=self.key.id)
        return (await self.buses["keyvault"].request(CheckRoutes(claims=(claim,)))).open

    async def wants(self, policy: RoutingPolicy) -> RoutingPolicy:
        """Set it, once the plan that holds it has arrived."""
        async with asyncio.timeout(LIMIT_S):
            while True:
                try:
                    query = SetRoutingPolicy(policy=policy)
                    return await self.buses["gateway"].request(query, tenant=self.tenant)
                except Conflict:
                    await asyncio.sleep(0.02)

    async def ended(self, batch_id: BatchId) -> Batch:
        async with asyncio.timeout(LIMIT_S):
            while True:
                with suppress(NotFound):  # it has not arrived yet
                    query = GetBatch(batch_id=batch_id)
                    batch = await self.buses["gateway"].request(query, tenant=self.tenant)
                    if batch.status.ended:
                        return batch
                await asyncio.sleep(0.05)


@asynccontextmanager
async def running(database: TestDatabase, nats: Nats, objects_url: str) -> AsyncIterator[Others]:
    """The whole service in this process, and the others' ends of the bus."""
    settings = BatchSettings(
        bus_url=SecretStr(nats.url),
        database_url=database.url("batch"),
        platform_database_url=database.url("batch_platform"),
        objects_url=SecretStr(objects_url),
    )
    async with AsyncExitStack() as stack:
        buses = {}
        for service in ("gateway", "tenants", "keyvault", "inference"):
            buses[service] = connect(nats.url, service)
            await buses[service].start()
            stack.push_async_callback(buses[service].close)
        lifecycle = Lifecycle()
        stack.push_async_callback(lifecycle.close)
        await wire(settings, lifecycle)
        others = Others(buses, TenantId.new())
        for queue in (flow.RENDERS, flow.REMOTE_RENDERS):
            await buses["inference"].subscribe(queue, others.render)
        yield others


async def test_a_batch_goes_on_when_its_key_fails_and_the_bill_adds_up(
    database: TestDatabase, nats_server: Nats, tmp_path: Path
) -> None:
    """From the plan to the report: nothing is lost, both payers are on the bill, each image once."""
    async with running(database, nats_server, tmp_path.as_uri()) as others:
        gateway, tenant, content = others.buses["gateway"], others.tenant, archive(IMAGES)
        await others.say("tenants", PlanChanged(plan=EVERYTHING, revision=1))
        await others.say("keyvault", CredentialChanged(credential=others.key))
        wanted = await others.wants(RoutingPolicy(policy=THEN))
        assert await gateway.request(GetRoutingPolicy(), tenant=tenant) == wanted
        key = tenant_key(tenant, "batches", "b", "archive.zip")
        await Objects(tmp_path.as_uri()).put(key, content)
        look = EstimateBatch(archive_key=key, archive_size=len(content), options=BatchOptions())
        async with asyncio.timeout(LIMIT_S):
            while (await gateway.request(look, tenant=tenant)).routes[0].payer is not Payer.TENANT:
                await asyncio.sleep(0.02)

        batch_id = BatchId.new()
        submit = SubmitBatch(
            batch_id=batch_id,
            submitted_by=ApiKeyId.new(),
            archive_key=key,
            archive_size=len(content),
            options=BatchOptions(),
            submitted_at=datetime.now(UTC),
        )
        await others.say("gateway", submit)
        batch = await others.ended(batch_id)
        assert (batch.status, batch.counts.completed) == (BatchStatus.COMPLETED, IMAGES)
        assert set(others.open) == {(True,)}
        assert await others.check(batch_id) == (False,)

        report = await gateway.request(GetUsage(start=TODAY, end=TODAY), tenant=tenant)
        assert {row.payer for row in report.rows} == {Payer.TENANT, Payer.PLATFORM}
        assert report.total.images == IMAGES
        savings = await gateway.request(GetSavings(start=TODAY, end=TODAY), tenant=tenant)
        on_key = ListRenderedOn(since=batch.created_at)
        rendered = await others.buses["keyvault"].request(on_key, tenant=tenant)
        assert [row.images for row in rendered.items] == [savings.total.byok_images]
        assert savings.total.moved_share
