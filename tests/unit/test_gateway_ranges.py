"""Conditional and range requests by RFC 9110."""

from __future__ import annotations

import pytest
from starlette.datastructures import Headers

from services.gateway.errors import RangeNotSatisfiable
from services.gateway.ranges import Span, asked_span, unchanged

ETAG = '"abc"'


@pytest.mark.parametrize(
    ("asked", "span"),
    [
        ("bytes=0-9", Span(0, 10)),
        ("bytes=90-", Span(90, 100)),
        ("bytes=90-1000", Span(90, 100)),
        ("bytes=-10", Span(90, 100)),
        ("bytes=-1000", Span(0, 100)),
        ("bytes=0-0", Span(0, 1)),
    ],
)
def test_one_range_is_a_span(asked: str, span: Span) -> None:
    """Cut to what there is."""
    assert asked_span(Headers({"range": asked}), ETAG, 100) == span


@pytest.mark.parametrize("asked", ["", "bytes=-", "bytes=0-1,5-6", "items=0-1", "bytes=9-5", "bytes=a-b"])
def test_what_is_no_single_range_is_answered_with_the_whole(asked: str) -> None:
    """As the RFC allows, rather than an error."""
    assert asked_span(Headers({"range": asked}), ETAG, 100) is None


@pytest.mark.parametrize("asked", ["bytes=100-", "bytes=500-600", "bytes=-0"])
def test_a_range_outside_is_refused(asked: str) -> None:
    """With the size, for the Content-Range of the answer."""
    with pytest.raises(RangeNotSatisfiable) as refused:
        asked_span(Headers({"range": asked}), ETAG, 100)
    assert refused.value.size == 100


def test_if_range_of_another_version_gives_the_whole() -> None:
    """Half of an old file and half of a new one would be neither."""
    assert asked_span(Headers({"range": "bytes=0-9", "if-range": '"old"'}), ETAG, 100) is None
    assert asked_span(Headers({"range": "bytes=0-9", "if-range": ETAG}), ETAG, 100) == Span(0, 10)


@pytest.mark.parametrize(
    ("given", "same"),
    [(ETAG, True), (f'W/{ETAG}, "x"', True), ('"x", "y"', False), ("*", True), ("", False)],
)
def test_if_none_match_is_compared_weakly(given: str, same: bool) -> None:
    """RFC 9110, 13.1.2."""
    assert unchanged(Headers({"if-none-match": given} if given else {}), ETAG) is same
