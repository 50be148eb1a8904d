"""Time-outs, retries, the circuit breaker and the number of calls at once, for every adapter alike."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from libs.common.contracts.providers import FaultCode, Limits, ProviderName
from services.inference.providers import calls
from services.inference.providers.calls import Guarded
from services.inference.providers.circuit import Circuit, CircuitOpen
from services.inference.providers.gates import Budget, Gate, Gates
from services.inference.providers.provider import Account, CallFailed, Connection, Drawing, Tensors

LIMITS = Limits(max_bytes=1000, max_side=100, concurrency=2, timeout_s=5)
ONE = {"image": np.zeros(10, np.uint8)}
SECRET = "a secret that a library quotes"


class Scripted(Connection):
    """Gives these outcomes one after the other; the last one stays."""

    def __init__(self, *outcomes: Exception | FaultCode | None) -> None:
        self._outcomes = list(outcomes)
        self.calls = self.at_once = self.most_at_once = 0
        self.go_on = asyncio.Event()
        self.go_on.set()

    async def probe(self) -> None:
        self.calls += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await self.go_on.wait()
        finally:
            self.at_once -= 1
        outcome = self._outcomes.pop(0) if len(self._outcomes) > 1 else self._outcomes[0]
        if isinstance(outcome, FaultCode):
            raise CallFailed(outcome, "as the script says")
        if outcome is not None:
            raise outcome

    async def segment(self, inputs: Tensors, outputs: Sequence[str]) -> Tensors:
        await self.probe()
        return {}

    async def ghost(self, photo: bytes, media_type: str) -> Drawing:
        await self.probe()
        return Drawing(b"", "image/png", "a model")

    async def on_model(
        self, photo: bytes, media_type: str, prompt: str, person: bytes | None = None
    ) -> Drawing:
        return await self.ghost(photo, media_type)

    async def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits for a retry."""
    monkeypatch.setattr(calls, "_FIRST_WAIT_S", 0.0)


def guarded(inner: Connection, gate: Gate | None = None, **limits: Any) -> Guarded:
    changed = LIMITS.model_copy(update=limits)
    return Guarded(inner, changed, gate or Gate(changed.concurrency))


async def code_of(call: Any) -> FaultCode:
    with pytest.raises(CallFailed) as failed:
        await call
    return failed.value.fault.code


@pytest.mark.parametrize("code", [FaultCode.OVERLOADED, FaultCode.UNAVAILABLE])
async def test_a_fault_of_the_provider_is_tried_again(code: FaultCode) -> None:
    """The model's tensors can be sent twice."""
    inner = Scripted(code, code, None)
    assert await guarded(inner).segment(ONE, ["maps"]) == {}
    assert inner.calls == 3


async def test_tries_come_to_an_end() -> None:
    """The third failure is the caller's."""
    inner = Scripted(FaultCode.UNAVAILABLE)
    assert await code_of(guarded(inner).segment(ONE, ["maps"])) is FaultCode.UNAVAILABLE
    assert inner.calls == 3


@pytest.mark.parametrize("code", [c for c in FaultCode if c.kind != "provider"] + [FaultCode.BAD_ANSWER])
async def test_what_would_fail_again_is_not_tried_again(code: FaultCode) -> None:
    """A key that is refused is refused twice, and a lockout may follow."""
    inner = Scripted(code)
    assert await code_of(guarded(inner).segment(ONE, ["maps"])) is code
    assert inner.calls == 1


@pytest.mark.parametrize(("code", "tries"), [(FaultCode.UNAVAILABLE, 1), (FaultCode.OVERLOADED, 3)])
async def test_what_is_paid_by_the_piece_is_asked_for_again_only_if_it_was_turned_away(
    code: FaultCode, tries: int
) -> None:
    """A picture that was made and lost on the way back was paid for."""
    for call in ("ghost", "on_model"):
        inner = Scripted(code)
        prompt = ("a prompt",) if call == "on_model" else ()
        assert await code_of(getattr(guarded(inner), call)(b"photo", "image/png", *prompt)) is code
        assert inner.calls == tries


async def test_retries_stop_when_the_budget_is_used_up() -> None:
    """So that an outage is not doubled by us."""
    gate = Gate(2, Circuit(failures=1000))
    inner = Scripted(FaultCode.UNAVAILABLE)
    for _ in range(10):
        await code_of(guarded(inner, gate).segment(ONE, ["maps"]))
    assert inner.calls < 10 * 3 / 2


def test_successes_fill_the_budget_slowly() -> None:
    """Ten for one retry."""
    budget = Budget(tokens=2)
    budget.failed()
    assert not budget.allows
    for _ in range(9):
        budget.succeeded()
    assert budget.allows


async def test_a_call_that_takes_too_long_is_a_timeout() -> None:
    """And is not tried again, as the time is over."""
    inner = Scripted(None)
    inner.go_on.clear()
    assert await code_of(guarded(inner, timeout_s=0.05).segment(ONE, ["maps"])) is FaultCode.TIMEOUT
    assert (inner.calls, inner.at_once) == (1, 0)


async def test_a_mistake_of_an_adapter_does_not_get_out() -> None:
    """Its text may quote a secret: only its class is named, and it is not chained."""
    with pytest.raises(CallFailed) as failed:
        await guarded(Scripted(RuntimeError(SECRET))).segment(ONE, ["maps"])
    error: BaseException | None = failed.value
    assert "RuntimeError" in str(error)
    while error is not None:
        assert SECRET not in repr(error)
        error = error.__context__ or error.__cause__


async def test_no_more_calls_than_the_limit_are_made_at_once() -> None:
    """Over all connections of the account; the others wait."""
    gate, inner = Gate(2), Scripted(None)
    inner.go_on.clear()
    tasks = [asyncio.create_task(guarded(inner, gate).segment(ONE, ["maps"])) for _ in range(6)]
    for _ in range(20):
        await asyncio.sleep(0)
    assert inner.calls == 2
    inner.go_on.set()
    await asyncio.gather(*tasks)
    assert (inner.calls, inner.most_at_once) == (6, 2)


async def test_a_cancelled_call_gives_its_place_back() -> None:
    """Else an account would run out of places."""
    gate, inner = Gate(1), Scripted(None)
    inner.go_on.clear()
    task = asyncio.create_task(guarded(inner, gate).segment(ONE, ["maps"]))
    for _ in range(5):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    inner.go_on.set()
    async with asyncio.timeout(1):
        await guarded(inner, gate).segment(ONE, ["maps"])


async def test_a_provider_that_keeps_failing_is_left_alone() -> None:
    """The circuit opens: calls fail at once, and nothing is sent."""
    gate, inner = Gate(2, Circuit(failures=3, rest_s=60)), Scripted(FaultCode.UNAVAILABLE)
    connection = guarded(inner, gate)
    for _ in range(3):
        await code_of(connection.ghost(b"photo", "image/png"))
    with pytest.raises(CircuitOpen):
        await connection.segment(ONE, ["maps"])
    assert inner.calls == 3


async def test_after_its_rest_a_provider_is_tried_by_one_call() -> None:
    """Which closes the circuit when it succeeds."""
    circuit = Circuit(failures=1, rest_s=0)
    gate, inner = Gate(2, circuit), Scripted(FaultCode.BAD_ANSWER, None)
    connection = guarded(inner, gate)
    await code_of(connection.ghost(b"photo", "image/png"))
    assert circuit.state == "open"
    inner.go_on.clear()
    trying = asyncio.create_task(connection.ghost(b"photo", "image/png"))
    for _ in range(5):
        await asyncio.sleep(0)
    assert await code_of(connection.ghost(b"photo", "image/png")) is FaultCode.UNAVAILABLE
    inner.go_on.set()
    await trying
    assert (circuit.state, inner.calls) == ("closed", 2)


async def test_a_trial_that_fails_opens_the_circuit_again() -> None:
    """And one that is cancelled leaves the next call to try."""
    circuit = Circuit(failures=1, rest_s=0)
    gate, inner = Gate(2, circuit), Scripted(FaultCode.BAD_ANSWER)
    connection = guarded(inner, gate)
    for _ in range(2):
        await code_of(connection.ghost(b"photo", "image/png"))
        assert circuit.state == "open"
    inner.go_on.clear()
    trying = asyncio.create_task(connection.ghost(b"photo", "image/png"))
    for _ in range(5):
        await asyncio.sleep(0)
    trying.cancel()
    await asyncio.wait({trying})
    inner.go_on.set()
    await code_of(connection.ghost(b"photo", "image/png"))
    assert inner.calls == 4


@pytest.mark.parametrize("code", [FaultCode.REVOKED, FaultCode.BAD_PICTURE])
async def test_faults_of_the_key_or_the_picture_open_no_circuit(code: FaultCode) -> None:
    """The provider is there; a failed key is the vault's to stop."""
    circuit = Circuit(failures=1)
    await code_of(guarded(Scripted(code), Gate(2, circuit)).ghost(b"photo", "image/png"))
    assert circuit.state == "closed"


async def test_what_the_provider_would_not_take_is_not_sent() -> None:
    """The picture's fault, by the card's limit."""
    inner = Scripted(None)
    assert await code_of(guarded(inner).ghost(bytes(1001), "image/png")) is FaultCode.BAD_PICTURE
    assert inner.calls == 0


def test_connections_of_one_account_share_a_gate() -> None:
    """And no others do; a gate goes with its last connection."""
    gates, provider = Gates(), ProviderName.PHOTOROOM
    first = gates.of(provider, Account({}, {"api_key": "one"}), 2)
    assert gates.of(provider, Account({}, {"api_key": "one"}), 2) is first
    assert gates.of(provider, Account({}, {"api_key": "two"}), 2) is not first
    assert gates.of(ProviderName.GOOGLE_VERTEX, Account({}, {"api_key": "one"}), 2) is not first
    assert "one" not in repr(vars(gates))
