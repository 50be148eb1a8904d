"""When API keys were last used, as the gateway tells it every minute or so."""

from __future__ import annotations

from libs.common.bus.bus import Bus
from libs.common.contracts import flow
from libs.common.contracts.message import Message
from libs.common.contracts.tenants import ApiKeysUsed
from libs.common.db import Database, Transaction
from libs.common.outbox import once
from services.tenants.store import sql


async def attach(bus: Bus, database: Database) -> None:
    """Take in what the gateway tells."""
    await bus.subscribe(flow.KEY_USES, once(database, flow.KEY_USES, keys_used))


async def keys_used(message: Message, tx: Transaction) -> None:
    """The latest use stays, in whatever order the gateway's replicas tell of theirs. No change to audit."""
    assert isinstance(message, ApiKeysUsed)
    ids, moments = [one.key_id for one in message.uses], [one.at for one in message.uses]
    await tx.execute(sql.keys_used, tx.tenant, ids, moments)
