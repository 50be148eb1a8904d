"""How a key stands: the pure rules that make health of what probes and real calls say.

    unverified ──good──> healthy ⇄ degraded        provider's faults and the first of quota, with hysteresis
        │                   │          │
        └──────key's fault──┴──────────┴──> failed ──good probe──> recovered ──good, good──> healthy
                                              ▲                        │
                                              └──────key's fault───────┘

- A fault of the request changes nothing, and one of the provider never fails a key.
- A fault of the key fails it at once, seen by a probe or by a real call: every further call may be money or
  an account that gets locked. Only `quota` comes and goes by itself: it degrades first, and fails a key that
  says nothing else `quota_fails_after` times in a row.
- Only a probe brings a failed key back. Nothing is sent on it, so a call that says it works began before.
- What was recovered is on probation until `heal_after` good ones in a row: any fault of the key fails it
  again, and each such relapse doubles the good probes that it takes to recover. So a key whose probes pass
  while its calls are refused does not swing.
- An observation of many calls alike counts once: a burst is one thing that happened, not many.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from libs.common.contracts.credentials import HealthState, ObservedBy
from libs.common.contracts.providers import Fault, FaultCode, FaultKind


@dataclass(frozen=True, slots=True)
class Rules:
    """How many observations in a row it takes."""

    degrade_after: int = 3
    heal_after: int = 2
    quota_fails_after: int = 3
    most_to_recover: int = 16


@dataclass(frozen=True, slots=True)
class Standing:
    """A key's health and the counts behind it.

    good: observations without a fault since the last fault or change. bad: faults of one kind in a row; of a
    failed or recovered key, how often it failed since it was last healthy. first_fault_at: of the key's own.
    """

    state: HealthState
    since: datetime
    checked_at: datetime | None = None
    code: FaultCode | None = None
    detail: str = ""
    good: int = 0
    bad: int = 0
    first_fault_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Observation:
    """What a probe or calls said at a moment; `fault` None: it worked."""

    by: ObservedBy
    at: datetime
    fault: Fault | None = None


RULES = Rules()


def observed(standing: Standing, seen: Observation, rules: Rules = RULES) -> Standing:
    """How the key stands after an observation; the same object where it changes nothing."""
    if standing.checked_at is not None and seen.at < standing.checked_at:
        return standing
    if seen.fault is not None and seen.fault.kind is FaultKind.REQUEST:
        return standing
    if standing.state is HealthState.FAILED:
        return _while_failed(standing, seen, rules)
    if seen.fault is None:
        return _good(standing, seen, rules)
    if seen.fault.kind is FaultKind.PROVIDER:
        return _providers_fault(standing, seen, seen.fault, rules)
    return _keys_fault(standing, seen, seen.fault, rules)


def replaced(standing: Standing, at: datetime, *, good: bool) -> Standing:
    """How the credential stands with another secret, found to work (`good`) or yet to be checked.

    What was held against the old secret is forgotten, but a failed credential still goes through recovered.
    """
    failed = standing.state is HealthState.FAILED
    if not good:
        if failed:
            return replace(standing, good=0, bad=1, checked_at=at)
        return Standing(HealthState.UNVERIFIED, at, at, detail="Its secret was changed and not checked yet.")
    if failed:
        return Standing(HealthState.RECOVERED, at, at)
    since = standing.since if standing.state is HealthState.HEALTHY else at
    return Standing(HealthState.HEALTHY, since, at)


def goods_to_recover(standing: Standing, rules: Rules = RULES) -> int:
    """Good probes in a row that a failed key needs: 1, and twice as many after each relapse."""
    relapses = max(0, standing.bad - 1)
    return int(min(2 ** min(relapses, 16), rules.most_to_recover))


def _while_failed(standing: Standing, seen: Observation, rules: Rules) -> Standing:
    is_keys = seen.fault is not None and seen.fault.kind is FaultKind.KEY
    if seen.by is not ObservedBy.PROBE and not is_keys:
        return standing
    if seen.fault is not None:
        return replace(_told(standing, seen.fault if is_keys else None), checked_at=seen.at, good=0)
    good = standing.good + 1
    if good < goods_to_recover(standing, rules):
        return replace(standing, checked_at=seen.at, good=good)
    return Standing(HealthState.RECOVERED, seen.at, seen.at, bad=standing.bad)


def _good(standing: Standing, seen: Observation, rules: Rules) -> Standing:
    good = standing.good + 1
    heals = standing.state is HealthState.UNVERIFIED or good >= rules.heal_after
    if standing.state is not HealthState.HEALTHY and heals:
        return Standing(HealthState.HEALTHY, seen.at, seen.at)
    if standing.state is HealthState.HEALTHY:
        return Standing(HealthState.HEALTHY, standing.since, seen.at, good=good)
    bad = standing.bad if standing.state is HealthState.RECOVERED else 0
    return replace(standing, checked_at=seen.at, good=good, bad=bad, first_fault_at=None)


def _providers_fault(standing: Standing, seen: Observation, fault: Fault, rules: Rules) -> Standing:
    if standing.state is HealthState.RECOVERED:
        return replace(standing, checked_at=seen.at, good=0)
    noted = _noted(standing, seen, fault)
    if standing.state is HealthState.HEALTHY and noted.bad >= rules.degrade_after:
        return replace(noted, state=HealthState.DEGRADED, since=seen.at)
    return noted


def _keys_fault(standing: Standing, seen: Observation, fault: Fault, rules: Rules) -> Standing:
    if standing.state is HealthState.RECOVERED:
        return _failed(standing, seen, fault, times=standing.bad + 1)
    if fault.code is not FaultCode.QUOTA:
        return _failed(standing, seen, fault, times=1)
    noted = _noted(standing, seen, fault)
    if noted.bad >= rules.quota_fails_after:
        return _failed(noted, seen, fault, times=1)
    if standing.state is HealthState.HEALTHY:
        return replace(noted, state=HealthState.DEGRADED, since=seen.at)
    return noted


def _noted(standing: Standing, seen: Observation, fault: Fault) -> Standing:
    """Counted, with what comes of it still open."""
    again = standing.code is not None and standing.code.kind is fault.kind
    is_keys = fault.kind is FaultKind.KEY
    return replace(
        _told(standing, fault),
        checked_at=seen.at,
        good=0,
        bad=standing.bad + 1 if again else 1,
        first_fault_at=(standing.first_fault_at or seen.at) if is_keys else None,
    )


def _failed(standing: Standing, seen: Observation, fault: Fault, *, times: int) -> Standing:
    return Standing(
        HealthState.FAILED,
        since=seen.at,
        checked_at=seen.at,
        code=fault.code,
        detail=fault.detail,
        bad=times,
        first_fault_at=standing.first_fault_at or seen.at,
    )


def _told(standing: Standing, fault: Fault | None) -> Standing:
    return standing if fault is None else replace(standing, code=fault.code, detail=fault.detail)
