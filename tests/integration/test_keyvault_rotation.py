"""Rotating a tenant's key: every ciphertext is rewrapped, whatever dies, while the secrets stay in use."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from deploy.local.servers.nats import Nats
from deploy.local.servers.openbao import OpenBao
from libs.common.contracts.credentials import ListAudit, RotateKey
from libs.common.contracts.ids import CredentialId, TenantId
from libs.common.contracts.providers import ProviderName
from libs.common.db import Database, Row, Transaction
from libs.common.errors import Conflict
from services.keyvault.decrypt import decrypt
from services.keyvault.encrypt import encrypt
from services.keyvault.errors import KeyMoved
from services.keyvault.revoke import Revoker
from services.keyvault.rotate import Rotations
from services.keyvault.sweep import Sweep
from services.keyvault.vault import CiphertextLost, Context, Vault
from services.keyvault.versions import Epoch, hold_key
from tests.integration.keyvault_desk import Desk, at_desk
from tests.servers.databases import TestDatabase
from tests.servers.planted import planted

MANY = 250
ROTATE = RotateKey()
INSERT = """
with c as (
    insert into credentials (tenant_id, id, provider, label) values ($1, $2, $3, 'one of many') returning 1
)
insert into secrets
    (tenant_id, credential_id, version, status, ciphertext, key_version, last_four, fingerprint)
select $1, $2, 1, 'current', $4, $5, '', '' from c
"""


@pytest.fixture
async def desk(database: TestDatabase, nats_server: Nats, vault_server: OpenBao) -> AsyncIterator[Desk]:
    async with at_desk(database, nats_server, vault_server) as desk:
        yield desk


def context_of(desk: Desk, credential_id: str) -> Context:
    return Context(desk.tenant, ProviderName.OPEN_INFERENCE, credential_id)


async def stored(desk: Desk, count: int) -> dict[str, str]:
    """So many credentials, without the way over the API: the secret of each."""
    secrets = {CredentialId.new(): planted() for _ in range(count)}

    async def store(credential_id: CredentialId, secret: str) -> None:
        context = context_of(desk, credential_id)
        kept = await encrypt(desk.vault, context, {"bearer": secret})
        about = (desk.tenant, credential_id, context.provider, kept.ciphertext, kept.key_version)
        async with desk.database.tenant(desk.tenant) as tx:
            await tx.execute(INSERT, *about)

    await asyncio.gather(*(store(*one) for one in secrets.items()))
    return {str(credential_id): secret for credential_id, secret in secrets.items()}


async def kept(desk: Desk) -> dict[str, Row]:
    rows = await desk.rows("select * from secrets where tenant_id = $1", desk.tenant)
    return {row["credential_id"]: row for row in rows}


async def opened(desk: Desk, credential_id: str, row: Row) -> str:
    return (await decrypt(desk.vault, context_of(desk, credential_id), row["ciphertext"]))["bearer"]


async def all_opened(desk: Desk) -> dict[str, str]:
    rows = await kept(desk)
    secrets = await asyncio.gather(*(opened(desk, *one) for one in rows.items()))
    return dict(zip(rows, secrets, strict=True))


async def test_all_ciphertexts_come_under_the_new_version_and_the_old_one_is_refused(desk: Desk) -> None:
    """In several batches; a copy of the database from before is then worth nothing."""
    secrets = await stored(desk, MANY)
    before = await kept(desk)
    done = await desk.operator.request(ROTATE, tenant=desk.tenant, timeout=60)
    assert (done.key_version, done.minimum_version) == (2, 2)
    assert (done.ciphertexts, done.rewrapped) == (MANY, MANY)
    assert {row["key_version"] for row in (await kept(desk)).values()} == {2}
    assert await all_opened(desk) == secrets
    credential_id, old = next(iter(before.items()))
    with pytest.raises(CiphertextLost):
        await opened(desk, credential_id, old)


async def test_secrets_stay_in_use_throughout(desk: Desk) -> None:
    """Readers notice nothing; one that had read its row just before may have to read it again."""
    secrets = await stored(desk, MANY)
    reads = 0

    async def read(credential_id: str) -> None:
        nonlocal reads
        row = (await one(credential_id))[0]
        try:
            found = await opened(desk, credential_id, row)
        except CiphertextLost:
            newer = (await one(credential_id))[0]
            assert newer["ciphertext"] != row["ciphertext"]
            found = await opened(desk, credential_id, newer)
        assert found == secrets[credential_id]
        reads += 1

    async def one(credential_id: str) -> list[Row]:
        return await desk.rows("select * from secrets where credential_id = $1", credential_id)

    async def keep_reading() -> None:
        while True:
            for credential_id in secrets:
                await read(credential_id)

    async with asyncio.TaskGroup() as group:
        readers = [group.create_task(keep_reading()) for _ in range(4)]
        rotations = Rotations(desk.database, desk.vault, batch=10)
        assert [(await rotations.rotate(ROTATE, desk.tenant)).key_version for _ in range(2)] == [2, 3]
        assert not any(reader.done() for reader in readers)
        for reader in readers:
            reader.cancel()
    assert reads
    assert await all_opened(desk) == secrets


class Killed(BaseException):
    """The process is dead: nothing handles it."""


class Mortal:
    """A vault and a database whose user dies at the `at`-th step: around a call, or around a commit."""

    def __init__(self, desk: Desk, at: int) -> None:
        self._desk, self._left = desk, at

    def step(self) -> None:
        if self._left == 0:
            raise Killed
        self._left -= 1

    @asynccontextmanager
    async def tenant(self, tenant: TenantId) -> AsyncIterator[Transaction]:
        async with self._desk.database.tenant(tenant) as tx:
            yield tx
            self.step()
        self.step()

    def __getattr__(self, name: str) -> Any:
        async def call(*args: Any) -> Any:
            self.step()
            answer = await getattr(self._desk.vault, name)(*args)
            self.step()
            return answer

        return call


async def test_killed_at_any_step_a_rotation_is_gone_on_with(desk: Desk) -> None:
    """By the next call; until then and afterwards every secret opens."""
    at, died = 0, True
    while died:
        desk.tenant, at, died = TenantId.new(), at + 1, False
        secrets = await stored(desk, 5)
        mortal = Mortal(desk, at)
        try:
            await Rotations(cast("Database", mortal), cast("Vault", mortal), batch=2).rotate(
                ROTATE, desk.tenant
            )
        except Killed:
            died = True
        assert await all_opened(desk) == secrets
        done = await Rotations(desk.database, desk.vault, batch=2).rotate(ROTATE, desk.tenant)
        assert {row["key_version"] for row in (await kept(desk)).values()} == {done.minimum_version}
        assert await all_opened(desk) == secrets
    assert at > 15


async def test_the_sweep_ends_a_rotation_whose_process_died(desk: Desk) -> None:
    """Nobody needs to call again."""
    secrets = await stored(desk, 5)
    mortal = Mortal(desk, 10)
    with pytest.raises(Killed):
        await Rotations(cast("Database", mortal), cast("Vault", mortal), batch=2).rotate(ROTATE, desk.tenant)
    [row] = await desk.rows("select * from rotations where tenant_id = $1", desk.tenant)
    assert row["ended_at"] is None
    sweep = Sweep(desk.database, Rotations(desk.database, desk.vault), Revoker(desk.gateway))
    await sweep.resume_rotations(left_s=0)
    [row] = await desk.rows("select * from rotations where tenant_id = $1", desk.tenant)
    assert row["ended_at"] is not None
    assert {row["key_version"] for row in (await kept(desk)).values()} == {row["minimum_version"]}
    assert await all_opened(desk) == secrets


async def test_one_damaged_ciphertext_holds_the_last_step_and_no_other_secret(desk: Desk) -> None:
    """All others are rewrapped; the old version stays good, and the operator is told."""
    secrets = await stored(desk, 5)
    damaged, *_ = secrets
    await desk.rows(
        "update secrets set ciphertext = overlay(ciphertext placing 'AAAA' from 20) where credential_id = $1",
        damaged,
    )
    with pytest.raises(Conflict) as refused:
        await desk.operator.request(ROTATE, tenant=desk.tenant, timeout=60)
    assert refused.value.code == "rotation_incomplete"
    rows = await kept(desk)
    assert {one: row["key_version"] for one, row in rows.items()} == {
        one: 1 if one == damaged else 2 for one in secrets
    }
    await desk.rows("delete from secrets where credential_id = $1", damaged)
    done = await desk.operator.request(ROTATE, tenant=desk.tenant, timeout=60)
    assert (done.key_version, done.minimum_version, done.rewrapped) == (2, 2, 0)


async def test_what_was_encrypted_before_a_rotation_is_not_stored_after_it(desk: Desk) -> None:
    """It would be refused soon; whoever wanted to store it encrypts again."""
    context = context_of(desk, CredentialId.new())
    early = await encrypt(desk.vault, context, {"bearer": planted()})
    await Rotations(desk.database, desk.vault).rotate(ROTATE, desk.tenant)
    late = await encrypt(desk.vault, context, {"bearer": planted()})
    async with desk.database.tenant(desk.tenant) as tx:
        await hold_key(tx, desk.tenant, Epoch(0), late)
        with pytest.raises(KeyMoved):
            await hold_key(tx, desk.tenant, Epoch(0), early)


async def test_rotations_at_the_same_time_do_each_other_no_harm(desk: Desk) -> None:
    """Those that come while one is under way go on with it."""
    secrets = await stored(desk, 30)
    rotations = Rotations(desk.database, desk.vault, batch=5)
    done = await asyncio.gather(*(rotations.rotate(ROTATE, desk.tenant) for _ in range(4)))
    newest = max(one.key_version for one in done)
    assert {row["key_version"] for row in (await kept(desk)).values()} == {newest}
    assert await all_opened(desk) == secrets


async def test_a_rotation_is_in_the_audit(desk: Desk) -> None:
    """When it began and when it ended, and by whom."""
    await stored(desk, 3)
    await desk.operator.request(ROTATE, tenant=desk.tenant, timeout=60)
    page = await desk.operator.request(ListAudit(), tenant=desk.tenant)
    ended, began, *_ = page.items
    assert (began.action, began.actor, began.detail["key_version"]) == ("key.rotation_began", "operator", "2")
    assert (ended.action, ended.detail["rewrapped"]) == ("key.rotation_ended", "3")
