"""What the tenants' plans allow, as the gateway has to know before an upload is through.

Every replica keeps what it has read for a moment, so that a tenant's requests share one look at the table.
The batch service has the last word on what is counted; here it is decided whether it has to be asked.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

from libs.common.bus.bus import Handler
from libs.common.contracts import flow
from libs.common.contracts.ids import TenantId
from libs.common.contracts.message import Message
from libs.common.contracts.tenants import PlanChanged, Quotas
from libs.common.db import Database, Transaction
from libs.common.outbox import once
from services.gateway.store import sql

KEPT_S = 1.0
_MOST = 10_000
NO_LIMITS = Quotas()


class Plans:
    """Quotas by tenant. `clock`: seconds of any clock."""

    def __init__(self, database: Database, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._known: OrderedDict[TenantId, tuple[float, Quotas]] = OrderedDict()

    async def quotas(self, tenant: TenantId) -> Quotas:
        """What holds for the tenant; a change is heard of within a second. No limits where none was told."""
        now = self._clock()
        known = self._known.get(tenant)
        if known is not None and known[0] > now:
            return known[1]
        async with self._database.tenant(tenant) as tx:
            stored = await tx.fetchval(sql.get_plan, tenant)
        quotas = Quotas.model_validate(stored) if stored else NO_LIMITS
        self._known[tenant] = (now + KEPT_S, quotas)
        self._known.move_to_end(tenant)
        if len(self._known) > _MOST:
            self._known.popitem(last=False)
        return quotas


def plans_handler(database: Database) -> Handler:
    """Stores what the tenants service tells of plans."""
    return once(database, flow.GATEWAY_PLANS, store_plan)


async def store_plan(message: Message, tx: Transaction) -> None:
    """Keep a plan's quotas; an older revision changes nothing."""
    assert isinstance(message, PlanChanged)
    quotas = message.plan.quotas.model_dump(mode="json")
    await tx.execute(sql.upsert_plan, tx.tenant, quotas, message.revision)
