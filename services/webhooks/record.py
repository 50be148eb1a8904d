"""Writes a try down, with what becomes of its delivery and its endpoint, in one transaction."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from libs.common.contracts.ids import TenantId
from libs.common.contracts.webhooks import DeliveryStatus, EndpointDisabled
from libs.common.db import Row, Transaction
from services.webhooks import store
from services.webhooks.attempt import Answer
from services.webhooks.schedule import next_delay
from services.webhooks.store import sql

GONE = "The endpoint answered 410 Gone."


class State(NamedTuple):
    """How a delivery stands."""

    status: DeliveryStatus
    failures: int
    next_attempt_at: datetime | None


async def record(tx: Transaction, claimed: Row, answer: Answer, now: datetime) -> None:
    """`claimed` is the delivery as it was claimed; of an endpoint deleted since, nothing is kept."""
    tenant, delivery_id = TenantId(claimed["tenant_id"]), claimed["id"]
    # The endpoint before the delivery, as everywhere, so that nothing deadlocks.
    if answer.gone:
        await _disable(tx, tenant, claimed["endpoint_id"])
    delivery = await tx.fetchrow(sql.lock_delivery, tenant, delivery_id)
    if delivery is None:
        return
    await tx.execute(
        sql.insert_attempt,
        tenant,
        delivery_id,
        answer.at,
        answer.duration_ms,
        answer.status_code,
        answer.error,
    )
    # Who lost the claim (suspended for long, overtaken by a redelivery, its endpoint disabled meanwhile) may
    # only bring good news.
    if answer.delivered or delivery["claimed_until"] == claimed["claimed_until"]:
        state = after(answer, delivery["failures"], now)
        await tx.execute(sql.close_attempt, tenant, delivery_id, *state)


def after(answer: Answer, failures: int, now: datetime) -> State:
    """What becomes of a delivery that had failed so often before."""
    if answer.delivered:
        return State(DeliveryStatus.DELIVERED, failures, None)
    delay = next_delay(failures + 1, retry_after_s=answer.retry_after_s)
    if delay is None:
        return State(DeliveryStatus.FAILED, failures + 1, None)
    return State(DeliveryStatus.PENDING, failures + 1, now + delay)


async def _disable(tx: Transaction, tenant: TenantId, endpoint_id: str) -> None:
    """Send nothing more there; this fails the delivery that was answered so with all others that wait."""
    row = await tx.fetchrow(sql.disable_endpoint, tenant, endpoint_id, GONE)
    if row is not None:
        await tx.execute(sql.fail_pending, tenant, endpoint_id)
        tx.publish(EndpointDisabled(endpoint=store.endpoint(row)))
