"""Keys that fail, told to their tenant: from the vault's event to the receiver, by the clock on the wall."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from statistics import median
from typing import Any

import pytest
from standardwebhooks import Webhook

from deploy.local.servers.nats import Nats
from libs.common.contracts.credentials import Credential, CredentialFailed, CredentialRecovered, HealthState
from libs.common.contracts.envelope import Envelope
from libs.common.contracts.ids import CredentialId, TenantId
from libs.common.contracts.message import Durable
from libs.common.contracts.webhooks import CreateEndpoint, WebhookType
from tests.integration.test_webhooks_service import joined, running
from tests.integration.webhook_desk import Receiver, receiving
from tests.servers.databases import TestDatabase
from tests.unit.test_webhooks_credentials import NOW, credential

ROUNDS = 15


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


def failed(key: CredentialId, revision: int) -> CredentialFailed:
    return CredentialFailed(credential=shown(key, revision), first_fault_at=NOW)


def shown(key: CredentialId, revision: int, state: HealthState = HealthState.FAILED) -> Credential:
    return credential(state, id=key, revision=revision)


async def test_a_failed_key_is_told_to_those_who_asked_signed_and_once(
    database: TestDatabase, nats_server: Nats, receiver: Receiver
) -> None:
    """With the reason and what to do; an endpoint that asked for batches alone hears nothing."""
    tenant, key = TenantId.new(), CredentialId.new()
    async with (
        running(database, nats_server),
        joined(nats_server, "gateway") as gateway,
        joined(nats_server, "keyvault") as vault,
    ):
        types = (WebhookType.CREDENTIAL_FAILED, WebhookType.CREDENTIAL_RECOVERED)
        made = await gateway.request(CreateEndpoint(url=f"{receiver.url}/keys", types=types), tenant=tenant)
        await gateway.request(CreateEndpoint(url=f"{receiver.url}/batches"), tenant=tenant)
        recovered = CredentialRecovered(credential=shown(key, 5, HealthState.RECOVERED))
        told: list[Durable] = [failed(key, 3), failed(key, 3), recovered]
        await vault.publish([Envelope.of(message, source="keyvault", tenant=tenant) for message in told])
        came = await receiver.count(2, "/keys")
    secret = made.secret.get_secret_value()
    bodies: list[dict[str, Any]] = [Webhook(secret).verify(one.body, dict(one.headers)) for one in came]
    by_type = {body["type"]: body["data"] for body in bodies}
    assert set(by_type) == {"credential.failed", "credential.recovered"}
    assert by_type["credential.failed"]["reason"]["advice"] == "Replace it."
    assert by_type["credential.failed"]["credential"]["id"] == key
    assert receiver.at("/batches") == []


async def test_a_tenant_hears_of_a_failed_key_within_a_second(
    database: TestDatabase, nats_server: Nats, receiver: Receiver
) -> None:
    """The median of some, from the event's publication to the webhook's arrival."""
    tenant = TenantId.new()
    async with (
        running(database, nats_server),
        joined(nats_server, "gateway") as gateway,
        joined(nats_server, "keyvault") as vault,
    ):
        types = (WebhookType.CREDENTIAL_FAILED,)
        await gateway.request(CreateEndpoint(url=f"{receiver.url}/", types=types), tenant=tenant)
        took: list[float] = []
        for number in range(1, ROUNDS + 1):
            began = time.perf_counter()
            message = failed(CredentialId.new(), 1)
            await vault.publish([Envelope.of(message, source="keyvault", tenant=tenant)])
            came = (await receiver.count(number))[-1]
            assert json.loads(came.body)["data"]["credential"]["id"] == message.credential.id
            took.append(came.at - began)
    assert median(took) < 1, took
