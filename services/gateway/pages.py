"""Cursors of listings: opaque to callers, and never taken from one listing into another."""

from __future__ import annotations

import base64
import re

from services.gateway.errors import InvalidCursor

_PLACE = re.compile(r"[0-9A-Za-z_.:+-]{1,64}")


def sealed(listing: str, place: str | None) -> str | None:
    """The cursor for a place in a listing; None at its end."""
    if place is None:
        return None
    return base64.urlsafe_b64encode(f"{listing}:{place}".encode()).decode().rstrip("=")


def opened(listing: str, cursor: str | None) -> str | None:
    """The place that `sealed` put into the cursor. InvalidCursor if it did not."""
    if cursor is None:
        return None
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except ValueError as error:
        raise InvalidCursor from error
    name, _, place = text.partition(":")
    if name != listing or not _PLACE.fullmatch(place):
        raise InvalidCursor
    return place
