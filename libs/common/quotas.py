"""A limit that was hit, as the refusal that tells of it: what, how much, and when it begins anew."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import ceil

from libs.common.contracts.quotas import QuotaHit, QuotaName
from libs.common.errors import NotBought, Refusal, TooOften

QUOTA_EXCEEDED, TEST_QUOTA_EXCEEDED = "quota_exceeded", "test_quota_exceeded"


def exceeded(hit: QuotaHit, now: datetime) -> Refusal:
    """402 for a limit of the plan, 429 for that of test keys, which is there again tomorrow."""
    if hit.what is QuotaName.TEST_IMAGES_DAY:
        refusal: Refusal = TooOften(sentence(hit), code=TEST_QUOTA_EXCEEDED)
        if hit.resets_at is not None:
            refusal.retry_after = max(1, ceil((hit.resets_at - now).total_seconds()))
    else:
        refusal = NotBought(sentence(hit), code=QUOTA_EXCEEDED)
    refusal.quota = hit
    return refusal


def archive_too_large(limit: int, size: int) -> Refusal:
    """The refusal of an archive of `size` bytes, as far as it is known, that the plan does not take."""
    hit = QuotaHit(what=QuotaName.ARCHIVE_BYTES, limit=limit, used=0, needed=size)
    return exceeded(hit, datetime.now(UTC))


def sentence(hit: QuotaHit) -> str:
    """The hit in words."""
    match hit.what:
        case QuotaName.ARCHIVE_BYTES:
            return f"Your plan takes archives of at most {hit.limit:,} bytes."
        case QuotaName.ARCHIVE_ITEMS:
            return f"Your plan takes archives of at most {hit.limit:,} photos; this one holds {hit.needed:,}."
        case QuotaName.TEST_IMAGES_DAY:
            left = f"{hit.used:,} were sent and this needs {hit.needed:,} more"
            return f"Test keys render at most {hit.limit:,} images a day; {left}. {_resets(hit)}"
        case _:
            left = f"{hit.used:,} are used or under way and this needs {hit.needed:,} more"
            return f"Your plan holds {hit.limit:,} images a month; {left}. {_resets(hit)}"


def _resets(hit: QuotaHit) -> str:
    if hit.resets_at is None:
        return ""
    return f"The count begins anew at {hit.resets_at:%Y-%m-%d %H:%M} UTC."


def next_month(now: datetime) -> datetime:
    """The first moment (UTC) of the month after."""
    first = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (first + timedelta(days=32)).replace(day=1)


def next_day(now: datetime) -> datetime:
    """The first moment (UTC) of the day after."""
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
