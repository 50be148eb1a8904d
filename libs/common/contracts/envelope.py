"""The envelope of a message: CloudEvents 1.0 attributes, carried in the broker's headers.

Source: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md, with the extensions
`traceparent` (W3C trace context), `tenantid`, and `actor` (JSON): who began what this message belongs to.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Self

from pydantic import Field

from libs.common.contracts.access import Actor
from libs.common.contracts.ids import MessageId, TenantId
from libs.common.contracts.message import MESSAGES, Body, Message

SPEC_VERSION = "1.0"


class Envelope(Body):
    """A message on its way. `data` is the body as JSON bytes."""

    id: MessageId = Field(default_factory=MessageId.new)
    source: str
    type: str
    time: datetime = Field(default_factory=lambda: datetime.now(UTC))
    subject: str | None = None
    tenant_id: TenantId | None = None
    traceparent: str | None = None
    actor: Actor | None = None
    data: bytes

    @classmethod
    def of(
        cls,
        message: Message,
        *,
        source: str,
        tenant: TenantId | None = None,
        subject: str | None = None,
        traceparent: str | None = None,
        actor: Actor | None = None,
    ) -> Self:
        """Wrap `message`, stamped with a fresh id and the time."""
        return cls(
            source=source,
            type=message.wire,
            subject=subject,
            tenant_id=tenant,
            traceparent=traceparent,
            actor=actor,
            data=message.model_dump_json().encode(),
        )

    def open(self) -> Message:
        """The message inside. KeyError: nobody declared the type; ValidationError: the body does not fit."""
        return MESSAGES[self.type].model_validate_json(self.data)

    def headers(self) -> dict[str, str]:
        """CloudEvents attributes by their names in a binary-mode binding, without the broker's own prefix."""
        optional = {
            "subject": self.subject,
            "tenantid": self.tenant_id,
            "traceparent": self.traceparent,
            "actor": self.actor.model_dump_json(exclude_none=True) if self.actor else None,
        }
        return {
            "specversion": SPEC_VERSION,
            "id": self.id,
            "source": self.source,
            "type": self.type,
            "time": self.time.isoformat(),
            **{name: value for name, value in optional.items() if value is not None},
        }

    @classmethod
    def parse(cls, headers: dict[str, str], data: bytes) -> Self:
        """The envelope that `headers` describe; ValueError (KeyError, ValidationError) if they don't."""
        if headers["specversion"] != SPEC_VERSION:
            raise ValueError("not a CloudEvents 1.0 message")
        names = {"tenantid": "tenant_id"}
        known = ("id", "source", "type", "time", "subject", "tenantid", "traceparent")
        fields = {names.get(name, name): headers[name] for name in known if name in headers}
        actor = Actor.model_validate_json(headers["actor"]) if "actor" in headers else None
        return cls.model_validate({**fields, "actor": actor, "data": data})
