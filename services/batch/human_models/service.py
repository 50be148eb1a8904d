"""What can be asked of human models: make, look, use, change, delete."""

from __future__ import annotations

from datetime import datetime

from libs.common.audit import current_actor
from libs.common.audit.record import record
from libs.common.bus.bus import Bus
from libs.common.contracts.access import Actor, ActorKind
from libs.common.contracts.human_models import (
    MAX_HUMAN_MODELS,
    CheckHumanModel,
    Consent,
    CreateHumanModel,
    DeleteHumanModel,
    GetHumanModel,
    HumanModel,
    HumanModelChecked,
    HumanModelDeleted,
    HumanModelGone,
    HumanModelPage,
    ListHumanModels,
    UpdateHumanModel,
    UseHumanModel,
    photo_parts,
)
from libs.common.contracts.ids import HumanModelId, TenantId
from libs.common.contracts.message import Message
from libs.common.contracts.tenants import Entitlement
from libs.common.db import Database, Transaction
from libs.common.objects import Objects, tenant_key
from services.batch import accounts
from services.batch.human_models import rules, store
from services.batch.human_models.errors import (
    NoSuchHumanModel,
    NotInPlan,
    TooManyHumanModels,
    UnknownHumanModel,
)
from services.batch.human_models.store import sql
from services.batch.pages import first_part
from services.batch.store import routes


class HumanModels:
    """The use cases."""

    def __init__(self, database: Database, objects: Objects, bus: Bus) -> None:
        self._database = database
        self._objects = objects
        self._bus = bus

    async def create(self, query: CreateHumanModel, tenant: TenantId) -> HumanModel:
        """Keep it and have its photo looked at. A repeat gives what is there, and its own upload goes.

        NotInPlan, ConsentInvalid, ConsentExpired, TooManyHumanModels.
        """
        async with self._database.tenant(tenant) as tx:
            await _require_plan(tx, tenant)
            rules.check_terms(query.consent, accounts.now())
            if await tx.fetchval(sql.count, tenant) >= MAX_HUMAN_MODELS:
                raise TooManyHumanModels
            consent = Consent(**query.consent.model_dump(), declared_by=_declarant())
            if await store.insert(tx, tenant, query, consent.model_dump(mode="json")):
                record(tx, "human_model.created", query.model_id, consent_expires_at=_end(consent))
                tx.publish(_check(query, tenant), subject=query.model_id)
            row = await tx.fetchrow(sql.get, tenant, query.model_id)
        assert row is not None
        if row["upload_key"] != query.upload_key:
            await self._objects.delete(query.upload_key)
        return store.human_model(row)

    async def list(self, query: ListHumanModels, tenant: TenantId) -> HumanModelPage:
        async with self._database.tenant(tenant) as tx:
            found = await store.page(tx, tenant, _place(query.cursor), query.limit + 1)
        page = first_part(found[: query.limit])
        cursor = _cursor(page[-1]) if len(page) < len(found) else None
        return HumanModelPage(items=page, next_cursor=cursor)

    async def get(self, query: GetHumanModel, tenant: TenantId) -> HumanModel:
        """NoSuchHumanModel."""
        async with self._database.tenant(tenant) as tx:
            return _there(await store.find(tx, tenant, query.model_id))

    async def use(self, query: UseHumanModel, tenant: TenantId) -> HumanModel:
        """NotInPlan, UnknownHumanModel, HumanModelNotReady, ConsentExpired."""
        async with self._database.tenant(tenant) as tx:
            await _require_plan(tx, tenant)
            model = await store.find(tx, tenant, query.model_id)
        if model is None:
            raise UnknownHumanModel
        if refusal := rules.unusable(model, accounts.now()):
            raise refusal
        return model

    async def update(self, query: UpdateHumanModel, tenant: TenantId) -> HumanModel:
        """NoSuchHumanModel, ConsentInvalid."""
        async with self._database.tenant(tenant) as tx:
            row = await tx.fetchrow(sql.lock, tenant, query.model_id)
            model = _there(store.human_model(row) if row else None)
            consent = model.consent
            if query.clear_expiry or query.consent_expires_at is not None:
                consent = rules.with_expiry(consent, query.consent_expires_at)
            name = query.name or model.name
            kept = consent.model_dump(mode="json")
            row = await tx.fetchrow(sql.update, tenant, query.model_id, name, kept)
            assert row is not None
            renamed, end = name != model.name, _end(consent)
            record(tx, "human_model.changed", query.model_id, renamed=renamed, consent_expires_at=end)
            return store.human_model(row)

    async def delete(self, query: DeleteHumanModel, tenant: TenantId) -> HumanModelGone:
        """The objects first: once this is answered nothing of it is left. NoSuchHumanModel."""
        async with self._database.tenant(tenant) as tx:
            row = await tx.fetchrow(sql.lock, tenant, query.model_id)
            if row is None:
                raise NoSuchHumanModel
            await self._remove(tenant, query.model_id, row["upload_key"])
            await tx.execute(sql.delete, tenant, query.model_id)
            record(tx, "human_model.deleted", query.model_id)
        told = HumanModelDeleted(model_id=query.model_id, sha256=row["sha256"])
        await self._bus.signal(told, tenant=tenant)
        return HumanModelGone(model_id=query.model_id)

    async def checked(self, message: Message, tx: Transaction) -> None:
        """Effect of `HumanModelChecked`. What was deleted meanwhile leaves no photo behind."""
        assert isinstance(message, HumanModelChecked)
        assert tx.tenant is not None
        if await store.checked(tx, tx.tenant, message):
            state = "ready" if message.photo else "refused"
            record(tx, f"human_model.{state}", message.model_id, code=_code(message))
        elif await tx.fetchrow(sql.get, tx.tenant, message.model_id) is None:
            await self._remove(tx.tenant, message.model_id, message.upload_key)

    async def _remove(self, tenant: TenantId, model_id: HumanModelId, upload_key: str) -> None:
        await self._objects.delete(tenant_key(tenant, *photo_parts(model_id)), upload_key)


def _check(query: CreateHumanModel, tenant: TenantId) -> CheckHumanModel:
    photo_key = tenant_key(tenant, *photo_parts(query.model_id))
    return CheckHumanModel(model_id=query.model_id, upload_key=query.upload_key, photo_key=photo_key)


async def _require_plan(tx: Transaction, tenant: TenantId) -> None:
    plan = accounts.plan(await tx.fetchrow(routes.get_routing, tenant))
    if not plan.has(Entitlement.HUMAN_MODELS):
        raise NotInPlan


def _declarant() -> Actor:
    return current_actor() or Actor(kind=ActorKind.SERVICE, id="batch")


def _there(model: HumanModel | None) -> HumanModel:
    if model is None:
        raise NoSuchHumanModel
    return model


def _end(consent: Consent) -> str | None:
    """All that an audit entry says of a consent: no name, no words of the person's."""
    return consent.expires_at.isoformat() if consent.expires_at else None


def _code(message: HumanModelChecked) -> str | None:
    return message.refusal.code if message.refusal else None


def _cursor(model: HumanModel) -> str:
    return f"{model.created_at.isoformat()}.{model.id}"


def _place(cursor: str | None) -> tuple[datetime, str] | None:
    """Cursors are opaque to callers; one that we did not make starts from the beginning."""
    when, _, model_id = (cursor or "").rpartition(".")
    try:
        return datetime.fromisoformat(when), HumanModelId(model_id)
    except ValueError:
        return None
