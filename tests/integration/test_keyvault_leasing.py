"""Leases over the bus: who gets one, that it opens for nobody else, and that it can be ended."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from deploy.local.ports import HOST, Ports
from deploy.local.servers.nats import Nats
from deploy.local.servers.openbao import OpenBao
from libs.common.bus.bus import Delivery
from libs.common.contracts.credentials import Lease, LeasePurpose, LeasesRevoked, ReconcileLeases
from libs.common.contracts.ids import BatchId, CredentialId, ProbeId, TenantId
from libs.common.contracts.routing import RenderedOn
from libs.common.errors import Conflict, Refusal, Unavailable
from libs.common.sealing import NotSealedForThis, open_lease
from services.keyvault.health import probes
from services.keyvault.leases.service import Leasing
from services.keyvault.revoke import Revoker, end_leases
from tests.integration.keyvault_rows import audited, fetch, put_secret
from tests.integration.leasing_desk import PROVIDER, Desk, Rotating, at_desk
from tests.servers.databases import TestDatabase
from tests.servers.vaults import vault_of

LIMIT_S = 20.0


@pytest.fixture
async def desk(database: TestDatabase, nats_server: Nats, vault_server: OpenBao) -> AsyncIterator[Desk]:
    async with vault_of(vault_server) as vault, at_desk(database, nats_server, vault) as desk:
        yield desk


async def refused(desk: Desk, credential_id: CredentialId, **changes: Any) -> str:
    """The code with which a lease is refused over the bus."""
    with pytest.raises(Conflict) as caught:
        await desk.lease(credential_id, **changes)
    return caught.value.code


async def test_a_worker_of_a_running_batch_gets_the_secret(desk: Desk) -> None:
    """For minutes, in its own name, with one audit row that says all but the secret."""
    key = await desk.credential()
    lease, private_key = await desk.lease(key)
    assert open_lease(lease, private_key, desk.tenant) == desk.secret
    assert (lease.worker, lease.batch_id, lease.version, lease.provider) == (
        "worker-7",
        desk.batch,
        1,
        PROVIDER,
    )
    assert timedelta(seconds=290) < lease.expires_at - datetime.now(UTC) <= timedelta(seconds=300)
    [row] = await audited(desk.database, lease.id)
    assert (row["action"], row["actor"]) == ("lease.granted", "worker-7")
    assert (row["detail"]["credential"], row["detail"]["batch"]) == (key, desk.batch)
    assert desk.secret["bearer"] not in f"{dict(row)} {lease!r} {lease.model_dump_json()}"


async def test_a_lease_opens_with_the_workers_own_key_and_unchanged_alone(desk: Desk) -> None:
    """Not with another's, not for another tenant, and not lengthened or passed on."""
    lease, private_key = await desk.lease(await desk.credential())
    changes: list[dict[str, object]] = [
        {"expires_at": lease.expires_at + timedelta(seconds=1)},
        {"worker": "worker-8"},
        {"batch_id": BatchId.new()},
        {"version": 2},
        {"credential_id": CredentialId.new()},
        {"purpose": LeasePurpose.PROBE},
    ]
    for change in changes:
        with pytest.raises(NotSealedForThis):
            open_lease(lease.model_copy(update=change), private_key, desk.tenant)
    with pytest.raises(NotSealedForThis):
        open_lease(lease, X25519PrivateKey.generate(), desk.tenant)
    with pytest.raises(NotSealedForThis):
        open_lease(lease, private_key, TenantId.new())


async def test_no_lease_for_a_batch_that_is_not_in_flight_on_the_credential(desk: Desk) -> None:
    """An unknown one, one on another credential, and no batch at all; nothing is written down."""
    key, other = await desk.credential(), await desk.credential()
    elsewhere = BatchId.new()
    desk.run(desk.tenant, elsewhere, other)
    for batch in (BatchId.new(), elsewhere, None):
        assert await refused(desk, key, batch_id=batch) == "route_not_open"
    assert await fetch(desk.database, "select 1 from leases where credential_id = $1", key) == []


async def test_no_lease_for_another_tenants_batch_or_credential(desk: Desk) -> None:
    """The tenant of the envelope is the one that counts, on both sides."""
    stranger = TenantId.new()
    theirs = await desk.credential(stranger)
    foreign_batch = BatchId.new()
    ours = await desk.credential()
    desk.run(stranger, foreign_batch, ours)
    assert await refused(desk, ours, batch_id=foreign_batch) == "route_not_open"
    assert await refused(desk, theirs) == "route_not_open"
    desk.run(desk.tenant, desk.batch, theirs)  # even if the batch service were wrong
    assert await refused(desk, theirs) == "credential_not_usable"


@pytest.mark.parametrize(
    "columns",
    [{"enabled": False}, {"deleted_at": datetime(2026, 1, 1, tzinfo=UTC)}, {"health": "failed"}],
    ids=str,
)
async def test_no_lease_on_a_credential_that_may_not_be_used(desk: Desk, columns: dict[str, Any]) -> None:
    """Though its batch is in flight."""
    assert await refused(desk, await desk.credential(**columns)) == "credential_not_usable"


async def test_versions_are_leased_as_far_as_they_are_in_use(desk: Desk) -> None:
    """The one before within its grace, the pending one to its probe, one that never was to nobody."""
    key = await desk.credential(version=2)
    soon = datetime.now(UTC) + timedelta(seconds=60)
    await fetch(
        desk.database,
        "update secrets set status = 'previous', until = $2 where credential_id = $1",
        key,
        soon,
    )
    await put_secret(desk.database, desk.tenant, key, 2, "current", await desk.kept(key))
    await put_secret(desk.database, desk.tenant, key, 3, "pending", await desk.kept(key), soon)
    lease, _ = await desk.lease(key, version=1)
    assert lease.expires_at == soon
    await desk.lease(key, version=2)
    assert await refused(desk, key, version=3) == "credential_not_usable"
    assert await refused(desk, key, version=4) == "credential_not_usable"
    probe = await desk.probe(key, version=3)
    lease, private_key = await desk.lease(key, version=3, purpose=LeasePurpose.PROBE, probe_id=probe)
    assert open_lease(lease, private_key, desk.tenant) == desk.secret


async def test_a_probe_that_was_asked_for_gets_a_lease_for_itself(desk: Desk) -> None:
    """Of a failed key as well, no longer than it may take, and not once it was answered."""
    key = await desk.credential(health="failed")
    probe = await desk.probe(key)
    changes = {"purpose": LeasePurpose.PROBE, "probe_id": probe, "batch_id": None}
    lease, _ = await desk.lease(key, **changes)
    assert (lease.probe_id, lease.batch_id) == (probe, None)
    assert lease.expires_at <= datetime.now(UTC) + timedelta(seconds=probes.PROBE_S)
    await fetch(desk.database, "update probes set answered_at = now() where id = $1", probe)
    assert await refused(desk, key, **changes) == "probe_not_open"
    assert await refused(desk, key, **changes | {"probe_id": ProbeId.new()}) == "probe_not_open"


async def test_a_renewal_is_checked_like_the_first(desk: Desk) -> None:
    """It goes on while the batch runs, says what it renews, and ends with the batch."""
    key = await desk.credential()
    first, _ = await desk.lease(key)
    second, private_key = await desk.lease(key, renews=first.id)
    assert open_lease(second, private_key, desk.tenant) == desk.secret
    [row] = await audited(desk.database, second.id)
    assert (row["action"], row["detail"]["renews"]) == ("lease.renewed", first.id)
    desk.batch_side.running.clear()
    assert await refused(desk, key, renews=second.id) == "route_not_open"


async def test_leases_end_at_once(desk: Desk) -> None:
    """The workers hear it, the table says so, and nothing is renewed."""
    key, heard = await desk.credential(), asyncio.Event()

    async def drop(delivery: Delivery) -> None:
        assert isinstance(delivery.message, LeasesRevoked)
        if delivery.message.credential_id == key:
            heard.set()

    await desk.worker.listen(LeasesRevoked, drop)
    lease, _ = await desk.lease(key)
    async with desk.database.tenant(desk.tenant) as tx:
        await tx.execute("update credentials set enabled = false where id = $1", key)
        await end_leases(tx, desk.tenant, key)
    await Revoker(desk.keyvault).tell(desk.tenant, key)
    async with asyncio.timeout(LIMIT_S):
        await heard.wait()
    [row] = await fetch(desk.database, "select revoked_at from leases where id = $1", lease.id)
    assert row["revoked_at"] is not None
    assert await refused(desk, key, renews=lease.id) == "credential_not_usable"


async def test_a_credential_that_ends_while_a_lease_is_made_is_not_leased(desk: Desk) -> None:
    """The round looks again, with the credential held, before anything leaves."""
    key = await desk.credential()
    _, query = desk.query(key)
    async with desk.database.tenant(desk.tenant) as tx:
        await tx.execute("update credentials set enabled = false where id = $1", key)
        asked = asyncio.create_task(desk.leasing.lease(query, desk.tenant))
        # Until it waits for us, having read the tables as they were.
        async with asyncio.timeout(LIMIT_S):
            waits = "select 1 from pg_locks l join pg_stat_activity a using (pid) where not l.granted"
            while not await fetch(desk.database, waits):
                await asyncio.sleep(0.005)
    with pytest.raises(Conflict) as caught:
        await asked
    assert caught.value.code == "credential_not_usable"
    assert await fetch(desk.database, "select 1 from leases where credential_id = $1", key) == []


async def test_one_bad_request_of_a_round_disturbs_none_of_its_neighbours(desk: Desk) -> None:
    """Wrong keys, a closed route, a lost ciphertext, a credential that is off; among good ones."""
    good, off, lost = await desk.credential(), await desk.credential(enabled=False), await desk.credential()
    stranger = TenantId.new()
    theirs = await desk.credential(stranger)
    of_good = (await desk.kept(good)).ciphertext
    await fetch(desk.database, "update secrets set ciphertext = $2 where credential_id = $1", lost, of_good)
    low_order = b64encode(bytes(32)).decode()
    asks: list[tuple[CredentialId, TenantId, dict[str, Any], str | None]] = [
        (good, desk.tenant, {}, None),
        (good, desk.tenant, {"public_key": low_order}, "not_sealed_for_this"),
        (good, desk.tenant, {"public_key": "no key"}, "not_sealed_for_this"),
        (good, desk.tenant, {"batch_id": BatchId.new()}, "route_not_open"),
        (off, desk.tenant, {}, "credential_not_usable"),
        (lost, desk.tenant, {}, "credential_not_usable"),
        (theirs, desk.tenant, {}, "route_not_open"),
        (theirs, stranger, {}, None),
        (good, desk.tenant, {"worker": "worker-8"}, None),
    ]
    made = [desk.query(key, **changes) for key, _, changes, _ in asks]
    calls = [desk.leasing.lease(query, ask[1]) for (_, query), ask in zip(made, asks, strict=True)]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert len(desk.batch_side.asked) == 1
    codes = [answer.code if isinstance(answer, Refusal) else None for answer in answers]
    assert codes == [expected for *_, expected in asks]
    for (private_key, _), (_, tenant, _, _), answer in zip(made, asks, answers, strict=True):
        if isinstance(answer, Lease):
            assert open_lease(answer, private_key, tenant) == desk.secret
    rows = await fetch(desk.database, "select id from leases where credential_id = any($1)", [good, theirs])
    assert len(rows) == codes.count(None)
    assert [len(await audited(desk.database, row["id"])) for row in rows] == [1, 1, 1]


async def test_what_the_batch_service_does_not_answer_is_not_leased(desk: Desk) -> None:
    """The worker's chunk comes back later; probes need no batch and go on."""
    key = await desk.credential()
    probe = await desk.probe(key)
    await desk.batches.close()
    _, render = desk.query(key)
    _, look = desk.query(key, purpose=LeasePurpose.PROBE, probe_id=probe, batch_id=None)
    answers = await asyncio.gather(
        desk.leasing.lease(render, desk.tenant), desk.leasing.lease(look, desk.tenant), return_exceptions=True
    )
    assert isinstance(answers[0], Unavailable)
    assert isinstance(answers[1], Lease)


async def test_nothing_is_leased_or_written_down_while_the_vault_is_away(
    desk: Desk, vault_server: OpenBao, ports: Ports
) -> None:
    """The worker hears that it may come back; a vault that was down leaves no leases that nobody had."""
    key = await desk.credential()
    nowhere = f"https://{HOST}:{ports.get('no-vault')}"
    async with vault_of(vault_server, vault_addr=nowhere) as away:
        with pytest.raises(Unavailable):
            await Leasing(desk.database, away, desk.keyvault).lease(desk.query(key)[1], desk.tenant)
    assert await fetch(desk.database, "select 1 from leases where credential_id = $1", key) == []


async def test_a_secret_that_is_rewrapped_while_it_is_leased_is_read_again(desk: Desk) -> None:
    """Between the look at the table and the vault's answer the old version of the key may be refused."""
    key = await desk.credential()
    private_key, query = desk.query(key)
    lease = await Leasing(desk.database, Rotating(desk), desk.keyvault).lease(query, desk.tenant)
    assert open_lease(lease, private_key, desk.tenant) == desk.secret


async def test_leases_are_reconciled_with_what_was_rendered(desk: Desk) -> None:
    """Images without a lease are found, leases without images are told."""
    since = datetime.now(UTC) - timedelta(hours=1)
    key, unused = await desk.credential(), await desk.credential()
    for credential_id in (key, key, unused):
        await desk.lease(credential_id)
    stolen = RenderedOn(batch_id=BatchId.new(), credential_id=key, images=4)
    desk.batch_side.rendered = (RenderedOn(batch_id=desk.batch, credential_id=key, images=12), stolen)
    found = await desk.operator.request(ReconcileLeases(since=since), tenant=desk.tenant)
    assert (found.leases, found.images, found.batches) == (3, 16, 2)
    assert [(one.batch_id, one.credential_id, one.images) for one in found.discrepancies] == [
        (stolen.batch_id, key, 4),
        (desk.batch, unused, 0),
    ]
