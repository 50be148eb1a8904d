"""What it costs to decide whose key pays: decisions a second, and images dispatched with and without keys."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
from pydantic import SecretStr

from deploy.local.environment import login_roles
from deploy.local.ports import Ports
from deploy.local.servers.postgres import DATABASE, Postgres
from deploy.local.state import State
from libs.common.bus.connect import connect
from libs.common.contracts.credentials import Credential, CredentialChanged, Health, HealthState
from libs.common.contracts.ids import ApiKeyId, BatchId, CredentialId, ImageId, TenantId
from libs.common.contracts.providers import Ability, ProviderName
from libs.common.contracts.routing import PolicyName, RoutingPolicy
from libs.common.contracts.tenants import Plan, PlanChanged
from libs.common.db import Database
from libs.common.db.migrate import migrate
from services.batch import store
from services.batch.dispatcher import Dispatcher
from services.batch.flights import Flights
from services.batch.progress import Progress
from services.batch.projection import remember_credential, remember_tenant
from services.batch.routing import Budget, Key, Platform, Standing, Work, decide
from services.batch.store import Moves, routes, sql
from services.batch.window import Window

DECISIONS = 20_000
TENANTS, IMAGES = 16, 320
"""So many images each: together they fill the flight."""
PLAN = Plan(name="enterprise", byok=True, fallback=True)
NOW = datetime(2026, 11, 24, tzinfo=UTC)


async def run() -> dict[str, float]:
    figures = {
        "decisions_per_s": decisions_per_s(_standing(HealthState.HEALTHY)),
        "decisions_per_s_falling_back": decisions_per_s(_standing(HealthState.FAILED)),
    }
    async with _database() as (database, admin_url):
        for name, byok in (("plain", False), ("byok", True)):
            rates = [await images_per_s(database, admin_url, byok=byok) for _ in range(3)]
            figures[f"images_dispatched_per_s_{name}"] = statistics.median(rates)
    return figures


def decisions_per_s(standing: Standing) -> float:
    """Decisions of the pure rule for a tenant with five keys and a cap on each."""
    work = Work()
    began = time.perf_counter()
    for _ in range(DECISIONS):
        decide(standing, work, 16, NOW)
    return DECISIONS / (time.perf_counter() - began)


def _standing(health: HealthState) -> Standing:
    price = Decimal("0.02")
    keys = tuple(
        Key(
            id=CredentialId.new(),
            provider=ProviderName.OPEN_INFERENCE,
            label=f"key {number}",
            version=1,
            health=health,
            abilities=(Ability.SEGMENT,),
            price=price,
            most=price,
            priority=number,
            budget=Budget(price * 10),
        )
        for number in range(5)
    )
    policy = RoutingPolicy(policy=PolicyName.BYOK_THEN_PLATFORM)
    return Standing(Platform(Decimal("0.012"), "bench"), PLAN, policy, keys)


async def images_per_s(database: Database, admin_url: str, *, byok: bool) -> float:
    """Waiting images released a second, by a dispatcher that is alone."""
    for _ in range(TENANTS):
        tenant = TenantId.new()
        if byok:
            await _has_key(database, tenant)
        await _waiting(database, tenant, IMAGES)
    await asyncio.to_thread(_analyse, admin_url)
    progress = Progress(connect("nats://nobody", "batch"))
    windows = (Window(queued_s=60, chunk=16, image_s=0.01) for _ in range(2))
    dispatcher = Dispatcher(database, Flights(*windows), progress, render_timeout_s=900)
    released, took = 0, 0.0
    while released < TENANTS * IMAGES:
        began = time.perf_counter()
        count = await dispatcher.dispatch()
        took += time.perf_counter() - began
        assert count, "nothing was released"
        released += count
        await _render(database)
    return released / took


async def _has_key(database: Database, tenant: TenantId) -> None:
    """A key with a cap, which is used before the platform."""
    now = datetime.now(UTC)
    async with database.tenant(tenant) as tx:
        await remember_tenant(PlanChanged(plan=PLAN, revision=1), tx)
        await tx.fetchrow(routes.upsert_policy, tenant, PolicyName.BYOK_THEN_PLATFORM, "wait", None)
        credential = Credential(
            id=CredentialId.new(),
            provider=ProviderName.OPEN_INFERENCE,
            label="studio",
            health=Health(state=HealthState.HEALTHY, since=now),
            last_four="abcd",
            fingerprint="f",
            settings={"url": "https://example.com"},
            monthly_cap=Decimal(100),
            created_at=now,
            updated_at=now,
        )
        await remember_credential(CredentialChanged(credential=credential), tx)


async def _waiting(database: Database, tenant: TenantId, images: int) -> None:
    """A batch of so many images that wait."""
    batch_id, now = BatchId.new(), datetime.now(UTC)
    photo = {"kind": "archived", "offset": 0, "length": 9, "size": 9, "method": 0, "crc32": 0}
    rows = [
        {"id": ImageId.new(), "position": place, "name": f"{place}.jpg", "status": "waiting", "photo": photo}
        for place in range(images)
    ]
    async with database.tenant(tenant) as tx:
        key = ApiKeyId.new()
        await tx.execute(
            sql.insert_batch, tenant, batch_id, "archive", "accepted", key, False, "k", 9, {}, None, now
        )
        await store.insert_images(tx, tenant, batch_id, rows, test=False)
        await tx.execute(sql.advance_split, tenant, batch_id, images, "processing")
        await store.move_counts(tx, tenant, batch_id, Moves(total=images, ready=images, waiting=images))


async def _render(database: Database) -> None:
    """End all that is in flight, without a collector: that is not what is measured."""
    async with database.platform("end the flight") as tx:
        await tx.execute("update images set status = 'completed' where status = 'rendering'")
        await tx.execute("update spend set charged = 0, reserved = 0")
        await tx.execute("delete from outbox")


def _analyse(admin_url: str) -> None:
    """As autovacuum does after a minute."""
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute("analyze batch.images")


@asynccontextmanager
async def _database() -> AsyncIterator[tuple[Database, str]]:
    """A PostgreSQL of its own, durable as in production, with the schema."""
    passwords = dict.fromkeys(login_roles(), "bench")
    with TemporaryDirectory(prefix="mannequin-bench-") as folder:
        state = State(Path(folder))
        server = Postgres(state, Ports().get("postgres"), SecretStr("bench"))
        await server.start()
        try:
            await migrate(server.url, passwords)
            urls = [
                SecretStr(server.url_for(role, SecretStr("bench"), DATABASE))
                for role in ("batch", "batch_platform")
            ]
            database = Database(urls[0], urls[1], schema="batch")
            await database.start()
            try:
                yield database, server.url
            finally:
                await database.close()
        finally:
            await server.stop()
