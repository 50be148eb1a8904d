"""Rows of tenants' models, and what they look like to the outside."""

from __future__ import annotations

from collections.abc import Iterable

from libs.common.contracts.custom_models import CustomModel, ModelRollout, ModelVersion
from libs.common.contracts.ids import CustomModelId, TenantId
from libs.common.db import Queries, Row, Transaction
from services.inference.custom.errors import NoSuchCustomModel, NoSuchModelVersion

sql = Queries(__package__)


async def models(
    tx: Transaction, tenant: TenantId, model_id: CustomModelId | None = None
) -> tuple[CustomModel, ...]:
    """All of a tenant, or one."""
    found = await tx.fetch(sql.list_models, tenant, model_id)
    versions = await tx.fetch(sql.list_versions, tenant, model_id)
    return tuple(_model(row, versions) for row in found)


async def model(tx: Transaction, tenant: TenantId, model_id: CustomModelId) -> CustomModel:
    """NoSuchCustomModel."""
    found = await models(tx, tenant, model_id)
    if not found:
        raise NoSuchCustomModel
    return found[0]


async def version(tx: Transaction, tenant: TenantId, sha256: str) -> Row:
    """NoSuchModelVersion."""
    row = await tx.fetchrow(sql.get_version, tenant, sha256)
    if row is None:
        raise NoSuchModelVersion
    return row


async def rollout(tx: Transaction, tenant: TenantId) -> ModelRollout:
    """The platform's own model where nothing was said."""
    row = await tx.fetchrow(sql.get_rollout, tenant)
    if row is None:
        return ModelRollout()
    return ModelRollout(**{name: row[name] for name in ModelRollout.model_fields})


async def keep_rollout(tx: Transaction, tenant: TenantId, now: ModelRollout) -> None:
    await tx.execute(sql.put_rollout, tenant, now.live, now.canary, now.canary_share, now.previous)


def _model(row: Row, versions: Iterable[Row]) -> CustomModel:
    own = (one for one in versions if one["model_id"] == row["id"])
    shown = tuple(ModelVersion(**{name: one[name] for name in ModelVersion.model_fields}) for one in own)
    return CustomModel(id=row["id"], name=row["name"], versions=shown, created_at=row["created_at"])
