"""The gateway's picture of plans on a real database: whether the batch service has to be asked at all."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from libs.common.contracts.ids import TenantId
from libs.common.contracts.tenants import Plan, PlanChanged, Quotas
from libs.common.db import Database
from services.gateway.plans import KEPT_S, NO_LIMITS, Plans, store_plan
from tests.servers.databases import TestDatabase


@pytest.fixture
async def db(database: TestDatabase) -> AsyncIterator[Database]:
    db = database.of("gateway")
    await db.start()
    yield db
    await db.close()


class Clock:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


async def hears(db: Database, tenant: TenantId, images: int, revision: int) -> None:
    plan = Plan(quotas=Quotas(images_month=images))
    async with db.tenant(tenant) as tx:
        await store_plan(PlanChanged(plan=plan, revision=revision), tx)


async def test_a_plan_is_heard_of_within_a_second(db: Database) -> None:
    """What is kept of it ends by itself, so that no replica has to be told."""
    clock, tenant = Clock(), TenantId.new()
    plans = Plans(db, clock=clock)
    assert await plans.quotas(tenant) == NO_LIMITS
    await hears(db, tenant, 5, 1)
    assert await plans.quotas(tenant) == NO_LIMITS
    clock.now += KEPT_S
    assert (await plans.quotas(tenant)).images_month == 5


async def test_an_older_revision_changes_nothing(db: Database) -> None:
    """Events may come in any order."""
    tenant = TenantId.new()
    await hears(db, tenant, 5, 2)
    await hears(db, tenant, 9, 1)
    assert (await Plans(db).quotas(tenant)).images_month == 5


async def test_each_tenant_has_its_own_plan(db: Database) -> None:
    """Also in what is kept."""
    plans, one, other = Plans(db), TenantId.new(), TenantId.new()
    await hears(db, one, 5, 1)
    for _ in range(2):
        assert (await plans.quotas(one)).images_month == 5
        assert await plans.quotas(other) == NO_LIMITS
