"""What the suite asks of a row: a provider's adapter, a server that it speaks to, and accounts there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

import pytest

from libs.common.contracts.providers import Ability, FaultCode, ProviderName
from libs.common.providers import card
from services.inference.providers.calls import Guarded
from services.inference.providers.gates import Gate
from services.inference.providers.provider import Account, Connection
from services.inference.providers.registry import PROVIDERS, open_connection
from services.inference.providers.surroundings import Surroundings
from tests.servers.rogue import Rogue


@dataclass(frozen=True)
class Place:
    """An account, and what the operator says of where its provider is."""

    account: Account
    around: Surroundings


class Subject(Protocol):
    """A server of one provider, as the suite handles it."""

    async def working(self) -> Place:
        """A new account whose calls succeed."""

    async def revoke(self, place: Place) -> None:
        """From now on the server does not know the key of this account."""

    async def silent(self, rogue: Rogue) -> Place:
        """An account whose calls are never answered."""

    def at(self, rogue: Rogue) -> Place:
        """An account whose calls go to the rogue. For rows that are `http`."""


@dataclass(frozen=True)
class Row:
    """One line of the suite.

    subject: made from the fixtures that it asks for. ability: what is called. http: whether it speaks HTTP,
    so that a rogue server can play its part. statuses: what an HTTP status means, where this provider has a
    view of its own. keyed: whether it takes a key at all. another: of a secret, one that nobody was given.
    """

    name: str
    provider: ProviderName
    subject: Callable[[pytest.FixtureRequest], Subject]
    ability: Ability = Ability.SEGMENT
    http: bool = True
    statuses: Mapping[int, FaultCode] = field(default_factory=dict)
    keyed: bool = True
    another: Callable[[str], str] = lambda secret: secret[:-8] + "ABCD2345"


@asynccontextmanager
async def connected(row: Row, place: Place, timeout_s: float | None = None) -> AsyncIterator[Connection]:
    """A connection as the worker gets it, or with a shorter time-out than the card's."""
    if timeout_s is None:
        connection = await open_connection(row.provider, place.account, place.around)
    else:
        limits = card(row.provider).limits.model_copy(update={"timeout_s": timeout_s})
        inner = await PROVIDERS[row.provider](place.around).connect(place.account)
        connection = Guarded(inner, limits, Gate(limits.concurrency))
    try:
        yield connection
    finally:
        await connection.close()
