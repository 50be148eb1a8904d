"""Asking for an erasure, and what services report of their parts."""

from __future__ import annotations

from libs.common.audit import current_actor
from libs.common.bus.bus import Delivery
from libs.common.contracts import flow
from libs.common.contracts.access import ActorKind
from libs.common.contracts.erasure import (
    Erasure,
    GetErasure,
    RequestErasure,
    TenantDataErased,
    TenantErasureBegan,
)
from libs.common.contracts.ids import ErasureId, TenantId, tenant_sha256
from libs.common.contracts.tenants import TenantStatus
from libs.common.db import Database, Row, Transaction
from services.tenants.erasure import store
from services.tenants.erasure.errors import NoSuchErasure, NotConfirmed
from services.tenants.erasure.rules import PARTS, added
from services.tenants.erasure.store import sql
from services.tenants.errors import NoSuchTenant
from services.tenants.standing import set_standing


class ErasureService:
    """The use cases. All of them work across the tables of tenants and the platform's own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def request(self, query: RequestErasure, tenant: TenantId) -> Erasure:
        """From the commit on nobody of the tenant gets in, and every service erases its part.

        The same again answers with what the first one began. NoSuchTenant, NotConfirmed.
        """
        async with self._database.platform("request an erasure") as tx:
            there = await tx.fetchrow(sql.lock_tenant, tenant)
            begun = await tx.fetchrow(sql.find, tenant_sha256(tenant))
            if there is not None and there["name"] != query.confirm:
                raise NotConfirmed
            if begun is None and there is None:
                raise NoSuchTenant
            return store.erasure(begun or await _begin(tx, tenant))

    async def get(self, query: GetErasure) -> Erasure:
        """NoSuchErasure."""
        async with self._database.platform("look at an erasure") as tx:
            row = await tx.fetchrow(sql.get, query.erasure_id)
        if row is None:
            raise NoSuchErasure
        return store.erasure(row)

    async def reported(self, delivery: Delivery) -> None:
        """Handler: each report counts once, whatever it is of; that of an older round lets nobody off."""
        told = delivery.message
        assert isinstance(told, TenantDataErased)
        async with self._database.platform("note what was erased") as tx:
            row = await tx.fetchrow(sql.lock, told.erasure_id)
            if row is None or row["completed_at"] is not None:
                return
            if not await tx.first_time(flow.ERASED.name, delivery.envelope):
                return
            waiting = list(row["waiting_for"])
            if told.round == row["round"] and told.service in waiting:
                waiting.remove(told.service)
            removed = added(row["removed"], told.service, told.removed)
            await tx.execute(sql.report, told.erasure_id, removed, waiting)


async def _begin(tx: Transaction, tenant: TenantId) -> Row:
    actor = current_actor()
    kind = actor.kind if actor else ActorKind.SERVICE
    erasure_id = ErasureId.new()
    row = await tx.fetchrow(sql.begin, erasure_id, tenant_sha256(tenant), tenant, kind, list(PARTS))
    assert row is not None
    await set_standing(tx, tenant, TenantStatus.ERASING)
    tx.publish(TenantErasureBegan(erasure_id=erasure_id), tenant=tenant, subject=erasure_id)
    return row
