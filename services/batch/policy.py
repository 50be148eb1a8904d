"""Whose account a tenant wants to be used, within its plan."""

from __future__ import annotations

from collections.abc import Callable

from libs.common.audit.record import record
from libs.common.contracts.ids import TenantId
from libs.common.contracts.routing import GetRoutingPolicy, PolicyName, RoutingPolicy, SetRoutingPolicy
from libs.common.contracts.tenants import Plan
from libs.common.db import Database
from services.batch.accounts import plan, policy
from services.batch.errors import ByokNotInPlan, FallbackNotInPlan
from services.batch.store import routes


class Policies:
    """The use cases. `changed`: called after the commit of a policy, as parked images may go on now."""

    def __init__(self, database: Database, changed: Callable[[], None]) -> None:
        self._database = database
        self._changed = changed

    async def get(self, query: GetRoutingPolicy, tenant: TenantId) -> RoutingPolicy:
        async with self._database.tenant(tenant) as tx:
            return policy(await tx.fetchrow(routes.get_routing, tenant))

    async def set(self, query: SetRoutingPolicy, tenant: TenantId) -> RoutingPolicy:
        """ByokNotInPlan, FallbackNotInPlan."""
        wanted = query.policy
        async with self._database.tenant(tenant) as tx:
            check(wanted, plan(await tx.fetchrow(routes.get_routing, tenant)))
            row = await tx.fetchrow(
                routes.upsert_policy,
                tenant,
                wanted.policy,
                wanted.when_unavailable,
                wanted.fallback_monthly_cap,
            )
            record(tx, "routing_policy.set", **wanted.model_dump(mode="json"))
            tx.after_commit.append(self._changed)
            return policy(row)


def check(wanted: RoutingPolicy, bought: Plan) -> None:
    """ByokNotInPlan or FallbackNotInPlan if the policy needs more than was bought."""
    if wanted.policy is not PolicyName.PLATFORM and not bought.byok:
        raise ByokNotInPlan
    if wanted.policy is PolicyName.BYOK_THEN_PLATFORM and not bought.fallback:
        raise FallbackNotInPlan
