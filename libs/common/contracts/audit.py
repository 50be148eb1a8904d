"""What was done, by whom and from where (owner: the tenants service, which chains it)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field, JsonValue

from libs.common.contracts.access import Actor
from libs.common.contracts.ids import AuditId
from libs.common.contracts.message import Body, Event, Query

Action = Annotated[str, Field(pattern=r"^[a-z_]+(\.[a-z_]+)+$", max_length=100)]
"""What was done, as `<thing>.<past tense>`: `api_key.issued`, `credential.leased`."""


class ActionAudited(Event):
    """Told in the transaction of the change itself by every service (see `libs.common.audit`).

    `detail` never holds a secret, nor a value that identifies a person beyond an id.
    """

    wire = "tenants.action_audited.v1"
    action: Action
    actor: Actor
    target: str = Field("", max_length=200)
    at: datetime
    detail: dict[str, JsonValue] = Field(default_factory=dict)


class AuditEntry(Body):
    """A link of a tenant's chain. `sequence` counts from 1 without a gap; `hash` is SHA-256 (hex) over
    `previous` and the canonical JSON of the rest, so that no row can be changed, taken out or put in.
    """

    id: AuditId
    sequence: int
    at: datetime
    action: str
    actor: Actor
    target: str
    detail: dict[str, JsonValue]
    source: str
    previous: str
    hash: str


class AuditPage(Body):
    items: tuple[AuditEntry, ...]
    next_cursor: str | None = None


class ListAuditLog(Query[AuditPage]):
    """Of the tenant in the envelope; newest first, or oldest first for an export."""

    wire = "tenants.list_audit_log.v1"
    reply = AuditPage
    action: str | None = Field(None, max_length=100)
    actor_id: str | None = Field(None, max_length=100)
    since: datetime | None = None
    until: datetime | None = None
    oldest_first: bool = False
    limit: int = Field(50, ge=1, le=500)
    cursor: str | None = Field(None, max_length=100)


class ChainState(Body):
    """`broken_at`: the first sequence that does not fit, with the reason; None if all do.

    `head` is the newest hash: kept elsewhere, it also shows a chain that was cut off at its end.
    """

    entries: int
    head: str
    broken_at: int | None = None
    reason: str | None = None


class VerifyAuditLog(Query[ChainState]):
    """Of the tenant in the envelope."""

    wire = "tenants.verify_audit_log.v1"
    reply = ChainState
