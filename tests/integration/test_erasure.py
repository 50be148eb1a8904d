"""A tenant is erased everywhere, whatever dies on the way; the proof is a search of all that is there."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

from deploy.local.servers.openbao import OpenBao
from deploy.local.servers.server import Server
from deploy.operator.erasure import genuine
from libs.common.contracts.envelope import Envelope
from libs.common.contracts.erasure import GetErasure
from libs.common.contracts.flow import consumers
from libs.common.contracts.ids import ApiKeyId, ErasureId, TenantId, tenant_sha256
from libs.common.contracts.tenants import ApiKeyRevoked, TenantStatusChanged
from libs.common.db import Database
from libs.common.db.migrate import SERVICES
from libs.common.errors import Invalid, NotFound
from libs.common.objects import tenant_key
from tests.integration.erasure_desk import LIMIT_S, Desk, erasure_desk
from tests.servers.databases import TestDatabase
from tests.servers.filled import fill


@pytest.fixture(params=["nats", "rabbitmq"])
def broker(request: pytest.FixtureRequest) -> Server:
    server: Server = request.getfixturevalue(f"{request.param}_server")
    return server


@pytest.fixture
async def desk(
    database: TestDatabase, broker: Server, vault_server: OpenBao, tmp_path: Path
) -> AsyncIterator[Desk]:
    async with erasure_desk(database, broker, vault_server, tmp_path) as desk:
        for service in SERVICES:
            await desk.run(service)
        yield desk


async def counts(desk: Desk, tenant: TenantId) -> dict[str, int]:
    return {place: len(found) for place, found in (await desk.left(tenant)).items()}


async def test_nothing_is_left_of_a_tenant_but_a_certificate(desk: Desk) -> None:
    """Neither rows nor objects, messages or keys; what the platform signed tells how much there was."""
    tenant, other = await desk.tenant(), await desk.tenant()
    before = await counts(desk, other)
    assert before["database"] >= len(desk.tables) > 30
    assert (before["objects"], before["vault"]) == (5, 2)
    asked = await desk.request(tenant)
    done = await desk.done(asked.id)
    assert await desk.settled(tenant) == {"database": {}, "objects": {}, "broker": {}, "vault": {}}
    assert await counts(desk, other) == before
    assert genuine(done)
    assert not genuine(done.model_copy(update={"statement": f"{done.statement} "}))
    said = json.loads(done.statement or "")
    assert said["tenant_sha256"] == tenant_sha256(tenant) == done.tenant_sha256
    assert tenant not in (done.statement or "")
    removed = said["removed"]
    rows = {f"{service}.{table}" for service in SERVICES for table in removed[service]}
    assert set(desk.tables) <= rows
    assert (removed["batch"]["objects"], removed["keyvault"]["transit_keys"]) == (5, 1)
    assert removed["broker"] == {"dead_letters": 0}


async def test_an_erasure_is_confirmed_by_the_tenants_name(desk: Desk) -> None:
    """Once it has begun, asking again changes nothing and tells how far it is; afterwards as well."""
    tenant = await desk.tenant()
    with pytest.raises(Invalid) as refused:
        await desk.request(tenant, "another shop")
    assert refused.value.code == "not_confirmed"
    with pytest.raises(NotFound):
        await desk.request(TenantId.new())
    first, second = await desk.request(tenant), await desk.request(tenant)
    assert first.id == second.id
    await desk.done(first.id)
    assert (await desk.request(tenant)).completed_at is not None
    with pytest.raises(NotFound):
        await desk.operator.request(GetErasure(erasure_id=ErasureId.new()))


async def test_a_message_that_comes_late_brings_nothing_back(desk: Desk) -> None:
    """Every service that takes messages drops it at the fence, for good."""
    tenant = await desk.tenant()
    await desk.done((await desk.request(tenant)).id)
    await desk.settled(tenant)
    for service, database in desk.databases.items():
        envelope = Envelope.of(_late(), source="batch", tenant=tenant)
        async with database.tenant(tenant) as tx:
            assert not await tx.first_time(f"{service}.late", envelope), service
    assert not any((await desk.left(tenant)).values())


async def test_what_ends_after_the_first_round_goes_in_the_second(desk: Desk) -> None:
    """Rows of transactions and objects of renders that had begun before the fence was up."""
    tenant = await desk.tenant()
    asked = await desk.request(tenant)
    await desk.reported(asked.id)
    assert not (await desk.left(tenant))["objects"]
    await fill(desk.admin, tenant, only=("batch", "webhooks"))
    await desk.objects.put(tenant_key(tenant, "batches", "bat_1", "late.png"), b"picture")
    await desk.vault.ensure_tenant_key(tenant)
    done = await desk.done(asked.id)
    assert not any((await desk.settled(tenant)).values())
    removed = json.loads(done.statement or "")["removed"]
    assert (removed["batch"]["images"], removed["batch"]["objects"]) == (2, 6)
    assert removed["keyvault"]["transit_keys"] == 2


async def test_what_the_platform_was_answered_about_the_tenant_goes_too(desk: Desk) -> None:
    """It is kept a day for repeats of the request, beside what it was answered about others."""
    tenant, other = await desk.tenant(), TenantId.new()
    await desk.admin.executemany(
        "insert into gateway.idempotency (tenant_id, key, owner, held_until, answer) "
        "values ('platform', $1, 'stf_1', now(), jsonb_build_object('tenant', $1::text))",
        [(tenant,), (other,)],
    )
    await desk.admin.execute("update gateway.idempotency set key = 'k' || row(ctid)::text")
    await desk.done((await desk.request(tenant)).id)
    assert not any((await desk.settled(tenant)).values())
    assert (await desk.left(other))["database"] == {"gateway.idempotency.answer": 1}


async def test_dead_letters_of_the_tenant_go_as_well(desk: Desk) -> None:
    """Nobody else would ever take them out."""
    tenant = await desk.tenant()
    broken = Envelope(source="tenants", type=TenantStatusChanged.wire, tenant_id=tenant, data=b"{")
    await desk.buses["tenants"].publish([broken])
    queues = len(consumers(TenantStatusChanged))
    async with asyncio.timeout(LIMIT_S):
        while sum((await desk.left(tenant))["broker"].values()) != queues:
            await asyncio.sleep(0.1)
    done = await desk.done((await desk.request(tenant)).id)
    assert json.loads(done.statement or "")["removed"]["broker"] == {"dead_letters": queues}
    assert not any((await desk.settled(tenant)).values())


@pytest.mark.parametrize("killed", ["batch", "keyvault", "gateway", "inference", "webhooks", "tenants"])
async def test_an_erasure_outlives_the_death_of_any_service(desk: Desk, killed: str) -> None:
    """It waits for the missing one, tells it again, and finishes."""
    tenant = await desk.tenant()
    asked = await desk.request(tenant)
    await desk.stop(killed)
    await asyncio.sleep(0)
    if killed == "tenants":
        desk.saga._bus = desk.buses[killed]
    else:
        async with asyncio.timeout(LIMIT_S):
            await desk.saga.turn()
    await desk.run(killed)
    assert (await desk.done(asked.id)).waiting_for == ()
    assert not any((await desk.settled(tenant)).values())


async def test_only_a_whole_tenant_can_be_erased(desk: Desk) -> None:
    """No login of a service deletes a single charge or entry of a log, or takes the fence down."""
    tenant = await desk.tenant()
    for service, table in (("batch", "charges"), ("tenants", "audit"), ("keyvault", "audit")):
        database = desk.databases[service]
        await _refused(database, tenant, f"delete from {table} where tenant_id = '{tenant}'")
        await _refused(database, tenant, f"update {table} set tenant_id = tenant_id")
    for service in SERVICES:
        for attempt in ("delete from erased", "update erased set erased_at = now()"):
            await _refused(desk.databases[service], tenant, attempt)
        async with desk.databases[service].tenant(tenant) as tx:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await tx.fetch("select * from erase_tenant($1)", tenant)
            await tx.execute("rollback; begin")


async def _refused(database: Database, tenant: TenantId, statement: str) -> None:
    for transaction in (database.tenant(tenant), database.platform("tamper")):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with transaction as tx:
                await tx.execute(statement)


def _late() -> ApiKeyRevoked:
    return ApiKeyRevoked(key_id=ApiKeyId.new(), revoked_at=datetime.now(UTC))
