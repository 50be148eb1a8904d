"""How free places are handed out."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from services.webhooks.share import Bounds, EndpointKey, share

BOUNDS = Bounds(total=12, tenant=6, endpoint=3)
KEYS = st.builds(EndpointKey, st.sampled_from("ABCD"), st.sampled_from("1234"))
IN_FLIGHT = st.dictionaries(KEYS, st.integers(1, 3), max_size=6)


def test_a_busy_endpoint_leaves_room_for_others() -> None:
    """Who is at its bound gets nothing, and nobody else pays for it."""
    slow, quick = EndpointKey("A", "slow"), EndpointKey("B", "quick")
    assert share([slow, quick], {slow: 3}, BOUNDS) == {quick: 3}


def test_a_tenant_with_many_endpoints_has_no_more_than_its_own_bound() -> None:
    """Twenty slow receivers of one tenant are still one tenant's."""
    many = [EndpointKey("A", str(n)) for n in range(20)]
    other = EndpointKey("B", "1")
    given_ = share([*many, other], {}, BOUNDS)
    assert sum(number for key, number in given_.items() if key.tenant_id == "A") == 6
    assert given_[other] == 3


def test_who_waits_longest_comes_first_when_places_are_few() -> None:
    """One each before anybody's second."""
    keys = [EndpointKey(tenant, "1") for tenant in "ABC"]
    assert share(keys, {EndpointKey("D", "1"): 10}, BOUNDS) == {keys[0]: 1, keys[1]: 1}


@given(st.lists(KEYS, unique=True, max_size=16), IN_FLIGHT)
def test_no_bound_is_ever_passed(waiting: list[EndpointKey], in_flight: dict[EndpointKey, int]) -> None:
    """And no place stays free that someone could have."""
    given_ = share(waiting, in_flight, BOUNDS)
    endpoints = Counter(in_flight) + Counter(given_)
    tenants = Counter[str]()
    for key, number in endpoints.items():
        tenants[key.tenant_id] += number
    started = Counter(given_).total()
    assert not started or endpoints.total() <= BOUNDS.total
    assert all(
        endpoints[key] <= BOUNDS.endpoint and tenants[key.tenant_id] <= BOUNDS.tenant for key in given_
    )
    left_out = [
        key for key in waiting if endpoints[key] < BOUNDS.endpoint and tenants[key.tenant_id] < BOUNDS.tenant
    ]
    assert not left_out or endpoints.total() >= BOUNDS.total
