"""What lies at a broker, looked at from the side: a tenant's dead letters, and whatever holds given words.

Not part of `Bus`: it needs no right of any service, and opens a connection of its own each time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol
from urllib.parse import urlsplit

from pydantic import SecretStr

from libs.common.bus.packet import Packet
from libs.common.contracts.flow import Queue, queues
from libs.common.contracts.ids import TenantId


class Remains(Protocol):
    """Both methods raise Unavailable where the broker does not answer."""

    async def purge(self, tenant: TenantId) -> int:
        """Remove the tenant's dead letters, of all queues, and no other's; how many there were."""

    async def find(self, words: Sequence[str]) -> Mapping[str, int]:
        """How many messages have one of the words in their headers or body, by where they lie: waiting, put
        off or dead. Nothing is lost by looking.
        """


def remains_at(
    url: SecretStr, *, namespace: str = "mannequin", of: tuple[Queue, ...] | None = None
) -> Remains:
    """At the broker of a URL as `connect` takes it. `of`: the queues to look at, all if None."""
    wanted = queues() if of is None else of
    if urlsplit(url.get_secret_value()).scheme in ("nats", "tls"):
        from libs.common.bus.nats_remains import NatsRemains

        return NatsRemains(url, namespace)
    from libs.common.bus.rabbitmq_remains import RabbitMqRemains

    return RabbitMqRemains(url, namespace, wanted)


def holds(packet: Packet, words: Sequence[bytes]) -> bool:
    """Whether one of the words stands in it."""
    texts = [packet.data, *(value.encode() for value in packet.headers.values())]
    return any(word in text for word in words for text in texts)
