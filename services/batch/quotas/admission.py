"""The gateway's question before an upload becomes a batch: whether the plan has room for it."""

from __future__ import annotations

from dataclasses import dataclass

from libs.common.contracts.batch import BatchKind
from libs.common.contracts.ids import BatchId, TenantId
from libs.common.contracts.quotas import Admission, Admit, GetQuotaUse, QuotaUseList
from libs.common.db import Database, Transaction
from libs.common.objects import Objects
from libs.common.quotas import exceeded
from services.batch.archive import ArchiveRefused
from services.batch.estimate import look_into
from services.batch.quotas import rules, store
from services.batch.quotas.store import sql

KEPT_S = 3600.0
"""How long images are kept for an upload whose submission has not come."""


@dataclass(frozen=True, slots=True)
class _Need:
    """What an upload would take: `images` that may be billed, of so many `photos`."""

    images: int
    photos: int


class Admissions:
    """The use cases."""

    def __init__(self, database: Database, objects: Objects) -> None:
        self._database = database
        self._objects = objects

    async def admit(self, query: Admit, tenant: TenantId) -> Admission:
        """Keep what the upload needs. ArchiveLost; NotBought or TooOften with the limit that it goes beyond.

        Admissions of a tenant take turns, so that of two that want the last images one gets them.
        """
        need = await self._need(query, tenant)
        async with self._database.tenant(tenant) as tx:
            now = await store.turn(tx, tenant)
            quotas = (await store.bought(tx, tenant)).quotas
            taken = await store.taken(tx, tenant, now, besides=query.batch_id)
            hit = query.kind is BatchKind.ARCHIVE and rules.archive_hit(
                quotas, size=query.archive_size, photos=need.photos
            )
            hit = hit or rules.count_hit(quotas, taken, need.images, now, test=query.test)
            if hit:
                raise exceeded(hit, now)
            if quotas.images_month is None and not query.test:
                return Admission(images=need.images)
            row = await tx.fetchrow(sql.reserve, tenant, query.batch_id, query.test, need.images, KEPT_S)
        assert row is not None
        return Admission(images=row["images"], expires_at=row["expires_at"])

    async def use(self, _: GetQuotaUse, tenant: TenantId) -> QuotaUseList:
        """How much of each limit is taken."""
        async with self._database.tenant(tenant) as tx:
            now = await tx.fetchval(sql.clock)
            plan = await store.bought(tx, tenant)
            taken = await store.taken(tx, tenant, now)
            under_way = await tx.fetchval(sql.under_way, tenant)
        return QuotaUseList(plan=plan.name, items=rules.uses(plan.quotas, taken, under_way, now))

    async def _need(self, query: Admit, tenant: TenantId) -> _Need:
        """An archive that will be refused needs nothing: its batch says why."""
        if query.kind is BatchKind.SINGLE:
            return _Need(images=1, photos=1)
        try:
            found = await look_into(
                self._objects, tenant, query.archive_key, query.archive_size, query.options
            )
        except ArchiveRefused:
            return _Need(images=0, photos=0)
        return _Need(found.billable, found.photos)


async def admit_again(
    tx: Transaction, tenant: TenantId, batch_id: BatchId, images: int, *, test: bool
) -> None:
    """Return if failed images of a batch that has ended may be rendered once more. NotBought.

    A test has its share of the day already.
    """
    quotas = (await store.bought(tx, tenant)).quotas
    if test or quotas.images_month is None:
        return
    now = await store.turn(tx, tenant)
    hit = rules.month_hit(quotas, await store.taken(tx, tenant, now, besides=batch_id), images, now)
    if hit:
        raise exceeded(hit, now)
