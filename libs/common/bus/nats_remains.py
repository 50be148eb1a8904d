"""Remains at a NATS server: streams can be read from any place, and messages deleted out of their middle."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import nats
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError
from pydantic import SecretStr

from libs.common.bus.nats import PREFIX
from libs.common.bus.nats_topology import Names
from libs.common.bus.packet import Packet
from libs.common.bus.remains import holds
from libs.common.contracts.ids import TenantId
from libs.common.errors import Unavailable
from libs.common.telemetry import logger

log = logger("bus.nats")
_EVERY = ">"


class NatsRemains:
    """See Remains."""

    def __init__(self, url: SecretStr, namespace: str) -> None:
        self._url = url
        self._names = Names(namespace)

    async def purge(self, tenant: TenantId) -> int:
        """See Remains. What was deleted is overwritten on the disk."""
        removed = 0
        async with self._stream() as js:
            async for sequence, _, packet in _messages(js, self._names.dead):
                if packet.headers.get("tenantid") == tenant:
                    removed += await js.delete_msg(self._names.dead, sequence)
        return removed

    async def find(self, words: Sequence[str]) -> Mapping[str, int]:
        """See Remains."""
        found: Counter[str] = Counter()
        wanted = [word.encode() for word in words]
        async with self._stream() as js:
            for stream in (self._names.work, self._names.dead):
                async for _, subject, packet in _messages(js, stream):
                    found[subject] += holds(packet, wanted)
        return +found

    @asynccontextmanager
    async def _stream(self) -> AsyncIterator[JetStreamContext]:
        try:
            client = await nats.connect(
                self._url.get_secret_value(),
                allow_reconnect=False,
                max_reconnect_attempts=1,
                reconnect_time_wait=0,
                error_cb=_erred,
            )
            try:
                yield client.jetstream()
            finally:
                await client.close()
        except (NatsError, OSError, TimeoutError) as error:
            raise Unavailable(f"NATS: {type(error).__name__}") from error


async def _erred(error: Exception) -> None:
    log.debug("NATS client", error=f"{type(error).__name__} {error}")


async def _messages(js: JetStreamContext, stream: str) -> AsyncIterator[tuple[int, str, Packet]]:
    """All messages that a stream holds now: place, subject and content."""
    try:
        last = (await js.stream_info(stream)).state.last_seq
    except NotFoundError:
        return
    sequence = 0
    while sequence < last:
        try:
            message = await js.get_msg(stream, sequence + 1, subject=_EVERY, next=True)
        except NotFoundError:
            return
        assert message.seq is not None
        sequence = message.seq
        yield (
            sequence,
            message.subject or "",
            Packet.unprefixed(message.headers or {}, message.data or b"", PREFIX),
        )
