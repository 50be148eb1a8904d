"""Telling the audit log of a change, with the commit of that change."""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic import JsonValue

from libs.common.audit.acting import current_actor
from libs.common.contracts.access import Actor, ActorKind
from libs.common.contracts.audit import ActionAudited
from libs.common.contracts.ids import TenantId
from libs.common.db import Transaction


def record(
    tx: Transaction,
    action: str,
    target: str = "",
    *,
    actor: Actor | None = None,
    tenant: TenantId | None = None,
    **detail: JsonValue,
) -> None:
    """Who did `action` (`<thing>.<past tense>`) to `target`, for the transaction's tenant unless one is
    given.

    actor: where it is not whoever the request or message came from. detail: what changed, never a secret.
    """
    told = ActionAudited(
        action=action,
        actor=actor or current_actor() or Actor(kind=ActorKind.SERVICE, id=tx.schema),
        target=target,
        at=datetime.now(UTC),
        detail=detail,
    )
    tx.publish(told, tenant=tenant)
