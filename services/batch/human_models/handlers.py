"""The bus edge of human models."""

from __future__ import annotations

from typing import Any

from libs.common.bus.bus import Bus
from libs.common.bus.responders import UseCase, for_tenant
from libs.common.contracts import flow
from libs.common.contracts import human_models as h
from libs.common.contracts.message import Query
from libs.common.db import Database
from libs.common.objects import Objects
from libs.common.outbox import once
from services.batch.human_models.service import HumanModels


async def attach_human_models(bus: Bus, database: Database, objects: Objects) -> None:
    """Respond and subscribe to what `flow.py` gives this service of human models."""
    models = HumanModels(database, objects, bus)
    use_cases: dict[type[Query[Any]], UseCase] = {
        h.CreateHumanModel: models.create,
        h.ListHumanModels: models.list,
        h.GetHumanModel: models.get,
        h.UseHumanModel: models.use,
        h.UpdateHumanModel: models.update,
        h.DeleteHumanModel: models.delete,
    }
    for query, use_case in use_cases.items():
        await bus.respond(query, for_tenant(use_case))
    await bus.subscribe(flow.HUMAN_MODELS, once(database, flow.HUMAN_MODELS, models.checked))
