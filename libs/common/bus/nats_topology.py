"""What the bus has at a NATS server, as the JSON of the JetStream API.

    stream <ns>_WORK      <ns>.work.<wire>; a message goes when every queue that wants it has acknowledged it
        consumer <queue>  one for each queue, filtered to its messages and to <ns>.later.<queue>
    stream <ns>_DEAD      <ns>.dead.<queue>; kept for a month

Queries are asked on <ns>.ask.<wire>, signals told on <ns>.tell.<wire>; neither is stored.
Source: https://docs.nats.io/reference/reference-protocols/nats_api_reference
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from libs.common.contracts.flow import Queue

NANOSECONDS = 1_000_000_000
DEDUPE_S = 120
DEAD_S = 30 * 24 * 3600
ACK_PENDING = 65_536
"""Messages unsettled at once over all instances, those that wait for their retry too. What bounds a process
is how many it pulls."""

Config = dict[str, Any]

Api = Callable[[str, Config], Awaitable[Config | None]]
"""Call and body to answer; None where there is no such thing."""


@dataclass(frozen=True, slots=True)
class Names:
    """Every name at the server, from the namespace."""

    namespace: str

    @property
    def work(self) -> str:
        return f"{self.namespace}_WORK"

    @property
    def dead(self) -> str:
        return f"{self.namespace}_DEAD"

    def work_subject(self, wire: str) -> str:
        return f"{self.namespace}.work.{wire}"

    def later_subject(self, queue: Queue) -> str:
        """Where copies for one queue alone go: those that were put off."""
        return f"{self.namespace}.later.{queue.name}"

    def dead_subject(self, queue: Queue) -> str:
        return f"{self.namespace}.dead.{queue.name}"

    def ask_subject(self, wire: str) -> str:
        return f"{self.namespace}.ask.{wire}"

    def tell_subject(self, wire: str) -> str:
        return f"{self.namespace}.tell.{wire}"

    def consumer(self, queue: Queue) -> str:
        return queue.name.replace(".", "-")

    def pull_subject(self, queue: Queue) -> str:
        return f"$JS.API.CONSUMER.MSG.NEXT.{self.work}.{self.consumer(queue)}"


def work_stream(names: Names, queues: Sequence[Queue]) -> Config:
    """Only subjects that some queue consumes: others find no stream, and so are unroutable."""
    wires = {message.wire for queue in queues for message in queue.messages}
    return {
        "name": names.work,
        "subjects": sorted([*map(names.work_subject, wires), *map(names.later_subject, queues)]),
        "retention": "interest",
        "storage": "file",
        "discard": "new",
        "max_consumers": -1,
        "max_msgs": -1,
        "max_bytes": -1,
        "max_age": 0,
        "num_replicas": 1,
        "duplicate_window": DEDUPE_S * NANOSECONDS,
    }


def dead_stream(names: Names) -> Config:
    return {
        "name": names.dead,
        "subjects": [f"{names.namespace}.dead.>"],
        "retention": "limits",
        "storage": "file",
        "discard": "old",
        "max_consumers": -1,
        "max_msgs": -1,
        "max_bytes": -1,
        "max_age": DEAD_S * NANOSECONDS,
        "num_replicas": 1,
        "duplicate_window": DEDUPE_S * NANOSECONDS,
    }


def consumer(names: Names, queue: Queue) -> Config:
    """Attempts are counted by us, so the server never gives up by itself."""
    subjects = [*(names.work_subject(message.wire) for message in queue.messages), names.later_subject(queue)]
    name = names.consumer(queue)
    return {
        "name": name,
        "durable_name": name,
        "deliver_policy": "all",
        "ack_policy": "explicit",
        "ack_wait": int(queue.lease_s * NANOSECONDS),
        "max_deliver": -1,
        "max_ack_pending": ACK_PENDING,
        "replay_policy": "instant",
        "filter_subjects": sorted(subjects),
    }


def widened(current: Config, wanted: Config, key: str) -> Config | None:
    """`wanted`, keeping the subjects under `key` that `current` has beyond it; None if nothing would change.

    Subjects are only ever added: while a new version is rolled out, the old one still uses its own.
    """
    merged = {**wanted, key: sorted({*current.get(key, ()), *wanted[key]})}
    return merged if any(current.get(name) != value for name, value in merged.items()) else None


async def make(names: Names, queues: Sequence[Queue], api: Api) -> None:
    """Make what is missing and mend what differs; doing it twice, or from two processes, is fine."""
    await _make_stream(work_stream(names, queues), api)
    await _make_stream(dead_stream(names), api)
    await asyncio.gather(*(_make_consumer(names, queue, api) for queue in queues))


async def _make_stream(wanted: Config, api: Api) -> None:
    name = wanted["name"]
    info = await api(f"STREAM.INFO.{name}", {})
    if info is None:
        await api(f"STREAM.CREATE.{name}", wanted)
    elif (config := widened(info["config"], wanted, "subjects")) is not None:
        await api(f"STREAM.UPDATE.{name}", config)


async def _make_consumer(names: Names, queue: Queue, api: Api) -> None:
    wanted = consumer(names, queue)
    target = f"{names.work}.{wanted['name']}"
    info = await api(f"CONSUMER.INFO.{target}", {})
    config = widened(info["config"] if info else {}, wanted, "filter_subjects")
    if config is not None:
        await api(f"CONSUMER.CREATE.{target}", {"stream_name": names.work, "config": config, "action": ""})
