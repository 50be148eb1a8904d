"""From a message in hand to its outcome: the part of consuming that knows no broker."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from libs.common.bus import outcome
from libs.common.bus.bounded import Bounded
from libs.common.bus.bus import Delivery, Handler
from libs.common.bus.outcome import Dead, Done, Later, Outcome, Retry
from libs.common.bus.packet import Packet
from libs.common.contracts.flow import Queue
from libs.common.contracts.message import Durable
from libs.common.errors import Unavailable
from libs.common.telemetry import logger

log = logger("bus.work")

UNSETTLED_PAUSE_S = 1.0
"""Before a message that the broker would not let us settle goes back: what is wrong there needs a moment."""


class Parcel(Protocol):
    """A message that this process has in hand until it is settled, once, by one of the methods.

    Each returns when the broker can be trusted with it, and raises Unavailable where that is gone: then the
    message comes again.
    """

    @property
    def packet(self) -> Packet:
        """What came."""

    @property
    def attempt(self) -> int:
        """From 1."""

    @property
    def early_s(self) -> float:
        """Seconds until it is due; 0 or less when it is."""

    async def done(self) -> None:
        """Let it go."""

    async def retry(self, delay: float) -> None:
        """Again after `delay` seconds as the next attempt."""

    async def later(self, delay: float) -> None:
        """Again after `delay` seconds as the same attempt."""

    async def bury(self, dead: Dead) -> None:
        """To the dead letters of its queue."""

    async def release(self) -> None:
        """Back to the queue for anybody, now."""

    async def extend(self) -> None:
        """It is still being handled."""


class Worker:
    """Runs the handler of one queue, never more than `queue.concurrency` at once."""

    def __init__(self, queue: Queue, handler: Handler, buried: Callable[[Queue, Dead], None]) -> None:
        self.queue = queue
        self._handler = handler
        self._buried = buried
        self._jobs = Bounded(queue.concurrency)
        self._in_hand: set[Parcel] = set()

    @property
    def free(self) -> int:
        """How many messages would be handled at once if they came now."""
        return self._jobs.free

    @property
    def in_hand(self) -> tuple[Parcel, ...]:
        """What is being handled; the broker may want to hear that it still is."""
        return tuple(self._in_hand)

    async def room(self) -> None:
        """Returns when a message would be handled at once."""
        await self._jobs.room()

    def take(self, parcel: Parcel) -> None:
        """Handle it as soon as there is room."""
        self._jobs.add(lambda: self._handle(parcel))

    async def drain(self, limit_s: float) -> None:
        """Let handlers finish for `limit_s` seconds, then cancel them; their messages come again."""
        await self._jobs.drain(limit_s)

    async def _handle(self, parcel: Parcel) -> None:
        self._in_hand.add(parcel)
        try:
            await self._settle(parcel, await self._run(parcel))
        except Exception as exc:
            log.warning("a message could not be settled", queue=self.queue.name, exc_info=exc)
            await asyncio.sleep(UNSETTLED_PAUSE_S)
            await self._give_back(parcel)
        except asyncio.CancelledError:
            await self._give_back(parcel)
            raise
        finally:
            self._in_hand.discard(parcel)

    async def _run(self, parcel: Parcel) -> Outcome:
        if parcel.early_s > 0:
            return Later(parcel.early_s)
        if dead := outcome.exhausted(self.queue, parcel.attempt):
            return dead
        try:
            delivery = self._open(parcel)
        except (ValueError, KeyError) as exc:
            return outcome.unreadable(exc)
        return await self._call(delivery)

    def _open(self, parcel: Parcel) -> Delivery:
        envelope = parcel.packet.envelope()
        message = envelope.open()
        if not isinstance(message, Durable) or type(message) not in self.queue.messages:
            raise ValueError("not a message of this queue")
        return Delivery(envelope, message, parcel.attempt, self.queue.name)

    async def _call(self, delivery: Delivery) -> Outcome:
        try:
            await self._handler(delivery)
        except Exception as exc:  # noqa: BLE001  whatever a handler raises decides over its message only
            result = outcome.of(exc, self.queue, delivery.attempt)
            self._log(delivery, result, exc)
            return result
        return Done()

    async def _settle(self, parcel: Parcel, result: Outcome) -> None:
        match result:
            case Done():
                await parcel.done()
            case Retry(delay):
                await parcel.retry(delay)
            case Later(delay):
                await parcel.later(delay)
            case Dead():
                await parcel.bury(result)
                self._buried(self.queue, result)

    async def _give_back(self, parcel: Parcel) -> None:
        try:
            await parcel.release()
        except Unavailable:
            log.debug("a message comes again when the broker misses its consumer", queue=self.queue.name)

    def _log(self, delivery: Delivery, result: Outcome, error: Exception) -> None:
        fields = {"queue": self.queue.name, "attempt": delivery.attempt, "id": delivery.envelope.id}
        match result:
            case Retry(delay):
                log.warning("a handler failed and tries again", delay_s=delay, exc_info=error, **fields)
            case Dead(reason, _):
                log.error("a message went to the dead letters", reason=reason, exc_info=error, **fields)
            case _:
                log.debug("a handler put its message off", **fields)
