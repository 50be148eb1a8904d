"""Every line logged while a message is handled says whose it is and which."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from structlog.contextvars import bound_contextvars

from libs.common.bus.bus import Delivery, Handler


def logs(handler: Handler) -> Handler:
    """Bind tenant, batch, message type and message id to structlog's context."""

    async def logged(delivery: Delivery) -> None:
        with bound(delivery):
            await handler(delivery)

    return logged


@contextmanager
def bound(delivery: Delivery) -> Iterator[None]:
    """The context of one delivery."""
    envelope = delivery.envelope
    known = {"tenant": envelope.tenant_id, "batch": getattr(delivery.message, "batch_id", None)}
    named = {name: str(value) for name, value in known.items() if value}
    with bound_contextvars(message=envelope.type, message_id=str(envelope.id), **named):
        yield
