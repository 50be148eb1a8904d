"""The bus edge of tenants' own models."""

from __future__ import annotations

from typing import Any

from libs.common.bus.bus import Bus
from libs.common.bus.responders import UseCase, for_tenant
from libs.common.contracts import flow
from libs.common.contracts.custom_models import (
    AddModelVersion,
    DeleteCustomModel,
    GetCustomModel,
    ListCustomModels,
    RollBackModel,
    RollOutModel,
)
from libs.common.contracts.message import Query
from libs.common.db import Database
from libs.common.objects import Objects
from libs.common.outbox import once
from services.inference.custom.checking import checker, plan_changed
from services.inference.custom.service import CustomModels


async def attach(bus: Bus, database: Database, objects: Objects) -> None:
    """Answer who asks, look at what was uploaded, and hear what tenants bought."""
    models = CustomModels(database, objects)
    use_cases: dict[type[Query[Any]], UseCase] = {
        AddModelVersion: models.add,
        ListCustomModels: models.list_all,
        GetCustomModel: models.get,
        DeleteCustomModel: models.delete,
        RollOutModel: models.roll_out,
        RollBackModel: models.roll_back,
    }
    for query, use_case in use_cases.items():
        await bus.respond(query, for_tenant(use_case))
    await bus.subscribe(flow.MODEL_CHECKS, checker(database, objects))
    await bus.subscribe(flow.MODEL_PLANS, once(database, flow.MODEL_PLANS, plan_changed))
