"""Idempotency records on a real database: one effect, whoever dies when."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from libs.common.contracts.ids import TenantId
from libs.common.db import Database
from services.gateway.errors import IdempotencyInProgress, IdempotencyKeyReused
from services.gateway.idempotency import Answer, Claim, Idempotency
from tests.servers.databases import TestDatabase

ANSWER = Answer(201, {"id": "x", "secret": None}, {"Location": "/x"}, once={"secret": "whsec_shown_once"})
TENANT = TenantId.new()


@pytest.fixture
async def db(database: TestDatabase) -> AsyncIterator[Database]:
    db = database.of("gateway")
    await db.start()
    yield db
    await db.close()


async def answer(db: Database, claim: Claim, print_: str = "p") -> None:
    assert claim.tenant is not None
    async with db.tenant(claim.tenant) as tx:
        await claim.keep(tx, print_, ANSWER)


async def test_a_repeat_gets_the_stored_answer(db: Database) -> None:
    """With its status and headers."""
    idempotency = Idempotency(db)
    async with idempotency.claim(TENANT, "repeat") as claim:
        assert not claim.replays
        await answer(db, claim)
    async with idempotency.claim(TENANT, "repeat") as claim:
        assert claim.replays
        replayed = claim.replay("p")
    assert (replayed.status, replayed.headers) == (201, {"Location": "/x"})


async def test_a_secret_is_given_once_and_never_stored(db: Database) -> None:
    """The first answer has it, the database does not."""
    async with Idempotency(db).claim(TENANT, "secret") as claim:
        await answer(db, claim)
    assert b"whsec_shown_once" in ANSWER.response().body
    async with db.platform("look for secrets") as tx:
        stored = [str(dict(row)) for row in await tx.fetch("select * from idempotency")]
    assert stored
    assert "whsec_shown_once" not in "".join(stored)


async def test_another_request_under_the_key_is_refused(db: Database) -> None:
    """And the stored answer stays."""
    idempotency = Idempotency(db)
    async with idempotency.claim(TENANT, "other") as claim:
        await answer(db, claim)
    with pytest.raises(IdempotencyKeyReused):
        async with idempotency.claim(TENANT, "other") as claim:
            claim.replay("another request")
    async with idempotency.claim(TENANT, "other") as claim:
        assert claim.replay("p").status == 201


async def test_the_same_request_at_the_same_time_waits_its_turn(db: Database) -> None:
    """One works, the other is told to come again."""
    idempotency = Idempotency(db)
    async with idempotency.claim(TENANT, "race"):
        with pytest.raises(IdempotencyInProgress):
            async with idempotency.claim(TENANT, "race"):
                pass


async def test_a_request_that_failed_lets_go_of_its_key(db: Database) -> None:
    """It may be corrected and sent again."""
    idempotency = Idempotency(db)
    with pytest.raises(ValueError, match="does not fit"):
        async with idempotency.claim(TENANT, "failed"):
            raise ValueError("does not fit")
    async with idempotency.claim(TENANT, "failed") as claim:
        assert not claim.replays


async def test_what_a_killed_process_left_behind_is_taken_over(db: Database) -> None:
    """When its lease is out; should it live after all, its effect is rolled back."""
    killed = await Idempotency(db, lease_s=-1)._take(TENANT, "killed")
    async with Idempotency(db).claim(TENANT, "killed") as claim:
        with pytest.raises(IdempotencyInProgress):
            await answer(db, killed)
        await answer(db, claim)
    async with Idempotency(db).claim(TENANT, "killed") as again:
        assert again.replays


async def test_keys_are_each_tenants_own(db: Database) -> None:
    """Another tenant's key of the same name is another key."""
    idempotency = Idempotency(db)
    async with idempotency.claim(TENANT, "mine") as claim:
        await answer(db, claim)
    async with idempotency.claim(TenantId.new(), "mine") as claim:
        assert not claim.replays


async def test_answers_to_the_platforms_people_are_of_no_tenant(db: Database) -> None:
    """Kept and replayed in the same way, and no tenant's role sees them."""
    idempotency = Idempotency(db)
    async with idempotency.claim(None, "stf_1 repeat") as claim, db.platform("keep an answer") as tx:
        await claim.keep(tx, "p", ANSWER)
    async with idempotency.claim(None, "stf_1 repeat") as claim:
        assert claim.replay("p").status == 201
    async with db.tenant(TENANT) as tx:
        assert not await tx.fetch("select * from idempotency where tenant_id = 'platform'")
