"""Cursors."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.errors import InvalidCursor
from services.gateway.pages import opened, sealed


@given(st.from_regex(r"[0-9A-Za-z_.:+-]{1,64}", fullmatch=True))
def test_a_cursor_opens_to_the_place_that_was_sealed(place: str) -> None:
    """In its own listing."""
    assert opened("batches", sealed("batches", place)) == place


def test_the_end_has_no_cursor() -> None:
    """And no cursor is the beginning."""
    assert sealed("batches", None) is None
    assert opened("batches", None) is None


@given(st.text(max_size=80))
def test_a_made_up_cursor_is_refused_or_harmless(cursor: str) -> None:
    """Nothing but plain characters ever reaches a query."""
    try:
        place = opened("batches", cursor)
    except InvalidCursor:
        return
    assert place is not None
    assert place.isascii()


def test_a_cursor_of_another_listing_is_refused() -> None:
    """It would mean another place there."""
    with pytest.raises(InvalidCursor):
        opened("images", sealed("batches", "7"))
