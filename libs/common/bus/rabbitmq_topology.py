"""What the bus has at a RabbitMQ broker: pure names and arguments.

    exchange <ns>.work (topic)          routing key = wire name; one binding for each message of each queue
      queue <ns>.<queue>                quorum, durable
      queue <ns>.<queue>.dead           quorum, kept for a month
      queue <ns>.<queue>.retry.<ms>     quorum; gives back to <ns>.<queue> after so long
    queue <ns>.ask.<wire>               classic; shared by those who answer, gone when they are
    exchange <ns>.tell (topic)          signals; one exclusive queue for each process that listens

One retry queue a delay, because a message's own expiration acts only at the head of a queue. At-least-once
dead-lettering needs reject-publish (https://www.rabbitmq.com/docs/quorum-queues#dead-lettering). Arguments
depend on nothing that a later version may change: RabbitMQ refuses to declare a queue again with others.

All are made at the start but the retry queues for snoozes, which come when needed: RabbitMQ 3.10 can lose a
quorum queue that was made in the last seconds before its power went.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from libs.common.contracts.flow import Queue

DEAD_MS = 30 * 24 * 3600 * 1000
DELIVERY_LIMIT = 1000
"""Only a safety net: attempts are counted by us, and RabbitMQ 4.3 no longer counts what was given back."""
ASK_EXPIRES_MS = 60_000
TOLD_LIMIT = 10_000
"""Signals waiting for a slow listener before the oldest are dropped."""

STEPS_MS = (100, 250, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 300_000, 1_800_000, 3_600_000)
"""Delays of the retry queues that serve what a queue's own delays don't: snoozes."""

Arguments = dict[str, Any]
QUORUM: Arguments = {"x-queue-type": "quorum"}
LEAST_ONCE: Arguments = {"x-dead-letter-strategy": "at-least-once", "x-overflow": "reject-publish"}


@dataclass(frozen=True, slots=True)
class Names:
    """Every name at the broker, from the namespace."""

    namespace: str

    @property
    def work(self) -> str:
        return f"{self.namespace}.work"

    @property
    def tell(self) -> str:
        return f"{self.namespace}.tell"

    def queue(self, queue: Queue) -> str:
        return f"{self.namespace}.{queue.name}"

    def dead(self, queue: Queue) -> str:
        return f"{self.queue(queue)}.dead"

    def retry(self, queue: Queue, delay_ms: int) -> str:
        return f"{self.queue(queue)}.retry.{delay_ms}"

    def ask(self, wire: str) -> str:
        return f"{self.namespace}.ask.{wire}"


def work_queue(names: Names, queue: Queue) -> Arguments:
    return QUORUM | LEAST_ONCE | _dead_letter_to(names.dead(queue)) | {"x-delivery-limit": DELIVERY_LIMIT}


def dead_queue() -> Arguments:
    return QUORUM | {"x-message-ttl": DEAD_MS}


def retry_queue(names: Names, queue: Queue, delay_ms: int) -> Arguments:
    return QUORUM | LEAST_ONCE | _dead_letter_to(names.queue(queue)) | {"x-message-ttl": delay_ms}


def ask_queue() -> Arguments:
    """Durable by name only: RabbitMQ 4 is giving up transient queues that several may use."""
    return {"x-queue-type": "classic", "x-expires": ASK_EXPIRES_MS}


def tell_queue() -> Arguments:
    return {"x-queue-type": "classic", "x-max-length": TOLD_LIMIT, "x-overflow": "drop-head"}


def retry_ms(delay: float) -> int:
    """The exact retry queue for one of the queue's own delays (seconds)."""
    return max(1, round(delay * 1000))


def step_ms(delay: float) -> int:
    """The retry queue for any delay (seconds): the first that is long enough, else the longest."""
    wanted = retry_ms(delay)
    return next((step for step in STEPS_MS if step >= wanted), STEPS_MS[-1])


def _dead_letter_to(queue: str) -> Arguments:
    return {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": queue}
