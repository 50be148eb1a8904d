"""What the platform sells, and bringing a change of it to every tenant that is on it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from pydantic import JsonValue, ValidationError

from libs.common.audit.record import record
from libs.common.contracts.ids import TenantId
from libs.common.contracts.plans import (
    DefinePlan,
    GetPlan,
    ListPlans,
    PlanDefinition,
    PlanList,
    RetirePlan,
    overridden,
)
from libs.common.contracts.tenants import Plan, PlanChanged
from libs.common.db import Database, Row, Transaction
from libs.common.errors import MannequinError
from libs.common.telemetry import logger
from services.tenants import store
from services.tenants.errors import NoSuchPlan, TooManyPlans
from services.tenants.store import sql

MOST_PLANS = 200
SLICE = 200
"""Tenants that are told of a changed plan in one transaction."""
EVERY_S = 2.0
_REASON = "keep the plans"
_log = logger("tenants.plans")


class Rollout:
    """Brings plans to their tenants. What is left to do stands in the rows alone: whoever dies leaves it to
    the next, and any number of instances may run, as tenants in one's hands are skipped by the others.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """There is something to do."""
        self._wake.set()

    async def run(self) -> None:
        """Roll out until cancelled."""
        while True:
            try:
                while await self.step():
                    pass
            except MannequinError as error:
                _log.warning("plans_not_rolled_out", reason=error.detail)
            with suppress(TimeoutError):
                async with asyncio.timeout(EVERY_S):
                    await self._wake.wait()
            self._wake.clear()

    async def step(self, limit: int = SLICE) -> int:
        """One slice; how many tenants it was."""
        async with self._database.platform("roll out plans") as tx:
            rows = await tx.fetch(sql.behind, limit)
            if rows:
                await _apply(tx, rows)
        return len(rows)


class PlansService:
    """The use cases."""

    def __init__(self, database: Database, rollout: Rollout, *, most: int = MOST_PLANS) -> None:
        self._database = database
        self._rollout = rollout
        self._most = most

    async def list_all(self, query: ListPlans) -> PlanList:
        async with self._database.platform(_REASON) as tx:
            rows = await tx.fetch(sql.list_plans, None, query.retired)
        return PlanList(items=tuple(map(store.plan_definition, rows)))

    async def get(self, query: GetPlan) -> PlanDefinition:
        """NoSuchPlan."""
        async with self._database.platform(_REASON) as tx:
            return await store.definition(tx, query.code)

    async def define(self, query: DefinePlan) -> PlanDefinition:
        """TooManyPlans."""
        terms = query.plan.model_dump(mode="json")
        async with self._database.platform(_REASON) as tx:
            await tx.execute(sql.lock_plans)
            before = await tx.fetchrow(sql.find_plan, query.code)
            if before is None and await tx.fetchval(sql.count_plans, query.code) >= self._most:
                raise TooManyPlans(f"There are {self._most} plans, which is as many as there can be.")
            row = await tx.fetchrow(sql.define_plan, query.code, query.description, terms)
            assert row is not None
            record(tx, "plan.defined", query.code, revision=row["revision"], fields=_differing(before, terms))
            defined = await store.definition(tx, query.code)
        self._rollout.wake()
        return defined

    async def retire(self, query: RetirePlan) -> PlanDefinition:
        """NoSuchPlan."""
        async with self._database.platform(_REASON) as tx:
            if await tx.fetchval(sql.retire_plan, query.code) is None:
                raise NoSuchPlan
            record(tx, "plan.retired", query.code)
            return await store.definition(tx, query.code)


async def _apply(tx: Transaction, rows: Sequence[Row]) -> None:
    plans = [_holding(row) for row in rows]
    changed = await tx.fetch(
        sql.apply_plans,
        [row["tenant_id"] for row in rows],
        [plan.model_dump(mode="json") for plan in plans],
        [row["revision"] for row in rows],
    )
    for row in changed:
        tenant, plan = TenantId(row["tenant_id"]), Plan.model_validate(row["plan"])
        tx.publish(PlanChanged(plan=plan, revision=row["plan_revision"]), tenant=tenant)
        code, definition = row["plan_code"], row["plan_definition"]
        record(tx, "tenant.plan_changed", tenant, tenant=tenant, plan=code, definition=definition)


def _holding(row: Row) -> Plan:
    """Own terms that fit no plan any more, as a later version of this program may find some, are left out."""
    plan = Plan.model_validate(row["terms"])
    try:
        return overridden(plan, row["plan_overrides"])
    except ValidationError:
        _log.error("own_terms_left_out", tenant=row["tenant_id"])
        return plan


def _differing(before: Row | None, terms: dict[str, JsonValue]) -> list[JsonValue]:
    if before is None:
        return list(terms)
    return [name for name, value in terms.items() if before["terms"].get(name) != value]
