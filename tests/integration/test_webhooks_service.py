"""The webhooks service as it runs: over the bus, and killed while it delivers."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from cryptography.fernet import Fernet
from pydantic import SecretStr, ValidationError
from standardwebhooks import Webhook

from deploy.local.servers.nats import Nats
from libs.common.bus.bus import Bus
from libs.common.bus.connect import connect
from libs.common.contracts.batch import BatchCompleted, BatchFailed, BatchStatus
from libs.common.contracts.envelope import Envelope
from libs.common.contracts.ids import EndpointId, TenantId
from libs.common.contracts.webhooks import (
    CreatedEndpoint,
    CreateEndpoint,
    Delivery,
    DeliveryStatus,
    ListDeliveries,
    TestEndpoint,
)
from libs.common.errors import Invalid, Unavailable
from libs.common.lifecycle import Lifecycle
from services.webhooks.deliver import CLAIM
from services.webhooks.errors import UrlRefused
from services.webhooks.seal import Seal
from services.webhooks.settings import WebhooksSettings
from services.webhooks.wiring import wire
from tests.integration.webhook_desk import LIMIT_S, Receiver, at_desk, receiving
from tests.servers.databases import TestDatabase
from tests.unit.test_webhooks_payload import batch

KEY = Fernet.generate_key().decode()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


@asynccontextmanager
async def joined(nats: Nats, service: str) -> AsyncIterator[Bus]:
    bus = connect(nats.url, service)
    await bus.start()
    try:
        yield bus
    finally:
        await bus.close()


@asynccontextmanager
async def running(database: TestDatabase, nats: Nats, *, allow_private: bool = True) -> AsyncIterator[None]:
    """The whole service in this process."""
    settings = WebhooksSettings(
        bus_url=SecretStr(nats.url),
        database_url=database.url("webhooks"),
        platform_database_url=database.url("webhooks_platform"),
        secret_key=SecretStr(KEY),
        api_url="https://api.example",
        allow_private=allow_private,
    )
    lifecycle = Lifecycle()
    try:
        await wire(settings, lifecycle)
        yield
    finally:
        await lifecycle.close()


async def deliveries(gateway: Bus, tenant: TenantId, endpoint: EndpointId) -> tuple[Delivery, ...]:
    return (await gateway.request(ListDeliveries(endpoint_id=endpoint), tenant=tenant)).items


async def ended(gateway: Bus, tenant: TenantId, endpoint: EndpointId, count: int = 1) -> tuple[Delivery, ...]:
    async with asyncio.timeout(LIMIT_S):
        while True:
            found = await deliveries(gateway, tenant, endpoint)
            if len(found) >= count and all(one.status != DeliveryStatus.PENDING for one in found):
                return found
            await asyncio.sleep(0.02)


async def test_from_the_batch_service_to_the_receiver(
    database: TestDatabase, nats_server: Nats, receiver: Receiver
) -> None:
    """The gateway registers, the batch service tells, the receiver verifies; each message once."""
    tenant = TenantId.new()
    async with (
        running(database, nats_server),
        joined(nats_server, "gateway") as gateway,
        joined(nats_server, "batch") as batches,
    ):
        made = await gateway.request(CreateEndpoint(url=receiver.url + "/"), tenant=tenant)
        told = (
            BatchCompleted(batch=batch()),
            BatchFailed(batch=batch(BatchStatus.FAILED)),
        )
        envelopes = [Envelope.of(message, source="batch", tenant=tenant) for message in told]
        await batches.publish([*envelopes, *envelopes])
        came = await receiver.count(2)
        await ended(gateway, tenant, made.endpoint.id, 2)
    hook = Webhook(made.secret.get_secret_value())
    types = sorted(hook.verify(one.body, dict(one.headers))["type"] for one in came)
    assert types == ["batch.completed", "batch.failed"]
    assert len(receiver.received) == 2


async def test_what_is_told_of_a_gone_endpoint_does_not_block_the_outbox(
    database: TestDatabase, nats_server: Nats, receiver: Receiver
) -> None:
    """Nobody consumes that an endpoint was disabled; the outbox empties all the same."""
    tenant = TenantId.new()
    receiver.status("/", 410)
    own = database.of("webhooks")
    await own.start()
    async with running(database, nats_server), joined(nats_server, "gateway") as gateway:
        made = await gateway.request(CreateEndpoint(url=receiver.url + "/"), tenant=tenant)
        await gateway.request(TestEndpoint(endpoint_id=made.endpoint.id), tenant=tenant)
        [delivery] = await ended(gateway, tenant, made.endpoint.id)
        assert delivery.status == DeliveryStatus.FAILED
        async with asyncio.timeout(LIMIT_S):
            while True:
                async with own.platform("look") as tx:
                    if await tx.fetchval("select count(*) from outbox") == 0:
                        break
                await asyncio.sleep(0.02)
    await own.close()


async def test_refusals_reach_the_gateway_as_they_are(database: TestDatabase, nats_server: Nats) -> None:
    """A URL inside, and a query that names no tenant."""
    async with (
        running(database, nats_server, allow_private=False),
        joined(nats_server, "gateway") as gateway,
    ):
        with pytest.raises(Invalid) as refused:
            await gateway.request(CreateEndpoint(url="https://127.0.0.1/"), tenant=TenantId.new())
        assert (refused.value.code, refused.value.field) == (UrlRefused.default_code, "url")
        with pytest.raises(Invalid):
            await gateway.request(CreateEndpoint(url="https://shop.example/"))


async def test_a_worker_killed_while_it_delivers_loses_nothing(
    database: TestDatabase, nats_server: Nats, receiver: Receiver
) -> None:
    """When its claim runs out, another sends the same webhook under the same id."""

    async def hang(_: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    receiver.answers["/"] = hang
    async with process(database, nats_server) as victim, joined(nats_server, "gateway") as gateway:
        made = await _registered(gateway, receiver, tenant := TenantId.new())
        await gateway.request(TestEndpoint(endpoint_id=made.endpoint.id), tenant=tenant)
        await receiver.count(1)
        victim.kill()
        await victim.wait()

    del receiver.answers["/"]
    own = database.of("webhooks")
    await own.start()
    async with at_desk(own) as desk:
        desk.tenant, desk.seal = tenant, Seal(SecretStr(KEY))
        async with desk.worker():
            [waiting] = await desk.deliveries(made.endpoint.id)
            assert (waiting.status, waiting.attempts) == (DeliveryStatus.PENDING, ())
            desk.clock.turn(seconds=CLAIM.total_seconds() + 5)
            desk.wake()
            delivery = await desk.tried(made.endpoint.id, 1)
    await own.close()
    assert delivery.status == DeliveryStatus.DELIVERED
    first, second = receiver.received
    assert first.id == second.id == delivery.id
    assert first.body == second.body


@pytest.mark.parametrize("key", ["", "short", f"{KEY},nonsense"])
def test_without_a_good_key_it_does_not_start(key: str) -> None:
    """There is no plaintext mode, and the message does not show the key."""
    with pytest.raises(ValidationError) as refused:
        WebhooksSettings(
            bus_url=SecretStr("nats://x"),
            database_url=SecretStr("x"),
            platform_database_url=SecretStr("x"),
            secret_key=SecretStr(key),
            api_url="https://api.example",
        )
    assert [error["loc"] for error in refused.value.errors()] == [("secret_key",)]
    assert not key or key not in str(refused.value)


@asynccontextmanager
async def process(database: TestDatabase, nats: Nats) -> AsyncIterator[asyncio.subprocess.Process]:
    """The service as a process of its own."""
    environment = {
        **os.environ,
        "MANNEQUIN_BUS_URL": nats.url,
        "WEBHOOKS_DATABASE_URL": database.url("webhooks").get_secret_value(),
        "WEBHOOKS_PLATFORM_DATABASE_URL": database.url("webhooks_platform").get_secret_value(),
        "WEBHOOKS_SECRET_KEY": KEY,
        "WEBHOOKS_API_URL": "https://api.example",
        "WEBHOOKS_ALLOW_PRIVATE": "true",
    }
    command = (sys.executable, "-m", "services.webhooks.main")
    started = await asyncio.create_subprocess_exec(*command, env=environment)
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
            await started.wait()


async def _registered(gateway: Bus, receiver: Receiver, tenant: TenantId) -> CreatedEndpoint:
    """An endpoint, once the service is up to make it."""
    async with asyncio.timeout(LIMIT_S):
        while True:
            try:
                return await gateway.request(CreateEndpoint(url=receiver.url + "/"), tenant=tenant)
            except Unavailable:
                await asyncio.sleep(0.05)
