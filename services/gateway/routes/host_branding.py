"""What anybody sees of a brand at its hosts."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from services.gateway import responses
from services.gateway.branding.book import Shown
from services.gateway.branding.pictures import CACHED, PNG, SVG
from services.gateway.branding.views import PublicBrand
from services.gateway.gateway import Gateway
from services.gateway.ranges import unchanged

router = APIRouter(prefix="/api/v1", tags=["Branding"])
_PICTURE = responses.content("The picture.", SVG, PNG)
_ERRORS: responses.Responses = {
    status: told for status, told in responses.errors().items() if status in (422, 429, 500, 503)
}
Version = Annotated[
    str | None,
    Query(max_length=64, pattern=r"^[0-9a-f]*$", description="Changes with the picture, for caches alone."),
]


@router.get(
    "/branding",
    summary="Get the brand of this host",
    response_model=PublicBrand,
    responses={status: _ERRORS[status] for status in (429, 500)},
)
async def get_host_branding(request: Request) -> Response:
    """Needs no credential. The tenant's whose host this is, and the platform's at every other host."""
    found = _at(request)
    headers = {"ETag": found.etag, "Cache-Control": CACHED, "Vary": "Host"}
    if unchanged(request.headers, found.etag):
        return Response(status_code=304, headers=headers)
    return Response(found.body, media_type="application/json", headers=headers)


@router.get(
    "/branding/logo",
    summary="Get the logo of this host",
    response_class=Response,
    responses={200: _PICTURE, **_ERRORS},
)
async def get_host_logo(request: Request, v: Version = None) -> Response:
    """Needs no credential. A brand without a logo has its first letter instead."""
    brand = _at(request).brand
    return (await _gateway(request).brand_pictures.get(brand.logo, brand)).response(request)


@router.get(
    "/branding/favicon",
    summary="Get the favicon of this host",
    response_class=Response,
    responses={200: _PICTURE, **_ERRORS},
)
async def get_host_favicon(
    request: Request,
    size: Annotated[Literal["32", "180"], Query(description="Pixels; an SVG is of any size.")] = "32",
    v: Version = None,
) -> Response:
    """Needs no credential."""
    brand = _at(request).brand
    file = brand.favicon if size == "32" else brand.touch_icon
    return (await _gateway(request).brand_pictures.get(file, brand)).response(request)


def _gateway(request: Request) -> Gateway:
    gateway: Gateway = request.app.state.gateway
    return gateway


def _at(request: Request) -> Shown:
    return _gateway(request).brands.at(request.scope)
