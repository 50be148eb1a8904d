"""Listings of the platform's realm: pages as JSON or CSV."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Depends, Header, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel

from libs.common.contracts.ids import TenantId
from services.gateway import responses
from services.gateway.errors import InvalidCursor
from services.gateway.pages import opened
from services.gateway.responses import Responses
from services.gateway.routes.usage import ReportFormat
from services.gateway.tables import table
from services.gateway.tenant_views import TENANT_ID
from services.gateway.usage_csv import CSV, prefers_csv

Limit = Annotated[int, Query(ge=1, le=200)]
OfTenant = Annotated[TenantId | None, Query(description="Of this tenant alone.", examples=[TENANT_ID])]


def _wants_csv(
    format: Annotated[  # noqa: A002  # the name that it has in the query
        ReportFormat | None, Query(description="Goes before the Accept header.")
    ] = None,
    accept: Annotated[str, Header(include_in_schema=False)] = "",
) -> bool:
    return format is ReportFormat.CSV or (format is None and prefers_csv(accept))


AsCsv = Annotated[bool, Depends(_wants_csv)]


def csv_too(columns: Sequence[str], *statuses: int) -> Responses:
    """How a listing is documented: as CSV beside JSON, and its problems."""
    content = {CSV: {"schema": {"type": "string"}, "example": ",".join(columns) + "\r\n"}}
    link = {"description": "Of a CSV: where the next page is (RFC 8288).", "schema": {"type": "string"}}
    return {200: {"content": content, "headers": {"Link": link}}, **responses.errors(*statuses)}


def listed(request: Request, page: BaseModel, columns: Sequence[str], name: str, *, as_csv: bool) -> Response:
    """A page with `items` and `next_cursor`. A CSV has no place for the cursor: there it is in a Link."""
    shown: dict[str, Any] = page.model_dump(mode="json")
    headers = {"Vary": "Accept"}
    if not as_csv:
        return JSONResponse(shown, headers=headers)
    if cursor := shown["next_cursor"]:
        following = request.url.include_query_params(cursor=cursor).query
        headers["Link"] = f'<?{following}>; rel="next"'
    headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return Response(table(columns, shown["items"]), media_type=CSV, headers=headers)


def place_of_tenant(listing: str, cursor: str | None) -> TenantId | None:
    """The tenant that a page went up to. InvalidCursor."""
    place = opened(listing, cursor)
    try:
        return None if place is None else TenantId(place)
    except ValueError as error:
        raise InvalidCursor from error
