"""What tenants bought, as the tenants service tells it."""

from __future__ import annotations

from libs.common.contracts.message import Message
from libs.common.contracts.tenants import PlanChanged
from libs.common.db import Transaction
from services.keyvault.store import sql


async def plan_changed(message: Message, tx: Transaction) -> None:
    """Remember a plan; one of a lower revision than what is known comes too late."""
    assert isinstance(message, PlanChanged)
    await tx.execute(sql.put_plan, tx.tenant, message.plan.byok, message.revision)
