"""One service's part in the erasure of a tenant, told twice or killed at any point."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence

from libs.common.bus.bus import Bus, Delivery, Handler
from libs.common.contracts.erasure import TenantDataErased, TenantErasureBegan
from libs.common.contracts.flow import Queue
from libs.common.contracts.ids import TenantId
from libs.common.db import Database
from libs.common.erasure.rows import erase_rows, raise_fence
from libs.common.errors import Permanent
from libs.common.telemetry import logger

_log = logger("erasure")
Beyond = Callable[[TenantId], Awaitable[Mapping[str, int]]]
"""Removes what is no row (objects, a key, what stands in memory) and says how many of which kind; doing it
again, or going on with it, is fine."""


async def subscribe_erasure(
    bus: Bus, database: Database, queue: Queue, *, also: Sequence[Beyond] = ()
) -> None:
    """Erase the service's part whenever a tenant's erasure begins. `also`: before its rows go."""
    await bus.subscribe(queue, eraser(database, also))


def eraser(database: Database, also: Sequence[Beyond] = ()) -> Handler:
    """A bus handler, without an inbox: a row there would name the tenant.

    First the fence, so that nothing is added to what is being removed; then what is no row; last the rows
    and the word that all is done, in one transaction.
    """

    async def handle(delivery: Delivery) -> None:
        began, tenant = delivery.message, delivery.envelope.tenant_id
        assert isinstance(began, TenantErasureBegan)
        if tenant is None:
            raise Permanent("the message names no tenant")
        async with database.platform("raise a fence") as tx:
            await raise_fence(tx, tenant)
        removed: Counter[str] = Counter()
        for remove in also:
            removed.update(await remove(tenant))
        async with database.platform("erase a tenant") as tx:
            removed.update(await erase_rows(tx, tenant))
            done = TenantDataErased(
                erasure_id=began.erasure_id,
                round=began.round,
                service=database.schema,
                removed={kind: count for kind, count in removed.items() if count},
            )
            tx.publish(done, tenant=tenant)
        _log.info("tenant_erased", erasure=began.erasure_id, round=began.round, removed=done.removed)

    return handle
