"""Rows of human models, and what they look like to the outside."""

from __future__ import annotations

from datetime import datetime

from libs.common.contracts.human_models import (
    CleanPhoto,
    CreateHumanModel,
    HumanModel,
    HumanModelChecked,
)
from libs.common.contracts.ids import HumanModelId, TenantId
from libs.common.db import Queries, Row, Transaction

sql = Queries(__package__)
_COLUMNS = tuple(HumanModel.model_fields)


def human_model(row: Row) -> HumanModel:
    return HumanModel.model_validate({name: row[name] for name in _COLUMNS})


async def find(tx: Transaction, tenant: TenantId, model_id: HumanModelId) -> HumanModel | None:
    row = await tx.fetchrow(sql.get, tenant, model_id)
    return human_model(row) if row else None


async def insert(
    tx: Transaction, tenant: TenantId, query: CreateHumanModel, consent: dict[str, object]
) -> bool:
    """False if it is there already, and good."""
    return bool(await tx.execute(sql.insert, tenant, query.model_id, query.name, query.upload_key, consent))


async def page(
    tx: Transaction, tenant: TenantId, after: tuple[datetime, str] | None, count: int
) -> list[HumanModel]:
    created_at, model_id = after or (None, None)
    return [human_model(row) for row in await tx.fetch(sql.list, tenant, created_at, model_id, count)]


async def checked(tx: Transaction, tenant: TenantId, event: HumanModelChecked) -> bool:
    """Write what was found; False if the model is not there, or was looked at before."""
    who = (tenant, event.model_id, event.upload_key)
    if event.photo is not None:
        return bool(await tx.execute(sql.ready, *who, *_found(event.photo)))
    assert event.refusal is not None
    return bool(await tx.execute(sql.refuse, *who, event.refusal.model_dump(mode="json")))


def _found(photo: CleanPhoto) -> tuple[object, ...]:
    torso = photo.torso.model_dump(mode="json")
    return photo.media_type, photo.width, photo.height, photo.size, photo.sha256, torso
