"""The seam to a broker: one live connection. All that is the same for every broker is on our side of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from libs.common.bus.packet import Packet
from libs.common.bus.work import Worker
from libs.common.contracts.envelope import Envelope

Send = Callable[[Packet], Awaitable[None]]
"""Sends a reply to whoever asked; Unavailable where the broker is gone."""

Answer = Callable[[Packet, Send], None]
"""Takes a question and sends the reply when it is ready; neither waits nor raises."""

Hear = Callable[[Packet], None]
"""Takes a signal; neither waits nor raises."""


class Session(Protocol):
    """A connection with all of its topology made. It never reconnects: it ends, and the next one is opened.

    Every method raises Unavailable where the broker is gone or silent.
    """

    async def publish(self, envelopes: Sequence[Envelope]) -> Sequence[Envelope]:
        """Hand messages over, many in flight; returns those that the broker did not confirm.

        Unroutable if one has no queue to go to; the others may have been stored.
        """

    async def consume(self, worker: Worker) -> None:
        """Feed the worker from its queue, never far beyond what it can run at once."""

    async def ask(self, wire: str, packet: Packet, timeout: float) -> Packet:
        """The answer of whoever answers to `wire`; Unavailable at once where nobody does."""

    async def answer(self, wire: str, group: str, answer: Answer) -> None:
        """Answer to `wire`, sharing with the other members of the group."""

    async def tell(self, wire: str, packet: Packet) -> None:
        """Send to whoever hears `wire` now."""

    async def hear(self, wire: str, hear: Hear) -> None:
        """Take everything that is told under `wire`."""

    async def ping(self) -> None:
        """Return if the broker answers."""

    async def stop(self) -> None:
        """Take nothing more in; what is in hand can still be settled."""

    async def close(self) -> None:
        """Disconnect; never raises."""
