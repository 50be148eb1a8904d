"""What a batch would be: its archive is read as the splitter does, and its images get routes on paper."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from libs.common.contracts.batch import BatchOptions
from libs.common.contracts.ids import ImageId, TenantId
from libs.common.contracts.routing import Estimate, EstimateBatch, RoutedShare, WhenUnavailable
from libs.common.db import Database
from libs.common.errors import Invalid, NotFound
from libs.common.objects import Objects, tenant_key
from services.batch import accounts
from services.batch.archive import ArchiveRefused, Entry, RefusedEntry, open_archive
from services.batch.duplicates import Originals
from services.batch.errors import ArchiveLost
from services.batch.plan import Plan, make_plan
from services.batch.quotas import rules
from services.batch.quotas import store as quotas
from services.batch.release import needs_segment, on_model
from services.batch.routing import Budget, Decision, Share, Standing, Work, decide
from services.batch.splitter import StoredArchive, photo_of


@dataclass
class Found:
    """Entries of an archive by what becomes of them, and the images to render by what they need."""

    refused: int = 0
    paired: int = 0
    duplicates: int = 0
    works: Counter[Work] = field(default_factory=Counter)

    @property
    def billable(self) -> int:
        return self.works.total()

    @property
    def photos(self) -> int:
        return self.billable + self.duplicates + self.paired


class Estimates:
    """The use case."""

    def __init__(self, database: Database, objects: Objects) -> None:
        self._database = database
        self._objects = objects

    async def estimate(self, query: EstimateBatch, tenant: TenantId) -> Estimate:
        """Invalid with the archive's fault, ArchiveLost."""
        try:
            found = await look_into(
                self._objects, tenant, query.archive_key, query.archive_size, query.options
            )
        except ArchiveRefused as refused:
            raise Invalid(refused.detail, code=refused.code.value) from refused
        now = accounts.now()
        async with self._database.tenant(tenant) as tx:
            standing = await accounts.standing(tx, tenant, now)
            taken = await quotas.taken(tx, tenant, now)
        limits = standing.plan.quotas
        hit = rules.archive_hit(limits, size=query.archive_size, photos=found.photos)
        effect = rules.effect(limits, taken, found.billable, hit, now)
        return priced(found, standing, now).model_copy(update={"quota": effect})


async def look_into(objects: Objects, tenant: TenantId, key: str, size: int, options: BatchOptions) -> Found:
    """What an uploaded archive of the tenant holds. ArchiveRefused, ArchiveLost."""
    if not key.startswith(tenant_key(tenant, "")):
        raise ArchiveLost
    try:
        return await survey(StoredArchive(objects, key, size), options)
    except NotFound as lost:
        raise ArchiveLost from lost


async def survey(stored: StoredArchive, options: BatchOptions) -> Found:
    """Count the archive's entries. ArchiveRefused, or MannequinError of the storage."""
    archive = await open_archive(stored)
    plan = await make_plan(archive, stored, options)
    found, originals, asked = Found(), Originals(stored), options.model_dump(mode="json")
    async for entries in archive.entries(0):
        for entry in entries:
            await _count(found, entry, plan, originals, asked)
    return found


async def _count(
    found: Found, entry: Entry | RefusedEntry, plan: Plan, originals: Originals, asked: dict[str, Any]
) -> None:
    if entry.index == plan.manifest:
        found.refused += plan.fault is not None
    elif isinstance(entry, RefusedEntry):
        found.refused += 1
    elif plan.is_inside(entry.index):
        found.paired += 1
    else:
        image = {"id": ImageId.new(), "photo": photo_of(entry), "inside": plan.inside(entry.index)}
        image |= plan.described(entry.index)
        if image["inside"] is None and await originals.original(image):
            found.duplicates += 1
        else:
            found.works[Work(needs_segment(image, asked), on_model=on_model(asked))] += 1


def priced(found: Found, standing: Standing, now: datetime) -> Estimate:
    """Routes and prices of what was found, as if all of it were released now and cost what is expected."""
    standing = replace(standing, keys=tuple(replace(key, most=key.price) for key in standing.keys))
    shares: list[RoutedShare] = []
    waiting = 0
    for work, images in sorted(found.works.items(), key=lambda item: item[0].segment):
        standing, decisions = _run_through(standing, work, images, now)
        shares += [_routed(share) for decision in decisions for share in decision.shares]
        if rest := decisions[-1].rest:
            shares.append(_unrouted(decisions[-1], rest))
            waiting += rest if decisions[-1].then is WhenUnavailable.WAIT else 0
    return Estimate(
        photos=found.photos,
        refused=found.refused,
        paired=found.paired,
        duplicates=found.duplicates,
        billable_at_most=found.billable,
        routes=tuple(shares),
        waiting=waiting,
        cost=sum((share.cost for share in shares), Decimal(0)),
        price_table=standing.platform.price_table,
    )


def _run_through(
    standing: Standing, work: Work, images: int, now: datetime
) -> tuple[Standing, Sequence[Decision]]:
    """Decide until nothing more gets a route, charging what does; how the tenant stands then."""
    decisions = [decide(standing, work, images, now)]
    while decisions[-1].rest and decisions[-1].shares:
        standing = _charged(standing, decisions[-1].shares)
        decisions.append(decide(standing, work, decisions[-1].rest, now))
    return _charged(standing, decisions[-1].shares), decisions


def _charged(standing: Standing, shares: Sequence[Share]) -> Standing:
    """The same once these shares are charged."""
    for share in shares:
        cost = share.most * share.images
        if share.route.fallback:
            standing = replace(standing, fallback_charged=standing.fallback_charged + cost)
        keys = [
            replace(key, budget=_spent(key.budget, cost)) if key.id == share.account else key
            for key in standing.keys
        ]
        standing = replace(standing, keys=tuple(keys))
    return standing


def _spent(budget: Budget, cost: Decimal) -> Budget:
    return replace(budget, charged=budget.charged + cost)


def _routed(share: Share) -> RoutedShare:
    route = share.route
    return RoutedShare(
        provider=route.provider,
        payer=route.payer,
        credential_id=route.credential_id,
        fallback=route.fallback,
        images=share.images,
        price=route.price,
        cost=route.price * share.images,
        reason=route.reason,
    )


def _unrouted(decision: Decision, images: int) -> RoutedShare:
    nothing = Decimal(0)
    return RoutedShare(
        provider=None, payer=None, images=images, price=nothing, cost=nothing, reason=decision.reason
    )
