"""Deficit round robin: nobody starves, newcomers go first, weights count."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from libs.common.contracts.ids import TenantId
from services.batch.fairness import Demand, FairShare

BIG, SMALL, THIRD = (TenantId.new() for _ in range(3))


def test_a_newcomer_goes_before_a_tenant_with_thousands_waiting() -> None:
    """A few images of a new tenant are the next to be released."""
    shares = FairShare(quantum=8)
    for _ in range(10):
        shares.grant({BIG: Demand(2000)}, 4)

    assert shares.grant({BIG: Demand(2000), SMALL: Demand(5)}, 6) == [(SMALL, 5), (BIG, 1)]


def test_a_tenant_that_trickles_images_does_not_stay_new() -> None:
    """Coming again at once finds the tenant in the old list, behind the one whose turn it is."""
    shares = FairShare(quantum=8)
    shares.grant({BIG: Demand(2000)}, 8)
    shares.grant({BIG: Demand(2000), SMALL: Demand(2)}, 2)

    assert shares.grant({BIG: Demand(2000), SMALL: Demand(2)}, 4) == [(BIG, 4)]


def test_turns_follow_the_weights() -> None:
    """Over many turns a tenant of weight 3 gets three times as much."""
    shares, given_out = FairShare(quantum=4), Counter[TenantId]()
    demands = {BIG: Demand(10_000, weight=3), SMALL: Demand(10_000, weight=1)}
    for _ in range(400):
        for tenant, images in shares.grant(demands, 4):
            given_out[tenant] += images

    assert 2.8 < given_out[BIG] / given_out[SMALL] < 3.2


@given(
    demands=st.dictionaries(
        st.sampled_from([BIG, SMALL, THIRD]),
        st.builds(Demand, st.integers(0, 60), st.integers(1, 5)),
    ),
    rooms=st.lists(st.integers(0, 40), max_size=30),
)
def test_grants_fill_the_room_and_never_exceed_the_demand(
    demands: dict[TenantId, Demand], rooms: list[int]
) -> None:
    """Work-conserving: as much is granted as there is room and demand for, no more."""
    shares = FairShare()
    left = {tenant: demand.ready for tenant, demand in demands.items()}
    for room in rooms:
        now = {tenant: Demand(left[tenant], demands[tenant].weight) for tenant in left}
        grants = shares.grant(now, room)
        assert sum(images for _, images in grants) == min(room, sum(left.values()))
        for tenant, images in grants:
            left[tenant] -= images
        assert all(ready >= 0 for ready in left.values())
