"""What tenants bring in and what they cost: sums over the charges, by the prices of their present plans."""

from __future__ import annotations

import calendar
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from libs.common.bus.bus import Delivery
from libs.common.contracts.quotas import (
    GetMargins,
    ListTenantUsage,
    Margins,
    TenantUsage,
    TenantUsagePage,
)
from libs.common.contracts.tenants import Prices
from libs.common.db import Database, Row
from services.batch import accounts
from services.batch.quotas.store import sql
from services.batch.usage import MOST_DAYS, period

_CENT = Decimal("0.000001")
_SHARE = Decimal("0.0001")
_ALL = 1_000_000_000


class MarginReports:
    """The use cases: of all tenants at once, so for the platform alone."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list_usage(self, delivery: Delivery) -> TenantUsagePage:
        """A page of tenants, by id. InvalidPeriod."""
        query = delivery.message
        assert isinstance(query, ListTenantUsage)
        rows = await self._rows(query, query.limit + 1)
        items = tuple(usage(row, query.start, query.end) for row in rows[: query.limit])
        cursor = items[-1].tenant_id if len(rows) > query.limit else None
        return TenantUsagePage(start=query.start, end=query.end, items=items, next_cursor=cursor)

    async def margins(self, delivery: Delivery) -> Margins:
        """All tenants together. InvalidPeriod."""
        query = delivery.message
        assert isinstance(query, GetMargins)
        rows = await self._rows(ListTenantUsage(start=query.start, end=query.end), _ALL)
        return total([usage(row, query.start, query.end) for row in rows], query.start, query.end)

    async def _rows(self, query: ListTenantUsage, limit: int) -> list[Row]:
        first, after = period(query.start, query.end, MOST_DAYS)
        async with self._database.platform("usage and margins of tenants") as tx:
            return await tx.fetch(sql.tenant_usage, first, after, query.tenant_id, query.cursor, limit)


def usage(row: Row, start: date, end: date) -> TenantUsage:
    """One tenant's row with what it brings in."""
    plan = accounts.plan(row)
    known: datetime | None = row["known_since"]
    first = max(start, known.astimezone(UTC).date()) if known else start
    counted = {name: row[name] for name in TenantUsage.model_fields if name in row.keys()}  # noqa: SIM118
    income = monthly_fee(plan.prices.monthly, first, end) + image_fees(
        plan.prices, row["images_platform"], row["images_own_key"], row["images_fallback"]
    )
    counted |= {"plan": plan.name, "revenue": income, "margin": income - row["cost_platform"]}
    return TenantUsage(**counted)


def image_fees(prices: Prices, platform: int, own_key: int, fallback: int) -> Decimal:
    """What images are sold for."""
    return (
        prices.image_platform * platform + prices.image_own_key * own_key + prices.image_fallback * fallback
    )


def monthly_fee(monthly: Decimal, start: date, end: date) -> Decimal:
    """The share of the monthly price that the days from `start` to `end`, both included, come to."""
    fee, day = Decimal(0), start
    while day <= end:
        days = calendar.monthrange(day.year, day.month)[1]
        last = min(end, day.replace(day=days))
        fee += monthly * ((last - day).days + 1) / days
        day = last + timedelta(days=1)
    return fee.quantize(_CENT)


def total(tenants: Iterable[TenantUsage], start: date, end: date) -> Margins:
    """The sum of the tenants."""
    tenants = list(tenants)
    revenue = sum((one.revenue for one in tenants), Decimal(0))
    margin = sum((one.margin for one in tenants), Decimal(0))
    return Margins(
        start=start,
        end=end,
        tenants=len(tenants),
        images_platform=sum(one.images_platform for one in tenants),
        images_own_key=sum(one.images_own_key for one in tenants),
        images_fallback=sum(one.images_fallback for one in tenants),
        test_images=sum(one.test_images for one in tenants),
        cost_platform=sum((one.cost_platform for one in tenants), Decimal(0)),
        cost_tenant=sum((one.cost_tenant for one in tenants), Decimal(0)),
        revenue=revenue,
        margin=margin,
        margin_share=(margin / revenue).quantize(_SHARE) if revenue else None,
    )
