"""The bus: four ways to talk, whatever broker carries them.

Both adapters (`rabbitmq.py`, `nats.py`) pass the suite in `tests/contract/bus`; what stands in the docstrings
here is what that suite checks.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from pydantic import BaseModel

from libs.common.contracts.envelope import Envelope
from libs.common.contracts.flow import Queue
from libs.common.contracts.ids import TenantId
from libs.common.contracts.message import Message, Query, Signal

Reply = TypeVar("Reply", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message as it reached a handler.

    attempt: from 1; a delivery whose consumer died counts, a snooze does not.
    queue: the name of the queue that it came from; empty for requests and signals.
    """

    envelope: Envelope
    message: Message
    attempt: int = 1
    queue: str = ""


Handler = Callable[[Delivery], Awaitable[None]]
"""Returns when the effect is committed; raises as `libs.common.errors` says."""

Responder = Callable[[Delivery], Awaitable[BaseModel]]
"""Returns the reply; a Refusal reaches the requester as it was raised."""

Listener = Callable[[Delivery], Awaitable[None]]
"""Errors are logged and forgotten."""

Middleware = Callable[[Handler], Handler]
"""Wraps every handler of durable messages; the first in the list is the outermost."""


class Bus(Protocol):
    """A connection to the broker as one service (see `contracts/flow.py`)."""

    async def start(self) -> None:
        """Connect, and make what the broker lacks: streams, exchanges, queues, dead letters.

        Reconnects by itself later, with jitter; Unavailable if the first connection can't be made in time.
        """

    async def close(self) -> None:
        """Take no more messages, let handlers finish within the limit, cancel the rest and disconnect.

        What a cancelled handler had in hand is delivered again. Closing twice, or unstarted, is fine.
        """

    async def ping(self) -> None:
        """Return if the broker answers now; Unavailable if not."""

    async def publish(self, envelopes: Sequence[Envelope]) -> None:
        """Hand durable messages over; returns when the broker has every one of them on disk.

        Unroutable if a message has no queue to go to; TooLarge if it is over 1 MB; Unavailable if the broker
        can't take it, also after some seconds of trying again.
        A message published twice with the same id may arrive twice.
        """

    async def subscribe(self, queue: Queue, handler: Handler) -> None:
        """Compete for the messages of `queue`, never running more than `queue.concurrency` handlers.

        At least once: a message is gone only after its handler returned or it was dead-lettered (a body that
        does not parse never reaches the handler). A retry comes not before its delay.
        """

    async def request(
        self, query: Query[Reply], *, tenant: TenantId | None = None, timeout: float = 5.0
    ) -> Reply:
        """Ask the one service that responds to `query`.

        Refusal as it was raised there; Unavailable if nobody answers in `timeout` seconds, and at once if no
        instance responds, the responder failed, or the connection is lost.
        """

    async def respond(self, query: type[Query[Reply]], responder: Responder) -> None:
        """Answer queries of that type, sharing them with the other instances of this service."""

    async def signal(self, signal: Signal, *, tenant: TenantId | None = None) -> None:
        """Tell everyone who listens now; lost without a trace where nobody does or the broker is away."""

    async def listen(self, signal: type[Signal], listener: Listener) -> None:
        """Hear every signal of that type; each instance hears each."""
