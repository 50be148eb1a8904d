"""Conditional and range requests of one stored result (RFC 9110, sections 13 and 14)."""

from __future__ import annotations

import re
from typing import NamedTuple

from starlette.datastructures import Headers

from services.gateway.errors import RangeNotSatisfiable

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


class Span(NamedTuple):
    """Bytes [start, end)."""

    start: int
    end: int


def unchanged(headers: Headers, etag: str) -> bool:
    """Whether If-None-Match names the entity tag, so that 304 is the answer."""
    given = [tag.strip().removeprefix("W/") for tag in headers.get("if-none-match", "").split(",")]
    return etag in given or "*" in given


def asked_span(headers: Headers, etag: str, size: int) -> Span | None:
    """The one range that is asked for, or None for the whole. RangeNotSatisfiable.

    Several ranges, other units, and an If-Range that names another version are all answered with the whole,
    as the RFC allows.
    """
    found = _RANGE.fullmatch(headers.get("range", "").replace(" ", ""))
    if found is None or found[0] == "bytes=-" or headers.get("if-range", etag) != etag:
        return None
    first, last = found.groups()
    if not first:
        span = Span(max(0, size - int(last)), size)
    else:
        span = Span(int(first), min(int(last) + 1, size) if last else size)
    if last and first and int(last) < int(first):
        return None
    if span.start >= span.end:
        raise RangeNotSatisfiable(size)
    return span
