"""What a handler does is done by whoever the message came from."""

from __future__ import annotations

from libs.common.audit.acting import acting
from libs.common.bus.bus import Delivery, Handler


def actor(handler: Handler) -> Handler:
    """Run the handler as the envelope's actor."""

    async def as_actor(delivery: Delivery) -> None:
        with acting(delivery.envelope.actor):
            await handler(delivery)

    return as_actor
