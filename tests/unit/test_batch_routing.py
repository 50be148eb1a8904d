"""Whose key pays: what holds for every plan, policy, key and cap there can be."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings

from libs.common.contracts.credentials import HealthState
from libs.common.contracts.providers import Ability, Payer
from libs.common.contracts.routing import PolicyName, RoutingPolicy, WhenUnavailable
from libs.common.contracts.tenants import Plan
from services.batch.routing import (
    FALLBACK,
    MOST_FAULTS,
    Decision,
    Pause,
    Standing,
    Tried,
    Work,
    decide,
    next_month,
)
from tests.unit.routing_samples import EVERYTHING, IDS, NOW, PLATFORM, capped, key, standing, standings, works

ONLY, THEN = PolicyName.BYOK_ONLY, PolicyName.BYOK_THEN_PLATFORM
ANY = settings(max_examples=200, deadline=None)


def said(decision: Decision) -> list[tuple[str | None, int]]:
    """Who takes how many: a key, or None for the platform."""
    return [(share.route.credential_id, share.images) for share in decision.shares]


@ANY
@given(standings, works)
def test_every_image_has_a_route_or_a_reason(stands: Standing, work: Work) -> None:
    """Whatever there is, all images are in the shares or the rest, with words for each."""
    decision = decide(stands, work, 40, NOW)
    assert sum(share.images for share in decision.shares) + decision.rest == 40
    assert all(share.images > 0 and share.route.reason for share in decision.shares)
    assert decision.reason
    assert decision == decide(stands, work, 40, NOW)


@ANY
@given(standings, works)
def test_the_platform_never_computes_where_the_tenant_did_not_say_so(stands: Standing, work: Work) -> None:
    """Only by the policy `platform`; or as a fallback that the policy, the plan and both caps allow."""
    policy = stands.policy
    for share in decide(stands, work, 40, NOW).shares:
        if share.route.payer is Payer.TENANT:
            continue
        assert policy.policy is not ONLY
        assert share.route.fallback is (policy.policy is THEN)
        if share.route.fallback:
            assert stands.plan.fallback
            used = stands.fallback_charged + stands.fallback_reserved + share.images * PLATFORM.price
            caps = (stands.plan.fallback_monthly_cap, policy.fallback_monthly_cap)
            assert all(cap is None or used <= cap for cap in caps)


@ANY
@given(standings, works)
def test_no_share_goes_over_a_cap(stands: Standing, work: Work) -> None:
    """With all that is reserved counted in, at what an image can cost at most."""
    by_id = {one.id: one for one in stands.keys}
    for share in decide(stands, work, 40, NOW).shares:
        budget = stands.fallback if share.account == FALLBACK else None
        if share.route.credential_id is not None:
            assert share.account == share.route.credential_id
            budget = by_id[share.route.credential_id].budget
        if budget is not None and budget.cap is not None:
            assert budget.charged + budget.reserved + share.images * share.most <= budget.cap


@ANY
@given(standings, works)
def test_a_key_is_only_used_while_it_is_fit_for_the_work(stands: Standing, work: Work) -> None:
    """In the plan, enabled, healthy, within its time, region and model, able, rested, and not worn out."""
    by_id = {one.id: one for one in stands.keys}
    worn_out = {(one.credential_id, one.version) for one in work.tried if one.faults >= MOST_FAULTS}
    for share in decide(stands, work, 40, NOW).shares:
        if share.route.credential_id is None:
            continue
        used = by_id[share.route.credential_id]
        assert stands.plan.byok
        assert used.enabled
        assert used.health.usable
        assert used.expires_at is None or used.expires_at > NOW
        assert used.retires_on is None or used.retires_on > NOW.date()
        assert not used.regions or used.region in used.regions
        assert not used.models or used.model in used.models
        assert used.pause is None or used.pause.until <= NOW
        assert (used.id, used.version) not in worn_out
        assert share.route.ability in used.abilities
        assert share.route.ability is Ability.SEGMENT or not work.segment


@ANY
@given(standings, works)
def test_keys_take_in_their_order(stands: Standing, work: Work) -> None:
    """Degraded ones last, then by priority; the platform after all of them."""
    by_id = {one.id: one for one in stands.keys}
    places = [
        (2, 0)
        if share.route.credential_id is None
        else (
            by_id[share.route.credential_id].health is HealthState.DEGRADED,
            -by_id[share.route.credential_id].priority,
        )
        for share in decide(stands, work, 40, NOW).shares
    ]
    assert places == sorted(places)


@ANY
@given(standings, works)
def test_what_the_order_of_the_keys_is_does_not_matter(stands: Standing, work: Work) -> None:
    """Who gets what does not depend on how a database returns its rows."""
    turned = replace(stands, keys=stands.keys[::-1])
    assert said(decide(stands, work, 40, NOW)) == said(decide(turned, work, 40, NOW))


@ANY
@given(standings, works)
def test_what_time_may_open_is_looked_at_in_time(stands: Standing, work: Work) -> None:
    """No image waits for ever behind a pause that is over, or a cap of a month that is."""
    decision = decide(stands, work, 40, NOW)
    ends = [one.pause.until for one in stands.keys if one.pause and one.pause.until > NOW]
    if not decision.rest:
        assert decision.look_at is None
    elif ends or decision.capped:
        assert decision.look_at is not None
        assert NOW < decision.look_at <= min([*ends, next_month(NOW)])


def test_a_tenant_that_set_nothing_is_on_the_platform() -> None:
    """Also with a key of its own: nothing is moved to it unasked."""
    decision = decide(Standing(PLATFORM, keys=(key(),)), Work(), 3, NOW)
    assert said(decision) == [(None, 3)]
    assert decision.shares[0].account is None
    assert not decision.shares[0].route.fallback


def test_a_cap_is_used_to_the_last_image_and_then_the_next_key() -> None:
    """What is reserved counts."""
    first = key(0, priority=1, budget=capped("0.10", "0.03", "0.01"))
    decision = decide(standing(ONLY, first, key(1)), Work(), 10, NOW)
    assert said(decision) == [(IDS[0], 3), (IDS[1], 7)]


def test_a_cap_that_is_reached_falls_back_and_is_told_of() -> None:
    """The reason names the key and the cap."""
    decision = decide(standing(THEN, key(budget=capped("1", "1"))), Work(), 2, NOW)
    assert said(decision) == [(None, 2)]
    assert "monthly cap of your open-inference key 'key 0' is reached" in decision.shares[0].route.reason
    assert [(one.account, one.reached) for one in decision.capped] == [(IDS[0], True)]


def test_a_cap_that_only_reservations_hold_up_is_waited_for() -> None:
    """They may be freed in a second: neither a fallback nor a failure."""
    stands = standing(THEN, key(budget=capped("1", "0.5", "0.5")), when_unavailable=WhenUnavailable.FAIL)
    decision = decide(stands, Work(), 2, NOW)
    assert (said(decision), decision.then) == ([], WhenUnavailable.WAIT)
    assert decision.look_at == NOW + timedelta(seconds=1)
    assert not decision.capped[0].reached


def test_a_short_pause_is_waited_for_and_a_long_one_is_a_failure() -> None:
    """A provider's hiccup moves nothing to the platform; three in a row do."""
    until = NOW + timedelta(seconds=4)
    short = standing(THEN, key(pause=Pause(until, False, "")), when_unavailable=WhenUnavailable.FAIL)
    decision = decide(short, Work(), 1, NOW)
    assert (decision.rest, decision.then, decision.look_at) == (1, WhenUnavailable.WAIT, until)
    long = standing(THEN, key(pause=Pause(until, True, "It is overloaded.")))
    assert said(decide(long, Work(), 1, NOW)) == [(None, 1)]
    assert decide(standing(ONLY, key(pause=Pause(until, True, ""))), Work(), 1, NOW).look_at == until


def test_another_key_takes_over_while_one_rests() -> None:
    """Of the tenant's own keys any that can will do."""
    resting = key(0, priority=5, pause=Pause(NOW + timedelta(seconds=4), False, ""))
    assert said(decide(standing(ONLY, resting, key(1)), Work(), 2, NOW)) == [(IDS[1], 2)]


def test_an_inside_shot_goes_to_a_key_that_segments() -> None:
    """A ghost mannequin of a provider's own making has no place for it."""
    ghost, segment = key(0, priority=9, abilities=(Ability.GHOST,)), key(1)
    assert said(decide(standing(ONLY, ghost, segment), Work(segment=True), 1, NOW)) == [(IDS[1], 1)]
    decision = decide(standing(ONLY, ghost), Work(segment=True), 1, NOW)
    assert (decision.rest, decision.reason) == (
        1,
        "your open-inference key 'key 0' can't segment these images",
    )


def test_what_a_key_failed_three_times_goes_elsewhere() -> None:
    """That version of it: a replaced key is another."""
    worn = Work(tried=(Tried(IDS[0], 1, 3),))
    assert said(decide(standing(THEN, key()), worn, 1, NOW)) == [(None, 1)]
    assert said(decide(standing(THEN, key(version=2)), worn, 1, NOW)) == [(IDS[0], 1)]


def test_a_degraded_key_is_used_after_the_healthy_ones() -> None:
    """Whatever its priority, and with the reason."""
    degraded = key(0, priority=9, health=HealthState.DEGRADED, detail="It is slow.")
    healthy = key(1, budget=capped("0.02"))
    decision = decide(standing(ONLY, degraded, healthy), Work(), 3, NOW)
    assert said(decision) == [(IDS[1], 1), (IDS[0], 2)]
    assert decision.shares[1].route.reason.endswith("is degraded (It is slow)")


@pytest.mark.parametrize(
    "plan", [Plan(byok=True), Plan(byok=True, fallback=True, fallback_monthly_cap=Decimal("0.01"))]
)
def test_no_fallback_that_was_not_bought(plan: Plan) -> None:
    """Neither without the entitlement nor beyond its cap."""
    decision = decide(standing(THEN, key(enabled=False), plan=plan), Work(), 1, NOW)
    assert (said(decision), decision.rest) == ([], 1)
    assert "is disabled" in decision.reason
    assert "falling back" in decision.reason


def test_the_smaller_cap_of_falling_back_holds() -> None:
    """The tenant's own or the plan's."""
    plan = Plan(byok=True, fallback=True, fallback_monthly_cap=Decimal("0.024"))
    stands = standing(THEN, plan=plan, fallback_monthly_cap=Decimal(5))
    assert said(decide(stands, Work(), 9, NOW)) == [(None, 2)]
    own = replace(stands, policy=RoutingPolicy(policy=THEN, fallback_monthly_cap=Decimal("0.012")))
    assert said(decide(own, Work(), 9, NOW)) == [(None, 1)]


def test_what_a_cap_holds_is_looked_at_when_the_month_is_over() -> None:
    """Also in December."""
    decision = decide(standing(ONLY, key(budget=capped("1", "1"))), Work(), 1, NOW)
    assert decision.look_at == datetime(2027, 1, 1, tzinfo=UTC)
    assert next_month(datetime(2026, 2, 28, tzinfo=UTC)) == datetime(2026, 3, 1, tzinfo=UTC)


def test_a_plan_without_keys_uses_none() -> None:
    """Keys that were stored before the plan changed."""
    stands = standing(ONLY, key(), plan=EVERYTHING.model_copy(update={"byok": False}))
    assert decide(stands, Work(), 1, NOW).reason == "your plan does not hold keys of your own"


def test_a_garment_on_a_person_goes_to_a_key_that_draws_or_segments() -> None:
    """Never to one that only makes ghosts; what the drawing key can do is what is asked of it."""
    draws = key(0, abilities=(Ability.GHOST, Ability.ON_MODEL))
    segments, ghosts = key(1), key(2, priority=9, abilities=(Ability.GHOST,))
    (share,) = decide(standing(ONLY, draws, ghosts), Work(on_model=True), 3, NOW).shares
    assert (share.route.credential_id, share.route.ability) == (IDS[0], Ability.ON_MODEL)
    (share,) = decide(standing(ONLY, segments, ghosts), Work(on_model=True), 3, NOW).shares
    assert (share.route.credential_id, share.route.ability) == (IDS[1], Ability.SEGMENT)
    assert decide(standing(ONLY, ghosts), Work(on_model=True), 3, NOW).rest == 3
