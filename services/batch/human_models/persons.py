"""Whom the images of a batch are shown on, asked once a dispatch and a model."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from libs.common.contracts.batch import Failure
from libs.common.contracts.human_models import HumanModel, photo_parts
from libs.common.contracts.ids import HumanModelId, TenantId
from libs.common.contracts.inference import PersonSource
from libs.common.db import Row, Transaction
from libs.common.objects import tenant_key
from services.batch.human_models import rules, store


@dataclass
class Persons:
    """What one dispatch knows of human models."""

    tx: Transaction
    now: datetime
    _known: dict[tuple[TenantId, HumanModelId], HumanModel | None] = field(default_factory=dict)

    async def of(self, batch: Row) -> PersonSource | Failure | None:
        """Who wears the garments of a batch, why nobody may, or None where nobody is to."""
        given = batch["options"].get("human_model")
        if given is None:
            return None
        tenant, model_id = TenantId(batch["tenant_id"]), HumanModelId(given)
        if (tenant, model_id) not in self._known:
            self._known[tenant, model_id] = await store.find(self.tx, tenant, model_id)
        model = self._known[tenant, model_id]
        failure = rules.failure(model, self.now)
        if model is None or failure is not None:
            return failure
        return _source(tenant, model)


def _source(tenant: TenantId, model: HumanModel) -> PersonSource:
    key = tenant_key(tenant, *photo_parts(model.id))
    return PersonSource(model_id=model.id, key=key, sha256=model.sha256 or "", torso=model.torso)
