"""The consuming half: one delivery is one transaction, and a repeated delivery changes nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from libs.common.bus.bus import Delivery, Handler
from libs.common.contracts.flow import Queue
from libs.common.contracts.message import Message
from libs.common.db import Database, Transaction
from libs.common.errors import Permanent

Effect = Callable[[Message, Transaction], Awaitable[None]]


def once(database: Database, queue: Queue, effect: Effect) -> Handler:
    """A bus handler that runs `effect` in a transaction of the message's tenant, once for each message id."""

    async def handle(delivery: Delivery) -> None:
        tenant = delivery.envelope.tenant_id
        if tenant is None:
            raise Permanent("the message names no tenant")
        async with database.tenant(tenant) as tx:
            if await tx.first_time(queue.name, delivery.envelope):
                await effect(delivery.message, tx)

    return handle
