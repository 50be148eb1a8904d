"""What probes and calls say of a key, in the tables and on the bus."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from deploy.local.servers.nats import Nats
from libs.common.bus.bus import Bus, Delivery
from libs.common.bus.connect import connect
from libs.common.contracts import flow
from libs.common.contracts.credentials import (
    CredentialChanged,
    CredentialExpiring,
    CredentialFailed,
    CredentialRecovered,
    HealthState,
    LeasesRevoked,
    ObservedBy,
    ProbeCredential,
)
from libs.common.contracts.ids import CredentialId, LeaseId, TenantId
from libs.common.contracts.message import Message
from libs.common.contracts.providers import Fault, FaultCode, ProviderName
from libs.common.db import Database
from libs.common.lifecycle import Lifecycle
from libs.common.outbox import Relay, once
from services.keyvault.health import handlers, probes
from services.keyvault.health.observations import Observations, replaced
from services.keyvault.health.probes import PROBE_S, UNANSWERED, Probes
from services.keyvault.health.standings import Standings
from services.keyvault.health.warnings import Warnings
from services.keyvault.revoke import Revoker
from tests.integration.keyvault_rows import (
    REVOKED,
    audited,
    envelope,
    fetch,
    observation,
    put_credential,
    put_secret,
    row_of,
    told,
)
from tests.servers.databases import TestDatabase

LIMIT_S = 20.0
TENANT = TenantId.new()
SLOW = Fault(code=FaultCode.TIMEOUT, detail="no answer within 30 s")


@pytest.fixture
async def own(database: TestDatabase) -> AsyncIterator[Database]:
    own = database.of("keyvault")
    await own.start()
    for table in ("credentials", "outbox", "inbox", "leases"):
        await fetch(own, f"delete from {table}")
    yield own
    await own.close()


@pytest.fixture
async def bus(nats_server: Nats) -> AsyncIterator[Bus]:
    made = connect(nats_server.url, "keyvault")
    await made.start()
    yield made
    await made.close()


class Watch:
    """The handler of observations, as the service has it."""

    def __init__(self, own: Database, bus: Bus) -> None:
        self.standings = Standings(Revoker(bus))
        observations = Observations(self.standings)
        self.handle = once(own, flow.OBSERVATIONS, observations.observe)

    async def see(self, *messages: Message) -> None:
        for message in messages:
            await self.handle(Delivery(envelope(message, TENANT), message))


@pytest.fixture
def watch(own: Database, bus: Bus) -> Watch:
    return Watch(own, bus)


async def lease(own: Database, credential_id: CredentialId, version: int = 1) -> LeaseId:
    made = LeaseId.new()
    await fetch(
        own,
        "insert into leases (tenant_id, id, credential_id, version, purpose, worker, expires_at) "
        "values ($1, $2, $3, $4, 'render', 'w', now() + interval '5 minutes')",
        TENANT,
        made,
        credential_id,
        version,
    )
    return made


async def test_a_failed_key_is_one_event_one_audit_row_and_the_end_of_its_leases(
    own: Database, watch: Watch
) -> None:
    """All in the transaction of the observation, with the reason and what to do."""
    key = await put_credential(own, TENANT)
    held, before = await lease(own, key), await lease(own, key, version=7)
    await watch.see(observation(key, REVOKED, by=ObservedBy.CALL))
    changed, failed = await told(own, key)
    assert isinstance(changed, CredentialChanged)
    assert isinstance(failed, CredentialFailed)
    assert changed.credential == failed.credential
    health = failed.credential.health
    assert (health.state, health.code, health.detail) == (
        HealthState.FAILED,
        FaultCode.REVOKED,
        REVOKED.detail,
    )
    assert "replace this credential" in health.advice
    [row] = await audited(own, key)
    assert (row["action"], row["detail"]["from"], row["detail"]["code"]) == (
        "credential.failed",
        "healthy",
        "revoked",
    )
    ended = await fetch(own, "select id from leases where revoked_at is not null")
    assert {row["id"] for row in ended} == {held} != {before}


async def test_a_message_that_comes_twice_counts_once(own: Database, watch: Watch) -> None:
    """Two deliveries of one quota fault are no two in a row."""
    key = await put_credential(own, TENANT)
    message = observation(key, Fault(code=FaultCode.QUOTA, detail="429"))
    delivery = Delivery(envelope(message, TENANT), message)
    for _ in range(4):
        await watch.handle(delivery)
    row = await row_of(own, key)
    assert (row["health"], row["bad_in_a_row"], row["revision"]) == ("degraded", 1, 2)


async def test_what_is_said_of_another_version_only_answers_its_probe(own: Database, watch: Watch) -> None:
    """An old secret that was revoked after its replacement fails nothing."""
    key = await put_credential(own, TENANT, version=1)
    await put_secret(own, TENANT, key, 2, "pending")
    async with own.tenant(TENANT) as tx:
        probe = await probes.ask(tx, TENANT, key, 2, ProviderName.OPEN_INFERENCE, {})
    await watch.see(observation(key, REVOKED, version=2, probe_id=probe))
    answer = await probes.answered(own, TENANT, probe, limit_s=1)
    assert answer is not None
    assert (answer["version"], answer["fault_code"]) == (2, "revoked")
    assert (await row_of(own, key))["health"] == "healthy"


async def test_late_observations_and_fast_clocks_do_no_harm(own: Database, watch: Watch) -> None:
    """An old fault does not undo a newer success; a worker an hour ahead does not silence the others."""
    key = await put_credential(own, TENANT)
    await watch.see(observation(key), observation(key, REVOKED, ago_s=30))
    assert (await row_of(own, key))["health"] == "healthy"
    await watch.see(observation(key, ago_s=-3600))
    await watch.see(observation(key, REVOKED))
    assert (await row_of(own, key))["health"] == "failed"


async def test_a_key_that_comes_back_is_told_once_and_then_counts_as_healthy(
    own: Database, watch: Watch
) -> None:
    """Failed, recovered, healthy: three changes, of which the owner hears two."""
    key = await put_credential(own, TENANT)
    await watch.see(observation(key, REVOKED), *(observation(key) for _ in range(6)))
    row = await row_of(own, key)
    assert (row["health"], row["first_fault_at"], row["health_code"]) == ("healthy", None, None)
    heard = [type(message) for message in await told(own, key)]
    assert heard == [
        CredentialChanged,
        CredentialFailed,
        CredentialChanged,
        CredentialRecovered,
        CredentialChanged,
    ]
    assert [row["action"] for row in await audited(own, key)] == [
        "credential.failed",
        "credential.recovered",
        "credential.healthy",
    ]


async def test_a_replaced_secret_that_works_brings_a_failed_credential_back(
    own: Database, watch: Watch
) -> None:
    """Its owner is told so."""
    key = await put_credential(own, TENANT)
    await watch.see(observation(key, REVOKED))
    async with own.tenant(TENANT) as tx:
        await replaced(tx, TENANT, key, good=True)
    assert (await row_of(own, key))["health"] == "recovered"
    assert isinstance((await told(own, key))[-1], CredentialRecovered)


async def test_an_observation_of_what_is_gone_is_let_go(own: Database, watch: Watch) -> None:
    """Of a deleted credential, and of one of another tenant."""
    gone = await put_credential(own, TENANT, deleted_at=datetime.now(UTC))
    foreign = await put_credential(own, TenantId.new())
    await watch.see(
        observation(gone, REVOKED), observation(foreign, REVOKED), observation(CredentialId.new())
    )
    assert [(await row_of(own, key))["health"] for key in (gone, foreign)] == ["healthy", "healthy"]


async def test_a_key_in_trouble_is_looked_at_again_within_seconds(own: Database, watch: Watch) -> None:
    """A healthy one at its provider's pace, counted from real calls as well."""
    well, ill = await put_credential(own, TENANT), await put_credential(own, TENANT)
    await watch.see(observation(well, by=ObservedBy.CALL), observation(ill, SLOW))
    now = datetime.now(UTC)
    assert 90 < ((await row_of(own, well))["next_probe_at"] - now).total_seconds() <= 120
    assert ((await row_of(own, ill))["next_probe_at"] - now).total_seconds() <= 5


async def test_what_is_due_is_looked_at_once_whoever_looks(own: Database) -> None:
    """Two instances at the same time; neither what is switched off nor what is deleted."""
    keys = [await put_credential(own, TENANT) for _ in range(15)]
    off = await put_credential(own, TENANT, enabled=False)
    gone = await put_credential(own, TENANT, deleted_at=datetime.now(UTC))
    later = await put_credential(own, TENANT, next_probe_at=datetime.now(UTC) + timedelta(seconds=60))
    counts = await asyncio.gather(*(Probes(own).look() for _ in range(2)))
    assert sum(counts) == len(keys)
    for key in keys:
        [probe] = await told(own, key)
        assert isinstance(probe, ProbeCredential)
        assert (await row_of(own, key))["next_probe_at"] >= probe.expires_at
    assert [await told(own, key) for key in (off, gone, later)] == [[], [], []]


async def test_one_provider_is_not_asked_more_often_than_agreed(own: Database) -> None:
    """And does not keep another one waiting."""
    for _ in range(5):
        await put_credential(own, TENANT)
    other = await put_credential(own, TENANT, provider=ProviderName.PHOTOROOM)
    slow = Probes(own, per_second=3)
    assert [await slow.look() for _ in range(3)] == [4, 2, 0]
    assert len(await told(own, other)) == 1


async def test_a_new_key_whose_probe_nobody_took_says_so(own: Database) -> None:
    """It stays unverified, and is looked at again."""
    key = await put_credential(own, TENANT, health="unverified")
    later = Probes(own, clock=lambda: datetime.now(UTC) + timedelta(seconds=PROBE_S * 10))
    assert await Probes(own).look() == 1
    assert await later.look() == 1
    row = await row_of(own, key)
    assert (row["health"], row["health_detail"], row["revision"]) == ("unverified", UNANSWERED, 1)


async def test_an_owner_is_warned_once_of_each_end(own: Database, watch: Watch) -> None:
    """Of the key's own date and of the model's, each with its audit row."""
    now = datetime(2026, 12, 20, tzinfo=UTC)
    key = await put_credential(
        own,
        TENANT,
        provider=ProviderName.GOOGLE_VERTEX,
        settings={"model": "gemini-2.5-flash-image"},
        expires_at=now + timedelta(days=5),
    )
    warnings = Warnings(own, watch.standings, clock=lambda: now)
    for _ in range(3):
        await warnings.look()
    events = await told(own, key)
    assert all(isinstance(event, CredentialExpiring) for event in events)
    heard = {event.subject: event for event in events if isinstance(event, CredentialExpiring)}
    assert len(events) == 2
    assert heard["credential"].ends_at == now + timedelta(days=5)
    assert heard["gemini-2.5-flash-image"].successor == "gemini-3.1-flash-lite-image"
    assert [row["action"] for row in await audited(own, key)] == ["credential.expiring"] * 2


async def test_a_retired_model_fails_its_key_whatever_probes_say(own: Database, watch: Watch) -> None:
    """With the name of its successor; other models of the provider go on."""
    key, other = [
        await put_credential(own, TENANT, provider=ProviderName.GOOGLE_VERTEX, settings={"model": model})
        for model in ("gemini-3-pro-image-preview", "gemini-3-pro-image")
    ]
    now = datetime(2026, 11, 24, tzinfo=UTC)
    await Warnings(own, watch.standings, clock=lambda: now).look()
    await watch.see(observation(key), observation(key), observation(other))
    row = await row_of(own, key)
    assert (row["health"], row["health_code"]) == ("failed", "retired")
    assert "use gemini-3-pro-image instead" in row["health_detail"]
    assert (await row_of(own, other))["health"] == "healthy"


async def test_a_key_fault_reaches_webhooks_and_workers_within_a_second(
    own: Database, bus: Bus, nats_server: Nats
) -> None:
    """From the worker's word over the bus to the two who must know, by a real clock."""
    failed: dict[CredentialId, float] = {}
    dropped: dict[CredentialId, float] = {}

    async def webhook(delivery: Delivery) -> None:
        assert isinstance(delivery.message, CredentialFailed)
        failed[delivery.message.credential.id] = time.perf_counter()

    async def worker(delivery: Delivery) -> None:
        assert isinstance(delivery.message, LeasesRevoked)
        dropped[delivery.message.credential_id] = time.perf_counter()

    lifecycle = Lifecycle()
    try:
        inference = await lifecycle.open("inference", connect(nats_server.url, "inference"))
        webhooks = await lifecycle.open("webhooks", connect(nats_server.url, "webhooks"))
        await inference.listen(LeasesRevoked, worker)
        await webhooks.subscribe(flow.NOTIFICATIONS, webhook)
        lifecycle.background("outbox", Relay(own, bus).run())
        await handlers.attach(bus, own, lifecycle)
        waits = []
        for _ in range(9):
            key = await put_credential(own, TENANT, next_probe_at=None)
            began = time.perf_counter()
            await inference.publish([envelope(observation(key, REVOKED, by=ObservedBy.CALL), TENANT)])
            async with asyncio.timeout(LIMIT_S):
                while key not in failed or key not in dropped:
                    await asyncio.sleep(0.001)
            waits.append(max(failed[key], dropped[key]) - began)
    finally:
        await lifecycle.close()
    assert statistics.median(waits) < 1.0
