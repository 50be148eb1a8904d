"""The audit log in the database: each fact once, in a chain that shows whatever is done to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime

import psycopg
import pytest
from asyncpg import InsufficientPrivilegeError

from libs.common.audit import acting
from libs.common.audit.record import record
from libs.common.bus.bus import Delivery
from libs.common.contracts.access import Actor, ActorKind
from libs.common.contracts.audit import ActionAudited, ListAuditLog, VerifyAuditLog
from libs.common.contracts.envelope import Envelope
from libs.common.contracts.ids import TenantId
from libs.common.db import Database
from libs.common.errors import Invalid
from services.tenants.audit.append import appender
from services.tenants.audit.read import AuditReader
from tests.servers.databases import TestDatabase

SOMEBODY = Actor(kind=ActorKind.USER, id="usr_somebody", ip="203.0.113.7", request_id="req_12345678")


@pytest.fixture
async def own(database: TestDatabase) -> AsyncIterator[Database]:
    own = database.of("tenants")
    await own.start()
    yield own
    await own.close()


def fact(tenant: TenantId | None, action: str = "thing.changed", actor: Actor = SOMEBODY) -> Delivery:
    told = ActionAudited(
        action=action, actor=actor, target="thing", at=datetime.now(UTC), detail={"to": "new"}
    )
    return Delivery(Envelope.of(told, source="webhooks", tenant=tenant), told)


async def filled(own: Database, count: int = 5) -> TenantId:
    """A tenant with that many entries."""
    tenant, append = TenantId.new(), appender(own)
    for _ in range(count):
        await append(fact(tenant))
    return tenant


async def test_a_fact_becomes_an_entry_once(own: Database) -> None:
    """Although it is delivered twice; who, what, when and from where are in it."""
    tenant, append, delivery = TenantId.new(), appender(own), None
    delivery = fact(tenant)
    await append(delivery)
    await append(delivery)
    (entry,) = (await AuditReader(own).page(ListAuditLog(), tenant)).items
    assert (entry.sequence, entry.action, entry.actor, entry.source) == (
        1,
        "thing.changed",
        SOMEBODY,
        "webhooks",
    )
    assert entry.detail == {"to": "new"}


async def test_facts_that_come_at_once_make_one_chain(own: Database) -> None:
    """Without a gap and without a fork."""
    tenant, append = TenantId.new(), appender(own)
    await asyncio.gather(*(append(fact(tenant)) for _ in range(20)))
    state = await AuditReader(own).verify(VerifyAuditLog(), tenant)
    assert (state.entries, state.broken_at) == (20, None)


async def test_a_tenant_reads_its_own_entries_alone(own: Database) -> None:
    """The platform's people have a log of their own."""
    one, other, append = await filled(own, 2), await filled(own, 1), appender(own)
    await append(fact(None, "plan.defined"))
    reader = AuditReader(own)
    assert len((await reader.page(ListAuditLog(), one)).items) == 2
    assert len((await reader.page(ListAuditLog(), other)).items) == 1
    assert {entry.action for entry in (await reader.page(ListAuditLog(), None)).items} == {"plan.defined"}
    assert (await reader.verify(VerifyAuditLog(), None)).broken_at is None


async def test_pages_go_through_all_entries_in_both_directions(own: Database) -> None:
    """Newest first to look at, oldest first to export."""
    tenant, reader = await filled(own, 5), AuditReader(own)
    for oldest_first, wanted in ((False, [5, 4, 3, 2, 1]), (True, [1, 2, 3, 4, 5])):
        found, cursor = [], None
        while True:
            page = await reader.page(ListAuditLog(limit=2, cursor=cursor, oldest_first=oldest_first), tenant)
            found += [entry.sequence for entry in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break
        assert found == wanted
    with pytest.raises(Invalid):
        await reader.page(ListAuditLog(cursor="x"), tenant)


async def test_entries_are_filtered(own: Database) -> None:
    """By action, or the beginning of one, by who did it, and by time."""
    tenant, append, reader = TenantId.new(), appender(own), AuditReader(own)
    await append(fact(tenant, "api_key.issued"))
    await append(fact(tenant, "api_key.revoked", Actor(kind=ActorKind.STAFF, id="stf_1")))
    await append(fact(tenant, "brand.changed"))

    async def found(**filters: object) -> list[str]:
        page = await reader.page(ListAuditLog.model_validate({"oldest_first": True, **filters}), tenant)
        return [entry.action for entry in page.items]

    assert await found(action="api_key") == ["api_key.issued", "api_key.revoked"]
    assert await found(action="api_key.issued") == ["api_key.issued"]
    assert await found(actor_id="stf_1") == ["api_key.revoked"]
    assert await found(until=datetime(2020, 1, 1, tzinfo=UTC)) == []


@pytest.mark.parametrize(
    ("tampering", "broken_at"),
    [
        ("update tenants.audit set body = replace(body, '\"new\"', '\"old\"') where sequence = 3", 3),
        ("update tenants.audit set at = at - interval '1 day' where sequence = 2", 2),
        ("update tenants.audit set body = '{}' where sequence = 4", 4),
        ("delete from tenants.audit where sequence = 2", 2),
        ("delete from tenants.audit where sequence = 5", 5),
        ("delete from tenants.audit", 1),
        ("update tenants.audit set sequence = 9 where sequence = 1", 1),
    ],
)
async def test_tampering_with_a_row_is_found(
    own: Database, database: TestDatabase, tampering: str, broken_at: int
) -> None:
    """By whoever is above all walls, a row changed, moved or taken out, at the end as well."""
    tenant = await filled(own)
    with psycopg.connect(database.admin_url) as admin:
        where = "and" if "where" in tampering else "where"
        admin.execute(f"{tampering} {where} tenant_id = '{tenant}'".encode())
    assert (await AuditReader(own).verify(VerifyAuditLog(), tenant)).broken_at == broken_at


async def test_the_service_itself_can_not_rewrite_its_log(own: Database) -> None:
    """Neither of its logins may update or delete an entry."""
    tenant = await filled(own, 1)
    for change in ("update audit set hash = ''", "delete from audit", "delete from platform_audit"):
        for transaction in (own.tenant(tenant), own.platform("tamper")):
            with pytest.raises(InsufficientPrivilegeError):
                async with transaction as tx:
                    await tx.execute(change)


async def test_a_change_is_told_with_its_own_commit(own: Database) -> None:
    """By whoever acts, or by the service itself where nobody does; a change that is undone was not done."""
    tenant = TenantId.new()
    async with own.tenant(tenant) as tx:
        with acting(SOMEBODY):
            record(tx, "thing.made", "thing", size=1)
        record(tx, "thing.swept")
    with suppress(RuntimeError):
        async with own.tenant(tenant) as tx:
            record(tx, "thing.failed")
            raise RuntimeError
    async with own.tenant(tenant) as tx:
        told = [row["data"] for row in await tx.fetch("select data from outbox order by id")]
    facts = [ActionAudited.model_validate_json(data) for data in told]
    assert [(fact.action, fact.actor.kind) for fact in facts] == [
        ("thing.made", ActorKind.USER),
        ("thing.swept", ActorKind.SERVICE),
    ]
