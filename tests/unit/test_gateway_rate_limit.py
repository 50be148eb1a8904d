"""Token buckets, by a clock that the test turns."""

from __future__ import annotations

from libs.common.contracts.ids import ApiKeyId
from services.gateway.rate_limit import TokenBuckets


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_passes_and_the_next_request_waits() -> None:
    """What is left and when to come again is told."""
    clock = Clock()
    buckets, key = TokenBuckets(2, 3, clock=clock), ApiKeyId.new()
    admitted = [buckets.admit(key) for _ in range(4)]
    assert [admission.passes for admission in admitted] == [True, True, True, False]
    assert [admission.remaining for admission in admitted] == [2, 1, 0, 0]
    assert admitted[-1].retry_after == 1
    assert admitted[-1].reset == 2


def test_tokens_grow_back_at_the_rate_and_never_past_the_burst() -> None:
    """Half a second at two a second is one token; a day is no more than the burst."""
    clock = Clock()
    buckets, key = TokenBuckets(2, 3, clock=clock), ApiKeyId.new()
    for _ in range(3):
        buckets.admit(key)
    clock.now += 0.5
    assert buckets.admit(key).passes
    assert not buckets.admit(key).passes
    clock.now += 86_400
    assert buckets.admit(key).remaining == 2


def test_each_key_has_a_bucket_of_its_own() -> None:
    """One that is empty takes nothing from another."""
    buckets, busy, calm = TokenBuckets(1, 1, clock=Clock()), ApiKeyId.new(), ApiKeyId.new()
    buckets.admit(busy)
    assert not buckets.admit(busy).passes
    assert buckets.admit(calm).passes


def test_the_policy_names_quota_and_window() -> None:
    """As draft-ietf-httpapi-ratelimit-headers writes it."""
    assert TokenBuckets(100, 500).policy == '"key";q=500;w=5'
