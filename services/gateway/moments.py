"""Moments in requests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime


def _in_utc(moment: datetime) -> datetime:
    """The first and the last hours that a datetime can hold may lie outside of it in UTC."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("that moment is too far away") from None


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""With an offset, as RFC 3339 has it; in UTC from here on."""
