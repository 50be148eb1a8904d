"""Images that no route may take now: out of the line, with the reason, until something opens a route.

They still wait, so that their batch goes on; but the dispatcher does not look at them, so that a tenant whose
key failed costs nothing. What may open a route (a key, a policy, a plan, a cap, the time) has them looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from libs.common.contracts.batch import Failure
from libs.common.contracts.ids import BatchId, CredentialId, TenantId
from libs.common.contracts.inference import UnrenderableImage
from libs.common.contracts.routing import SpendCapReached, WhenUnavailable
from libs.common.db import Row, Transaction
from services.batch import faults, store
from services.batch.accounts import Ledger
from services.batch.charges import Arrival
from services.batch.collector import open_images, settle, take_in
from services.batch.progress import Progress
from services.batch.routing import FALLBACK, Capped, Decision, Work, month_of
from services.batch.store import Moves, routes

NO_ROUTE = "no_route"


@dataclass
class Parking:
    """What one dispatch does with images that have no route."""

    tx: Transaction
    ledger: Ledger
    progress: Progress
    now: datetime
    _done: dict[TenantId, datetime] = field(default_factory=dict)
    _looks: dict[TenantId, datetime] = field(default_factory=dict)
    _caps: dict[tuple[TenantId, str], Capped] = field(default_factory=dict)

    async def without_route(self, batch: Row, images: Sequence[Row], work: Work, decision: Decision) -> None:
        """Park the images, which are in line, or have them fail, as the tenant chose; tell of caps."""
        self.note(TenantId(batch["tenant_id"]), images, work, decision)
        if images and decision.then is WhenUnavailable.FAIL:
            await self.fail(batch, images, decision.reason)
        elif images:
            await self._park(batch, images, decision.reason)

    async def fail(self, batch: Row, images: Sequence[Row], reason: str) -> None:
        """End images that wait, because there is no route for them."""
        await self.end(batch, images, Failure(code=NO_ROUTE, detail=sentence(reason)))

    async def end(self, batch: Row, images: Sequence[Row], failure: Failure) -> None:
        """End images that wait as failed."""
        tenant, batch_id = TenantId(batch["tenant_id"]), BatchId(batch["id"])
        rows = await open_images(self.tx, tenant, batch_id, [image["id"] for image in images])
        ends = [
            Arrival(UnrenderableImage(image_id=image_id, code=failure.code, detail=failure.detail))
            for image_id in rows
        ]
        row = await store.lock_batch(self.tx, tenant, batch_id)
        row = await take_in(self.tx, row, ends, rows, self.ledger)
        await settle(self.tx, row, self.progress)

    def looked(self, tenant: TenantId, due: datetime) -> None:
        """Keep in mind that a look that was due is done."""
        self._done[tenant] = due

    async def finish(self) -> None:
        """Tell of caps that are reached, once a month each, and say when to look again."""
        month = month_of(self.now)
        for (tenant, account), capped in sorted(self._caps.items()):
            if await self.tx.fetchval(routes.tell_cap, tenant, account, month):
                credential = None if account == FALLBACK else CredentialId(account)
                event = SpendCapReached(
                    month=month, cap=capped.cap, spent=capped.spent, credential_id=credential
                )
                self.tx.publish(event, tenant=tenant)
        for tenant, due in sorted(self._done.items()):
            await self.tx.execute(routes.looked, tenant, due)
        for tenant, look_at in sorted(self._looks.items()):
            await self.tx.execute(routes.look_again, tenant, look_at)

    async def _park(self, batch: Row, images: Sequence[Row], reason: str) -> None:
        tenant, count = TenantId(batch["tenant_id"]), len(images)
        ids = [image["id"] for image in images]
        await self.tx.execute(routes.park_images, tenant, ids, sentence(reason))
        moves = Moves(ready=-count, parked=count)
        row = await store.move_counts(self.tx, tenant, BatchId(batch["id"]), moves)
        self.progress.after(self.tx, row)

    def note(self, tenant: TenantId, images: Sequence[Row], work: Work, decision: Decision) -> None:
        """Keep in mind what a decision says of caps, and when to look again at `images` without a route."""
        self._caps.update({(tenant, one.account): one for one in decision.capped if one.reached})
        if not images:
            return
        times = [decision.look_at] if decision.look_at else []
        if work.tried:
            times += [image["faulted_at"] + faults.FORGET for image in images]
        if times:
            self._looks[tenant] = min([*times, self._looks.get(tenant, times[0])])


def sentence(reason: str) -> str:
    """A reason as images show it."""
    return f"{reason[:1].upper()}{reason[1:]}."
