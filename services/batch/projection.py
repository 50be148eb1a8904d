"""What other services say of tenants and credentials, kept at hand for dispatch and routing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from libs.common.contracts.credentials import CredentialChanged, HealthState
from libs.common.contracts.message import Message
from libs.common.contracts.tenants import PlanChanged, TenantRegistered, TenantStatusChanged
from libs.common.db import Transaction
from services.batch.store import routes, sql

Effect = Callable[[Message, Transaction], Awaitable[None]]
_WELL = (HealthState.HEALTHY, HealthState.RECOVERED)


async def remember_tenant(message: Message, tx: Transaction) -> None:
    """A tenant's weight, its plan, or whether it is held up; they may come in any order."""
    if isinstance(message, TenantRegistered):
        await tx.execute(sql.upsert_tenant, tx.tenant, message.weight)
    elif isinstance(message, TenantStatusChanged):
        await tx.execute(sql.upsert_status, tx.tenant, message.status, message.revision)
    elif isinstance(message, PlanChanged):
        plan = message.plan.model_dump(mode="json")
        await tx.execute(routes.upsert_plan, tx.tenant, plan, message.revision)


async def remember_credential(message: Message, tx: Transaction) -> None:
    """A credential as it is now. What waits for a route is looked at again, as this may be one."""
    assert isinstance(message, CredentialChanged)
    credential = message.credential
    changed = await tx.execute(
        routes.upsert_credential,
        tx.tenant,
        credential.id,
        credential.revision,
        credential.version,
        credential.model_dump(mode="json"),
        credential.health.state in _WELL,
    )
    if changed:
        await tx.execute(routes.look_again, tx.tenant, None)


def then(effect: Effect, wake: Callable[[], None]) -> Effect:
    """The effect, and a wake of the dispatcher once it is committed."""

    async def both(message: Message, tx: Transaction) -> None:
        await effect(message, tx)
        tx.after_commit.append(wake)

    return both
