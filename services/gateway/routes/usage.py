"""What was computed on whose account, and what that came to."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated

from fastapi import Header, Query
from fastapi.responses import JSONResponse, Response

from libs.common.contracts import routing as contract
from libs.common.contracts.access import Permission
from libs.common.contracts.routing import UsageGroup
from services.gateway import byok_examples, responses
from services.gateway.auth.guard import guarded_router, needs
from services.gateway.byok_views import Savings, Usage, today
from services.gateway.errors import InvalidPeriod
from services.gateway.gateway import Asking
from services.gateway.usage_csv import CSV, prefers_csv, usage_csv

router = guarded_router(prefix="/api/v1", tags=["Routing and usage"])

MOST_DAYS = 366
REPORT_S = 20.0
_GROUP = "(day|provider|payer)"
First = Annotated[date | None, Query(alias="from", description="The first day (UTC).")]
Last = Annotated[date | None, Query(alias="to", description="The last day (UTC); today if absent.")]


class ReportFormat(StrEnum):
    """How a report is written."""

    JSON = "json"
    CSV = "csv"


@router.get(
    "/usage",
    summary="Get the charges",
    response_model=Usage,
    responses={
        200: {"content": {CSV: {"schema": {"type": "string"}, "example": byok_examples.USAGE_CSV}}},
        **responses.errors(),
    },
    openapi_extra=needs(Permission.USAGE_READ),
)
async def get_usage(
    ask: Asking,
    first: First = None,
    last: Last = None,
    group_by: Annotated[
        str,
        Query(
            max_length=40,
            pattern=f"^{_GROUP}(,{_GROUP}){{0,2}}$",
            description="What to sum up by: any of day, provider and payer, with commas between.",
        ),
    ] = "day,provider,payer",
    format: Annotated[  # noqa: A002  # the name that it has in the query
        ReportFormat | None, Query(description="Goes before the Accept header.")
    ] = None,
    accept: Annotated[str, Header(include_in_schema=False)] = "",
) -> Response:
    """Images, seconds of computing and cost, of the present month unless days are given, at most 366 of them.
    As JSON, or as CSV where `format` or the Accept header asks for it.
    """
    end = last or today()
    start = first or end.replace(day=1)
    check_period(start, end)
    groups = tuple(dict.fromkeys(map(UsageGroup, group_by.split(","))))
    report = await ask.service(contract.GetUsage(start=start, end=end, group_by=groups), REPORT_S)
    headers = {"Vary": "Accept"}
    if format is ReportFormat.CSV or (format is None and prefers_csv(accept)):
        headers["Content-Disposition"] = f'attachment; filename="usage-{start}-{end}.csv"'
        return Response(usage_csv(report, groups), media_type=CSV, headers=headers)
    shown = Usage.model_validate(report.model_dump())
    return JSONResponse(shown.model_dump(mode="json"), headers=headers)


@router.get(
    "/usage/savings",
    summary="Get the savings",
    responses=responses.errors(),
    openapi_extra=needs(Permission.USAGE_READ),
)
async def get_savings(ask: Asking, first: First = None, last: Last = None) -> Savings:
    """By month, the last twelve unless days are given: what the platform's computing cost, what it would have
    cost without your keys, and the share that they moved.
    """
    end = last or today()
    start = first or a_year_before(end)
    check_period(start, end)
    report = await ask.service(contract.GetSavings(start=start, end=end), REPORT_S)
    return Savings.model_validate(report.model_dump())


def check_period(start: date, end: date) -> None:
    """InvalidPeriod."""
    if start > end:
        raise InvalidPeriod("The first day lies after the last.", field="from")
    if end - start >= timedelta(days=MOST_DAYS):
        raise InvalidPeriod(f"A report spans at most {MOST_DAYS} days.", field="from")


def a_year_before(end: date) -> date:
    """The first of the month eleven months before, so that twelve months are shown."""
    months = max(12, end.year * 12 + end.month - 12)
    return date(months // 12, months % 12 + 1, 1)
