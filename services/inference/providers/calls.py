"""What every call of a provider goes through, so that no adapter has to think of it.

From the outside in: retries (tenacity) within a budget and the time of one call; the account's gate (calls
at a time, circuit breaker); the time-out of the try; the adapter. Nothing but CallFailed comes out, and
nothing of what a provider or a library said about the failure.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    stop_after_attempt,
    stop_before_delay,
    wait_random_exponential,
)

from libs.common.contracts.providers import FaultCode, Limits
from libs.common.telemetry import logger
from services.inference.providers.circuit import CircuitOpen
from services.inference.providers.gates import Gate
from services.inference.providers.provider import CallFailed, Connection, Drawing, Tensors

Answer = TypeVar("Answer")
log = logger("inference.providers")

_TRIES = 3
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.1, 2.0
_PROBE_S = 4.0
_CLOSE_S = 5.0


@dataclass(frozen=True, slots=True)
class Policy:
    """timeout_s: of one try; retries begin only within that time. again: faults that may be tried again."""

    timeout_s: float
    again: frozenset[FaultCode]


_FREE = frozenset({FaultCode.OVERLOADED, FaultCode.UNAVAILABLE, FaultCode.TIMEOUT})
"""Running the model twice changes nothing and costs the tenant's own server some milliseconds."""
_BILLED = frozenset({FaultCode.OVERLOADED})
"""Of a picture that is paid for by the piece, only a call that was turned away is safe to make again."""


class Guarded(Connection):
    """A connection whose calls all go through this layer. See Connection."""

    def __init__(self, inner: Connection, limits: Limits, gate: Gate) -> None:
        self._inner = inner
        self._limits = limits
        self._gate = gate
        self._closed = False

    async def probe(self) -> None:
        policy = Policy(min(_PROBE_S, self._limits.timeout_s), _FREE)
        await self._call(policy, self._inner.probe)

    async def segment(self, inputs: Tensors, outputs: Sequence[str]) -> Tensors:
        self._refuse_large(sum(tensor.nbytes for tensor in inputs.values()))
        policy = Policy(self._limits.timeout_s, _FREE)
        return await self._call(policy, lambda: self._inner.segment(inputs, outputs))

    async def ghost(self, photo: bytes, media_type: str) -> Drawing:
        self._refuse_large(len(photo))
        policy = Policy(self._limits.timeout_s, _BILLED)
        return await self._call(policy, lambda: self._inner.ghost(photo, media_type))

    async def on_model(
        self, photo: bytes, media_type: str, prompt: str, person: bytes | None = None
    ) -> Drawing:
        self._refuse_large(len(photo) + len(person or b""))
        policy = Policy(self._limits.timeout_s, _BILLED)
        return await self._call(policy, lambda: self._inner.on_model(photo, media_type, prompt, person))

    async def close(self) -> None:
        self._closed = True
        await only_call_failed(_CLOSE_S, self._inner.close)

    def _refuse_large(self, size: int) -> None:
        if size > self._limits.max_bytes:
            raise CallFailed(
                FaultCode.BAD_PICTURE, f"the provider takes {self._limits.max_bytes} bytes, this is {size}"
            )

    async def _call(self, policy: Policy, run: Callable[[], Awaitable[Answer]]) -> Answer:
        retrying = AsyncRetrying(
            stop=stop_after_attempt(_TRIES) | stop_before_delay(policy.timeout_s),
            wait=wait_random_exponential(_FIRST_WAIT_S, _LONGEST_WAIT_S),
            retry=lambda state: self._worth_another(policy, state),
            reraise=True,
        )
        return await retrying(self._try, policy, run)

    async def _try(self, policy: Policy, run: Callable[[], Awaitable[Answer]]) -> Answer:
        if self._closed:
            raise CallFailed(FaultCode.UNAVAILABLE, "the connection is closed")
        async with self._gate.call():
            return await only_call_failed(policy.timeout_s, run)

    def _worth_another(self, policy: Policy, state: RetryCallState) -> bool:
        failed = state.outcome.exception() if state.outcome else None
        if not isinstance(failed, CallFailed) or isinstance(failed, CircuitOpen):
            return False
        if failed.fault.code not in policy.again:
            return False
        return self._gate.budget.allows


async def only_call_failed(limit_s: float, run: Callable[[], Awaitable[Answer]]) -> Answer:
    """The answer within `limit_s`. Raises CallFailed and nothing else, without the trail of other errors.

    A library's exception may quote a header or a URL; so what it was is named by its class alone, and it is
    not chained.
    """
    try:
        async with asyncio.timeout(limit_s):
            return await run()
    except CallFailed as failed:
        fault = failed.fault
    except TimeoutError:
        fault = CallFailed(FaultCode.TIMEOUT, f"no answer within {limit_s:g} s").fault
    except Exception as error:  # noqa: BLE001  # see above; what is not sorted is our own mistake
        log.error("providers.unsorted", error=type(error).__name__)
        fault = CallFailed(
            FaultCode.BAD_ANSWER, f"the call failed unexpectedly ({type(error).__name__})"
        ).fault
    raise CallFailed(fault.code, fault.detail)
