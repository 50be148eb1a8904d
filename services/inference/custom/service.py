"""What can be done with tenants' own models."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from libs.common.audit.record import record
from libs.common.contracts.custom_models import (
    AddModelVersion,
    CheckModelVersion,
    CustomModel,
    CustomModelList,
    DeleteCustomModel,
    GetCustomModel,
    ListCustomModels,
    ModelRollout,
    RollBackModel,
    RollOutModel,
    VersionStatus,
)
from libs.common.contracts.ids import CustomModelId, TenantId
from libs.common.db import Database, Transaction
from libs.common.objects import Objects
from services.inference.custom import store
from services.inference.custom.errors import CardUnreadable, NotInPlan, TooManyVersions, VersionNotReady
from services.inference.custom.rollout_rules import rolled_back, rolled_out, without
from services.inference.custom.store import sql
from services.inference.models.card import ModelCard

MOST_VERSIONS = 50


class CustomModels:
    """The use cases; each change is told to the audit log in its own transaction."""

    def __init__(self, database: Database, objects: Objects) -> None:
        self._database = database
        self._objects = objects

    async def add(self, query: AddModelVersion, tenant: TenantId) -> CustomModel:
        """Take in a file and have it looked at, unless that is under way or it is good. NotInPlan,
        CardUnreadable, TooManyVersions.
        """
        card = completed_card(query.name, query.sha256, query.card)
        async with self._database.tenant(tenant) as tx:
            await _require_plan(tx, tenant)
            await tx.execute(sql.lock_tenant, tenant)
            before = await tx.fetchrow(sql.get_version, tenant, query.sha256)
            if before is None or before["status"] == VersionStatus.REFUSED:
                await _take(tx, tenant, query, card)
            known = await store.version(tx, tenant, query.sha256)
            shown = await store.model(tx, tenant, CustomModelId(known["model_id"]))
        unused = {query.key, *([before["key"]] if before else [])} - {known["key"]}
        await self._objects.delete(*unused)
        return shown

    async def list_all(self, _: ListCustomModels, tenant: TenantId) -> CustomModelList:
        async with self._database.tenant(tenant) as tx:
            items = await store.models(tx, tenant)
            return CustomModelList(items=items, rollout=await store.rollout(tx, tenant))

    async def get(self, query: GetCustomModel, tenant: TenantId) -> CustomModel:
        """NoSuchCustomModel."""
        async with self._database.tenant(tenant) as tx:
            return await store.model(tx, tenant, query.model_id)

    async def delete(self, query: DeleteCustomModel, tenant: TenantId) -> CustomModel:
        """Forget it with its files; how it was. NoSuchCustomModel."""
        async with self._database.tenant(tenant) as tx:
            await tx.execute(sql.lock_tenant, tenant)
            gone = await store.model(tx, tenant, query.model_id)
            keys = [row["key"] for row in await tx.fetch(sql.list_versions, tenant, query.model_id)]
            now = await store.rollout(tx, tenant)
            await store.keep_rollout(tx, tenant, without(now, frozenset(one.sha256 for one in gone.versions)))
            await tx.execute(sql.delete_model, tenant, query.model_id)
            record(tx, "custom_model.deleted", query.model_id)
            # Before the commit: a failure here keeps the rows, which know what is still to be deleted.
            await self._objects.delete(*keys)
        return gone

    async def roll_out(self, query: RollOutModel, tenant: TenantId) -> ModelRollout:
        """NotInPlan, NoSuchModelVersion, VersionNotReady."""
        async with self._database.tenant(tenant) as tx:
            await _require_plan(tx, tenant)
            await tx.execute(sql.lock_tenant, tenant)
            found = await store.version(tx, tenant, query.sha256)
            if found["status"] != VersionStatus.READY:
                raise VersionNotReady(found["reason"])
            now = rolled_out(await store.rollout(tx, tenant), query.sha256, query.share)
            await store.keep_rollout(tx, tenant, now)
            record(tx, "custom_model.rolled_out", found["model_id"], sha256=query.sha256, share=query.share)
        return now

    async def roll_back(self, _: RollBackModel, tenant: TenantId) -> ModelRollout:
        """NothingToRollBack."""
        async with self._database.tenant(tenant) as tx:
            await tx.execute(sql.lock_tenant, tenant)
            now = rolled_back(await store.rollout(tx, tenant))
            await store.keep_rollout(tx, tenant, now)
            record(tx, "custom_model.rolled_back", "", live=now.live)
        return now


async def _take(tx: Transaction, tenant: TenantId, query: AddModelVersion, card: dict[str, Any]) -> None:
    if await tx.fetchval(sql.count_versions, tenant) >= MOST_VERSIONS:
        raise TooManyVersions
    model_id = await tx.fetchval(sql.name_model, tenant, CustomModelId.new(), query.name)
    await tx.execute(sql.add_version, tenant, query.sha256, model_id, query.key, query.size, card)
    record(tx, "custom_model.version_added", model_id, sha256=query.sha256)
    tx.publish(CheckModelVersion(sha256=query.sha256))


async def _require_plan(tx: Transaction, tenant: TenantId) -> None:
    if not await tx.fetchval(sql.may_have_models, tenant):
        raise NotInPlan


def completed_card(name: str, sha256: str, card: dict[str, Any]) -> dict[str, Any]:
    """The tenant's card with what is ours to say; the version is of the SHA-256. CardUnreadable."""
    own = {
        **{part: card[part] for part in ("input", "hint", "output") if card.get(part) is not None},
        "name": name,
        "version": sha256[:16],
        "task": "segmentation",
        "licence": "the tenant's own",
        "files": {"fp32": {"file": "model.onnx", "sha256": sha256}},
    }
    unknown = sorted(set(card) - {"input", "hint", "output"})
    if unknown:
        raise CardUnreadable(f"A card has input, output and hint, and no {', '.join(unknown)}.", field="card")
    try:
        return ModelCard.model_validate(own).model_dump(mode="json", exclude_none=True)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise CardUnreadable(f"{where}: {first['msg']}", field="card") from None
