"""Which version of a tenant's own models serves after each call."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.contracts.custom_models import ModelRollout
from services.inference.custom.errors import CardUnreadable, NothingToRollBack
from services.inference.custom.rollout_rules import rolled_back, rolled_out, without
from services.inference.custom.service import completed_card
from services.inference.models.card import ModelCard

VERSIONS = st.sampled_from(["a", "b", "c"])
SHARES = st.sampled_from([0.1, 0.5, 1.0])
CARD = {"input": {"height": 64, "width": 48}, "output": {"stride": 2, "channels": ["background", "garment"]}}


def test_a_version_is_tried_made_live_and_brought_back() -> None:
    """The whole way, step by step."""
    tried = rolled_out(ModelRollout(), "a", 0.1)
    assert (tried.live, tried.canary, tried.canary_share) == (None, "a", 0.1)
    assert rolled_back(tried) == ModelRollout()
    live = rolled_out(tried, "a", 1)
    assert live == ModelRollout(live="a")
    second = rolled_out(rolled_out(live, "b", 0.5), "b", 1)
    assert second == ModelRollout(live="b", previous="a")
    assert rolled_back(second) == ModelRollout(live="a")
    assert rolled_back(rolled_back(second)) == ModelRollout()
    with pytest.raises(NothingToRollBack):
        rolled_back(ModelRollout())


@given(st.lists(st.tuples(VERSIONS, SHARES), max_size=8))
def test_rolling_back_ends_at_the_platforms_own_model(calls: list[tuple[str, float]]) -> None:
    """However it came to where it is, in a few steps, none of which leaves a try without a share."""
    now = ModelRollout()
    for version, share in calls:
        now = rolled_out(now, version, share)
        assert (now.canary is None) == (now.canary_share == 0)
    for _ in range(3):
        if now == ModelRollout():
            break
        now = rolled_back(now)
    assert now == ModelRollout()


@given(st.lists(st.tuples(VERSIONS, SHARES), max_size=8), st.frozensets(VERSIONS))
def test_nothing_that_was_deleted_serves(calls: list[tuple[str, float]], gone: frozenset[str]) -> None:
    """Nor comes back."""
    now = ModelRollout()
    for version, share in calls:
        now = rolled_out(now, version, share)
    left = without(now, gone)
    assert not {left.live, left.canary, left.previous} & gone
    assert (left.canary is None) == (left.canary_share == 0)


def test_a_card_is_completed() -> None:
    """Name, version and file are ours to say."""
    card = ModelCard.model_validate(completed_card("knitwear", "ab" * 32, CARD))
    assert card.label == "knitwear@" + "ab" * 8
    assert card.files["fp32"].sha256 == "ab" * 32


@pytest.mark.parametrize(
    ("card", "names"),
    [
        ({}, "input"),
        ({**CARD, "files": {}}, "files"),
        ({**CARD, "input": {"height": 63, "width": 48}}, "height"),
        ({**CARD, "output": {"channels": ["body"]}}, "garment"),
    ],
)
def test_a_card_that_can_not_be_used_is_refused(card: dict[str, object], names: str) -> None:
    """By what is wrong with it."""
    with pytest.raises(CardUnreadable, match=names):
        completed_card("knitwear", "ab" * 32, card)
