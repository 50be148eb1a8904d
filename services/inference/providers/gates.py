"""What all calls on one account of a tenant pass, from however many batches and connections they come."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from libs.common.contracts.providers import FaultKind, ProviderName
from services.inference.providers.circuit import Circuit
from services.inference.providers.provider import Account, CallFailed

_TOKENS = 10.0
_TOKENS_FOR_SUCCESS = 0.1


class Budget:
    """Retries allowed in proportion to successes, so that retries can't double the load of a failing server.

    As gRPC's retry throttling (proposal A6): a failure takes a token, a success gives a tenth back, and only
    the upper half of the tokens may be spent on retries.
    """

    def __init__(self, tokens: float = _TOKENS) -> None:
        self._most = self._tokens = tokens

    @property
    def allows(self) -> bool:
        return self._tokens > self._most / 2

    def succeeded(self) -> None:
        self._tokens = min(self._most, self._tokens + _TOKENS_FOR_SUCCESS)

    def failed(self) -> None:
        self._tokens = max(0.0, self._tokens - 1)


class Gate:
    """At most `concurrency` calls at a time, none while the circuit is open, and a budget of retries."""

    def __init__(self, concurrency: int, circuit: Circuit | None = None) -> None:
        self._places = asyncio.Semaphore(concurrency)
        self._circuit = circuit or Circuit()
        self.budget = Budget()

    @asynccontextmanager
    async def call(self) -> AsyncIterator[None]:
        """Around one try. Raises CircuitOpen where nothing may be sent now."""
        async with self._places:
            with self._circuit.trial():
                try:
                    yield
                except CallFailed as failed:
                    self._count(failed)
                    raise
            self.budget.succeeded()

    def _count(self, failed: CallFailed) -> None:
        if failed.fault.kind is FaultKind.PROVIDER:
            self.budget.failed()


class Gates:
    """One gate for each account, for as long as a connection uses it.

    An account is known by a digest under a key of this process, so nothing of its secret is kept here.
    """

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._gates: WeakValueDictionary[bytes, Gate] = WeakValueDictionary()

    def of(self, provider: ProviderName, account: Account, concurrency: int) -> Gate:
        named = [provider.value, sorted(account.settings.items()), sorted(account.secrets.items())]
        digest = hmac.digest(self._key, json.dumps(named).encode(), hashlib.sha256)
        gate = self._gates.get(digest)
        if gate is None:
            gate = self._gates[digest] = Gate(concurrency)
        return gate
