"""The circuit breaker of an account: a provider that fails time after time is left alone for a while.

pybreaker keeps the states. Its own `call` takes no coroutine (and holds a lock while it runs), so it is told
the outcome of each call once that is known, and asked for its state before the next.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

from pybreaker import STATE_CLOSED, STATE_OPEN, CircuitBreaker, CircuitBreakerError, CircuitMemoryStorage

from libs.common.contracts.providers import FaultCode, FaultKind
from services.inference.providers.provider import CallFailed

FAILURES = 5
REST_S = 15.0


class CircuitOpen(CallFailed):
    """Nothing was sent: the provider failed several times in a row and is given a rest."""

    def __init__(self) -> None:
        super().__init__(
            FaultCode.UNAVAILABLE, "the provider failed several times in a row; it is given a rest"
        )


class Circuit:
    """Opens after `failures` faults of the provider in a row; `rest_s` later one call at a time tries again.

    Faults of the key or of the request count as answers: the provider is there.
    """

    def __init__(self, failures: int = FAILURES, rest_s: float = REST_S) -> None:
        self._storage = CircuitMemoryStorage(STATE_CLOSED)
        self._breaker = CircuitBreaker(failures, rest_s, state_storage=self._storage)
        self._trying = False

    @property
    def state(self) -> str:
        """`closed`, `open` or `half-open`."""
        return self._breaker.current_state

    @contextmanager
    def trial(self) -> Iterator[None]:
        """Around a call. Raises CircuitOpen where none may be made now."""
        probing = self._admit()
        try:
            yield
        except CallFailed as failed:
            self._count(failed)
            raise
        else:
            self._breaker_hears(None)
        finally:
            self._trying = self._trying and not probing

    def _admit(self) -> bool:
        """Whether the call is the one that tries a provider which had failed."""
        if self.state == STATE_CLOSED:
            return False
        if self._trying or self._resting():
            raise CircuitOpen
        self._breaker.half_open()
        self._trying = True
        return True

    def _resting(self) -> bool:
        opened = self._storage.opened_at
        rest = timedelta(seconds=self._breaker.reset_timeout)
        return self.state == STATE_OPEN and opened is not None and datetime.now(UTC) < opened + rest

    def _count(self, failed: CallFailed) -> None:
        self._breaker_hears(failed if failed.fault.kind is FaultKind.PROVIDER else None)

    def _breaker_hears(self, failed: CallFailed | None) -> None:
        """What came of a call. While open, calls that began before that have no say."""

        def outcome() -> None:
            if failed is not None:
                raise failed

        if self.state != STATE_OPEN:
            with suppress(CircuitBreakerError, CallFailed):
                self._breaker.call(outcome)
