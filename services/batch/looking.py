"""Looks at parked images again, once something may have opened a route for them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from libs.common.contracts.ids import BatchId, TenantId
from libs.common.contracts.routing import WhenUnavailable
from libs.common.db import Row
from services.batch import accounts, store
from services.batch.parking import sentence
from services.batch.release import Round, alike
from services.batch.routing import Decision, Standing, decide
from services.batch.store import Moves, routes

_AT_ONCE = 5_000
"""Parked images of a batch that are read together."""


async def look_at_parked(round_: Round) -> None:
    """Do the looks that are due."""
    for due in await round_.tx.fetch(routes.looks_due):
        await _look(round_, TenantId(due["tenant_id"]), due["look_at"])


async def _look(round_: Round, tenant: TenantId, due: datetime) -> None:
    """Put in line what has a route. Caps are counted down on paper: what is in line is decided on again."""
    standing = await round_.standing(tenant)
    for batch in await round_.tx.fetch(routes.batches_parked, tenant):
        row = await store.lock_batch(round_.tx, tenant, BatchId(batch["id"]))
        standing = await _look_into(round_, row, standing)
    round_.parking.looked(tenant, due)


async def _look_into(round_: Round, batch: Row, standing: Standing) -> Standing:
    tenant, position = TenantId(batch["tenant_id"]), -1
    while images := await round_.tx.fetch(routes.parked_images, tenant, batch["id"], position, _AT_ONCE):
        position = images[-1]["position"]
        for work, group in alike(images, batch, standing, round_.now).items():
            decision = decide(standing, work, len(group), round_.now)
            round_.parking.note(tenant, group[len(group) - decision.rest :], work, decision)
            await _follow(round_, batch, group, decision)
            for share in decision.shares:
                standing = accounts.reserve(standing, share.account, share.most * share.images)
    return standing


async def _follow(round_: Round, batch: Row, images: Sequence[Row], decision: Decision) -> None:
    tenant, routed = TenantId(batch["tenant_id"]), len(images) - decision.rest
    if routed:
        ids = [image["id"] for image in images[:routed]]
        await round_.tx.execute(routes.unpark_images, tenant, ids)
        moves = Moves(ready=routed, parked=-routed)
        row = await store.move_counts(round_.tx, tenant, BatchId(batch["id"]), moves)
        round_.progress.after(round_.tx, row)
    rest = images[routed:]
    if rest and decision.then is WhenUnavailable.FAIL:
        await round_.parking.fail(batch, rest, decision.reason)
    elif stale := [image["id"] for image in rest if image["parked"] != sentence(decision.reason)]:
        await round_.tx.execute(routes.park_images, tenant, stale, sentence(decision.reason))
