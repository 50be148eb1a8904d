"""Reports of charges: their days, their groups, and JSON or CSV."""

from __future__ import annotations

import csv
import io
from datetime import date
from decimal import Decimal

import pytest

from libs.common.contracts.providers import Payer, ProviderName
from libs.common.contracts.routing import UsageGroup, UsageReport, UsageRow
from services.gateway.routes.usage import a_year_before
from services.gateway.usage_csv import prefers_csv, usage_csv
from tests.unit.test_gateway_problems import client

ROW = UsageRow(
    day=date(2026, 3, 1),
    provider=ProviderName.ONNX,
    payer=Payer.PLATFORM,
    images=3,
    compute_seconds=Decimal("1.5"),
    cost=Decimal("0.036000"),
    platform_cost=Decimal("0.036000"),
)
REPORT = UsageReport(start=ROW.day or date.min, end=ROW.day or date.min, rows=(ROW,), total=ROW)


@pytest.mark.parametrize(
    ("accept", "csv_wanted"),
    [
        ("", False),
        ("*/*", False),
        ("text/csv", True),
        ("text/csv, application/json;q=0.5", True),
        ("application/json, text/csv;q=0.9", False),
        ("text/csv, */*;q=0.1", True),
        ("text/*", True),
        ("text/html, application/*;q=0.8", False),
        ("text/csv;q=nonsense", False),
    ],
)
def test_the_accept_header_chooses_csv_only_where_it_ranks_it_first(accept: str, csv_wanted: bool) -> None:
    """As RFC 9110 ranks media types."""
    assert prefers_csv(accept) is csv_wanted


def test_csv_has_a_column_for_each_group_and_money_to_the_last_digit() -> None:
    """So that a sheet of somebody else adds up to the same."""
    (line,) = csv.DictReader(io.StringIO(usage_csv(REPORT, (UsageGroup.PAYER, UsageGroup.DAY))))
    assert list(line)[:2] == ["payer", "day"]
    assert (line["cost"], line["images"], line["currency"]) == ("0.036000", "3", "USD")
    assert "provider" not in line


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [
        ("from=2026-03-02&to=2026-03-01", "invalid_period", "from"),
        ("from=2024-01-01&to=2026-01-01", "invalid_period", "from"),
        ("from=yesterday", "invalid", "from"),
        ("group_by=colour", "invalid", "group_by"),
        ("format=xml", "invalid", "format"),
    ],
)
async def test_a_period_or_a_group_that_can_not_be_is_refused(query: str, code: str, field: str) -> None:
    """By the name that it has in the query."""
    async with client() as http:
        response = await http.get(f"/api/v1/usage?{query}")
    problem = response.json()
    assert (response.status_code, problem["code"], problem["field"]) == (422, code, field)


@pytest.mark.parametrize(
    ("end", "start"),
    [
        (date(2026, 11, 24), date(2025, 12, 1)),
        (date(2026, 12, 31), date(2026, 1, 1)),
        (date(2024, 2, 29), date(2023, 3, 1)),
        (date(1, 1, 1), date(1, 1, 1)),
    ],
)
def test_savings_show_twelve_months_to_the_last_one(end: date, start: date) -> None:
    """Whole ones, over the turn of the year and at the beginning of time."""
    assert a_year_before(end) == start
