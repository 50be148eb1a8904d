"""Standings for the tests of routing: plain ones, and any that there can be."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from libs.common.contracts.credentials import HealthState
from libs.common.contracts.ids import CredentialId
from libs.common.contracts.providers import Ability, ProviderName
from libs.common.contracts.routing import PolicyName, RoutingPolicy, WhenUnavailable
from libs.common.contracts.tenants import Plan
from services.batch.routing import Budget, Key, Pause, Platform, Standing, Tried, Work

NOW = datetime(2026, 12, 24, 12, tzinfo=UTC)
PLATFORM = Platform(Decimal("0.012"), "2026-11-24-abc")
EVERYTHING = Plan(name="enterprise", byok=True, fallback=True)
IDS = [CredentialId(f"crd_{n:026d}") for n in range(6)]


def key(number: int = 0, **other: Any) -> Key:
    """A healthy key of 0.02 USD an image; `other` fields than the usual ones."""
    usual = Key(
        id=IDS[number],
        provider=ProviderName.OPEN_INFERENCE,
        label=f"key {number}",
        version=1,
        health=HealthState.HEALTHY,
        abilities=(Ability.SEGMENT,),
        price=Decimal("0.02"),
        most=Decimal("0.02"),
    )
    return replace(usual, **other)


def standing(policy: PolicyName, *keys: Key, plan: Plan = EVERYTHING, **other: Any) -> Standing:
    """A tenant of everything with these keys; `other` fields of its policy."""
    return Standing(PLATFORM, plan, RoutingPolicy(policy=policy, **other), keys)


def capped(cap: str, charged: str = "0", reserved: str = "0") -> Budget:
    return Budget(Decimal(cap), Decimal(charged), Decimal(reserved))


money = st.integers(0, 2000).map(lambda mills: Decimal(mills) / 1000)
maybe_money = st.none() | money
moments = st.sampled_from([NOW - timedelta(days=1), NOW, NOW + timedelta(minutes=1)])
budgets = st.builds(Budget, maybe_money, money, money)
pauses = st.builds(Pause, moments, st.booleans(), st.sampled_from(["", "It is overloaded."]))
limits = st.sampled_from([(), ("eu",), ("eu", "us")])


@st.composite
def keys(draw: st.DrawFn) -> tuple[Key, ...]:
    """Up to four keys, each with an id of its own."""
    found = draw(
        st.lists(
            st.builds(
                Key,
                id=st.sampled_from(IDS),
                provider=st.sampled_from(ProviderName),
                label=st.just("k"),
                version=st.integers(1, 2),
                health=st.sampled_from(HealthState),
                abilities=st.sampled_from([(), (Ability.SEGMENT,), (Ability.GHOST,), tuple(Ability)]),
                price=money,
                most=money,
                enabled=st.booleans() | st.just(True),
                priority=st.integers(-2, 2),
                region=st.sampled_from([None, "eu", "asia"]),
                model=st.sampled_from([None, "eu", "asia"]),
                regions=limits,
                models=limits,
                expires_at=st.none() | moments,
                retires_on=st.none() | st.sampled_from([date(2026, 12, 24), date(2027, 1, 1)]),
                successor=st.sampled_from([None, "newer"]),
                pause=st.none() | pauses,
                budget=budgets,
            ),
            max_size=4,
            unique_by=lambda one: one.id,
        )
    )
    return tuple(found)


plans = st.builds(
    Plan, name=st.just("p"), byok=st.booleans(), fallback=st.booleans(), fallback_monthly_cap=maybe_money
)
policies = st.builds(
    RoutingPolicy,
    policy=st.sampled_from(PolicyName),
    when_unavailable=st.sampled_from(WhenUnavailable),
    fallback_monthly_cap=maybe_money,
)
standings = st.builds(
    Standing,
    platform=st.just(PLATFORM),
    plan=plans,
    policy=policies,
    keys=keys(),
    fallback_charged=money,
    fallback_reserved=money,
)
tried = st.builds(Tried, st.sampled_from(IDS), st.integers(1, 2), st.integers(0, 4))
works = st.builds(Work, st.booleans(), st.lists(tried, max_size=3).map(tuple), st.booleans())
