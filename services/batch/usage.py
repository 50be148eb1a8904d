"""What was paid, by whom, and what that saved the platform: sums over the charges."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from libs.common.contracts.ids import TenantId
from libs.common.contracts.routing import (
    GetSavings,
    GetUsage,
    SavingsReport,
    SavingsRow,
    UsageGroup,
    UsageReport,
    UsageRow,
)
from libs.common.db import Database, Row
from services.batch.errors import InvalidPeriod
from services.batch.store import routes

MOST_DAYS, _MOST_SAVINGS_DAYS = 366, 3_660
_ZERO = Decimal(0)
_SHARE = Decimal("0.0001")


class Reports:
    """The use cases."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def usage(self, query: GetUsage, tenant: TenantId) -> UsageReport:
        """InvalidPeriod."""
        days = period(query.start, query.end, MOST_DAYS)
        wanted = [
            group in query.group_by for group in (UsageGroup.DAY, UsageGroup.PROVIDER, UsageGroup.PAYER)
        ]
        async with self._database.tenant(tenant) as tx:
            rows = [_usage(row) for row in await tx.fetch(routes.usage, tenant, *days, *wanted)]
        return UsageReport(start=query.start, end=query.end, rows=tuple(rows), total=usage_total(rows))

    async def savings(self, query: GetSavings, tenant: TenantId) -> SavingsReport:
        """InvalidPeriod."""
        days = period(query.start, query.end, _MOST_SAVINGS_DAYS)
        async with self._database.tenant(tenant) as tx:
            rows = [_savings(row) for row in await tx.fetch(routes.savings, tenant, *days)]
        return SavingsReport(rows=tuple(rows), total=savings_total(rows, query.start.replace(day=1)))


def period(start: date, end: date, most_days: int) -> tuple[datetime, datetime]:
    """From the first moment of `start` up to the last of `end` (UTC)."""
    if end < start:
        raise InvalidPeriod
    if (end - start).days >= most_days:
        raise InvalidPeriod(f"a report takes {most_days:,} days at most; ask for fewer")
    first, last = (datetime.combine(day, time(), UTC) for day in (start, end))
    return first, last + timedelta(days=1)


def _usage(row: Row) -> UsageRow:
    fields = {name: row[name] for name in ("day", "provider", "payer", "images", "cost", "platform_cost")}
    return UsageRow(**fields, compute_seconds=Decimal(row["compute_ms"]) / 1000)


def usage_total(rows: Iterable[UsageRow]) -> UsageRow:
    """The sum of the rows."""
    rows = list(rows)
    return UsageRow(
        images=sum(row.images for row in rows),
        compute_seconds=sum((row.compute_seconds for row in rows), _ZERO),
        cost=sum((row.cost for row in rows), _ZERO),
        platform_cost=sum((row.platform_cost for row in rows), _ZERO),
    )


def _savings(row: Row) -> SavingsRow:
    return SavingsRow(**row, moved_share=moved_share(row["without_byok"], row["with_byok"]))


def moved_share(without_byok: Decimal, with_byok: Decimal) -> Decimal | None:
    """Of the platform's cost, what the tenant's own keys took over; None where there was nothing to take."""
    return (1 - with_byok / without_byok).quantize(_SHARE) if without_byok else None


def savings_total(rows: Sequence[SavingsRow], month: date) -> SavingsRow:
    """The sum of the rows; `month` is the first of the period."""
    without_byok = sum((row.without_byok for row in rows), _ZERO)
    with_byok = sum((row.with_byok for row in rows), _ZERO)
    return SavingsRow(
        month=month,
        images=sum(row.images for row in rows),
        byok_images=sum(row.byok_images for row in rows),
        without_byok=without_byok,
        with_byok=with_byok,
        moved_share=moved_share(without_byok, with_byok),
    )
