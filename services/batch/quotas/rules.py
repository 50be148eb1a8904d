"""Whether there is room, and what the room is. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from libs.common.contracts.quotas import (
    TEST_IMAGES_A_DAY,
    QuotaEffect,
    QuotaHit,
    QuotaName,
    QuotaUse,
)
from libs.common.contracts.tenants import Quotas
from libs.common.quotas import next_day, next_month


@dataclass(frozen=True, slots=True)
class Taken:
    """Images of this month: `used` are on the bill, `reserved` under way or kept for uploads.

    `tests`: test images sent today, or kept for uploads.
    """

    used: int = 0
    reserved: int = 0
    tests: int = 0


def month_hit(quotas: Quotas, taken: Taken, needed: int, now: datetime) -> QuotaHit | None:
    """The month's limit, if `needed` images more go beyond it. Nothing needed is never too much."""
    limit, total = quotas.images_month, taken.used + taken.reserved
    if limit is None or not needed or total + needed <= limit:
        return None
    resets_at = next_month(now)
    return QuotaHit(what=QuotaName.IMAGES_MONTH, limit=limit, used=total, needed=needed, resets_at=resets_at)


def day_hit(taken: Taken, needed: int, now: datetime) -> QuotaHit | None:
    """The day's limit of test keys, if `needed` images more go beyond it."""
    if not needed or taken.tests + needed <= TEST_IMAGES_A_DAY:
        return None
    return QuotaHit(
        what=QuotaName.TEST_IMAGES_DAY,
        limit=TEST_IMAGES_A_DAY,
        used=taken.tests,
        needed=needed,
        resets_at=next_day(now),
    )


def archive_hit(quotas: Quotas, *, size: int, photos: int) -> QuotaHit | None:
    """The limit of one archive that this one goes beyond; `size` in bytes."""
    for what, limit, needed in (
        (QuotaName.ARCHIVE_BYTES, quotas.archive_bytes, size),
        (QuotaName.ARCHIVE_ITEMS, quotas.archive_items, photos),
    ):
        if limit is not None and needed > limit:
            return QuotaHit(what=what, limit=limit, used=0, needed=needed)
    return None


def count_hit(quotas: Quotas, taken: Taken, needed: int, now: datetime, *, test: bool) -> QuotaHit | None:
    """The limit on images that holds for a key of this kind."""
    return day_hit(taken, needed, now) if test else month_hit(quotas, taken, needed, now)


def effect(quotas: Quotas, taken: Taken, needed: int, hit: QuotaHit | None, now: datetime) -> QuotaEffect:
    """What a batch would take; `hit` is that of its archive, if there is one."""
    hit = hit or month_hit(quotas, taken, needed, now)
    return QuotaEffect(
        limit=quotas.images_month,
        used=taken.used,
        reserved=taken.reserved,
        needed=needed,
        fits=hit is None,
        resets_at=next_month(now),
        hit=hit,
    )


def uses(quotas: Quotas, taken: Taken, under_way: int, now: datetime) -> tuple[QuotaUse, ...]:
    """Every limit; `under_way`: images that workers have now."""
    return (
        QuotaUse(
            name=QuotaName.IMAGES_MONTH,
            limit=quotas.images_month,
            used=taken.used,
            reserved=taken.reserved,
            resets_at=next_month(now),
        ),
        QuotaUse(name=QuotaName.CONCURRENT_ITEMS, limit=quotas.concurrent_items, used=under_way),
        QuotaUse(name=QuotaName.ARCHIVE_BYTES, limit=quotas.archive_bytes),
        QuotaUse(name=QuotaName.ARCHIVE_ITEMS, limit=quotas.archive_items),
        QuotaUse(name=QuotaName.RETENTION_DAYS, limit=quotas.retention_days),
        QuotaUse(
            name=QuotaName.TEST_IMAGES_DAY,
            limit=TEST_IMAGES_A_DAY,
            used=taken.tests,
            resets_at=next_day(now),
        ),
    )
