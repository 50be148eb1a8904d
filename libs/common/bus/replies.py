"""How a reply, a refusal or a failure travels back to who asked: pure, the same for every broker.

The header `status` says which it is. A refusal names its classes, the most special first, and comes back as
the first that `libs.common.errors` knows; its `code` and `field` stay as they were raised.
"""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel

from libs.common import errors
from libs.common.bus.packet import Packet
from libs.common.contracts.message import Body
from libs.common.contracts.quotas import QuotaHit
from libs.common.errors import Refusal, Unavailable

Reply = TypeVar("Reply", bound=BaseModel)
LIMIT_BYTES = 1_000_000
"""What fits into one message of every broker (NATS takes 1 MiB, headers included)."""


class Refused(Body):
    """A Refusal on its way."""

    classes: tuple[str, ...]
    code: str
    detail: str
    field: str | None
    retry_after: int | None = None
    quota: QuotaHit | None = None


def replied(reply: BaseModel) -> Packet:
    """The packet of a reply."""
    data = reply.model_dump_json().encode()
    return Packet({"status": "replied"}, data) if len(data) <= LIMIT_BYTES else failed()


def refused(refusal: Refusal) -> Packet:
    """The packet of a refusal."""
    classes = tuple(kind.__name__ for kind in type(refusal).__mro__ if issubclass(kind, Refusal))
    body = Refused(
        classes=classes,
        code=refusal.code,
        detail=refusal.detail,
        field=refusal.field,
        retry_after=refusal.retry_after,
        quota=refusal.quota,
    )
    return Packet({"status": "refused"}, body.model_dump_json().encode())


def failed() -> Packet:
    """The packet of anything else that went wrong there; what it was stays in the responder's log."""
    return Packet({"status": "failed"}, b"")


def read(packet: Packet, reply: type[Reply]) -> Reply:
    """The reply inside; raises the Refusal inside, or Unavailable if the responder failed."""
    match packet.headers.get("status"):
        case "replied":
            return reply.model_validate_json(packet.data)
        case "refused":
            raise _raised(Refused.model_validate_json(packet.data))
        case _:
            raise Unavailable("the service that answers this failed; its log says why")


def _raised(refused: Refused) -> Refusal:
    found = (getattr(errors, name, None) for name in refused.classes)
    kind = next((kind for kind in found if isinstance(kind, type) and issubclass(kind, Refusal)), Refusal)
    raised = kind(refused.detail, code=refused.code, field=refused.field)
    raised.retry_after, raised.quota = refused.retry_after, refused.quota
    return raised
