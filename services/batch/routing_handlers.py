"""The bus edge of routing: policies, reports, estimates, and what the vault asks and tells."""

from __future__ import annotations

from typing import Any

from libs.common.bus.bus import Bus
from libs.common.bus.responders import UseCase, for_tenant
from libs.common.contracts import flow
from libs.common.contracts import routing as r
from libs.common.contracts.message import Query
from libs.common.db import Database
from libs.common.objects import Objects
from libs.common.outbox import once
from services.batch.claims import Claims
from services.batch.dispatcher import Dispatcher
from services.batch.estimate import Estimates
from services.batch.policy import Policies
from services.batch.projection import remember_credential, remember_tenant, then
from services.batch.usage import Reports


async def attach_routing(bus: Bus, database: Database, objects: Objects, dispatcher: Dispatcher) -> None:
    """Respond and subscribe to what `flow.py` gives this service of routing."""
    policies, reports, claims = Policies(database, dispatcher.wake), Reports(database), Claims(database)
    use_cases: dict[type[Query[Any]], UseCase] = {
        r.GetRoutingPolicy: policies.get,
        r.SetRoutingPolicy: policies.set,
        r.GetUsage: reports.usage,
        r.GetSavings: reports.savings,
        r.EstimateBatch: Estimates(database, objects).estimate,
        r.ListRenderedOn: claims.rendered_on,
    }
    for query, use_case in use_cases.items():
        await bus.respond(query, for_tenant(use_case))
    await bus.respond(r.CheckRoutes, claims.check)
    for queue, effect in (
        (flow.TENANT_WEIGHTS, remember_tenant),
        (flow.BATCH_CREDENTIALS, remember_credential),
    ):
        await bus.subscribe(queue, once(database, queue, then(effect, dispatcher.wake)))
