"""The look of a tenant's brand, for the tenant itself."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from fastapi.responses import Response

from libs.common.contracts import branding as contract
from libs.common.contracts.access import Permission
from libs.common.contracts.branding import PictureKind
from services.gateway import responses
from services.gateway.auth.guard import guarded_router, needs
from services.gateway.branding import uploads
from services.gateway.branding.pictures import PNG, SVG
from services.gateway.branding.views import (
    Branding,
    Colours,
    ContrastReport,
    HexColour,
    NewBranding,
)
from services.gateway.gateway import Ask, Asking

router = guarded_router(prefix="/api/v1/tenant", tags=["Branding"])
_PRIVATE = "private, no-cache"
_PICTURE = responses.content("The picture.", SVG, PNG)
_DEFAULTS = Colours()


@router.get(
    "/branding",
    summary="Get your brand",
    responses=responses.errors(),
    openapi_extra=needs(Permission.BRANDING_READ),
)
async def get_branding(ask: Asking) -> Branding:
    """As it was set, also while the plan lacks white-label."""
    return _branding(await ask.service(contract.GetBranding()), ask)


@router.put(
    "/branding",
    summary="Set your brand",
    responses=responses.errors(402, 413),
    openapi_extra=needs(Permission.BRANDING_WRITE),
)
async def set_branding(body: NewBranding, ask: Asking) -> Branding:
    """The whole of it but the pictures. Colours that can't be told apart well enough are refused as
    `contrast_too_low`, with the nearest colour that can; `GET /tenant/branding/contrast` says so beforehand.
    """
    return _branding(await ask.service(contract.SetBranding(look=body.look())), ask)


@router.get(
    "/branding/contrast",
    summary="Check colours",
    responses=responses.errors(),
    openapi_extra=needs(Permission.BRANDING_READ),
)
async def check_colours(
    ask: Asking,
    primary: HexColour = _DEFAULTS.primary,
    accent: HexColour = _DEFAULTS.accent,
    background: HexColour = _DEFAULTS.background,
    text: HexColour = _DEFAULTS.text,
) -> ContrastReport:
    """Whether your brand could have these colours, by WCAG 2.2 AA, and for each that can't, the nearest of
    the same hue that can. Nothing is changed.
    """
    colours = contract.Colours(primary=primary, accent=accent, background=background, text=text)
    found = await ask.service(contract.CheckColours(colours=colours))
    return ContrastReport.model_validate(found.model_dump())


def _taking(kind: PictureKind) -> dict[str, Any]:
    return needs(Permission.BRANDING_WRITE) | uploads.described(kind)


@router.put(
    "/branding/logo",
    summary="Set your logo",
    responses=responses.errors(402, 413, 415),
    openapi_extra=_taking(PictureKind.LOGO),
)
async def set_logo(request: Request, ask: Asking) -> Branding:
    """The body is the picture: an SVG of 256 KiB at most, which is sanitised, or a PNG, JPEG or WebP of 2 MiB
    and 20 megapixels at most, which becomes a PNG of 512 px at most. The favicon is made from it unless you
    set one.
    """
    return await _set(PictureKind.LOGO, request, ask)


@router.get(
    "/branding/logo",
    summary="Get your logo",
    response_class=Response,
    responses={200: _PICTURE, **responses.errors()},
    openapi_extra=needs(Permission.BRANDING_READ),
)
async def get_logo(request: Request, ask: Asking) -> Response:
    """As it is shown, also before any host shows it."""
    brand = (await ask.service(contract.GetBranding())).brand
    return (await ask.gateway.brand_pictures.get(brand.logo, brand)).response(request, _PRIVATE)


@router.delete(
    "/branding/logo",
    summary="Remove your logo",
    responses=responses.errors(),
    openapi_extra=needs(Permission.BRANDING_WRITE),
)
async def remove_logo(ask: Asking) -> Branding:
    """The first letter of your name is shown instead."""
    return _branding(await ask.service(contract.RemoveBrandPicture(kind=PictureKind.LOGO)), ask)


@router.put(
    "/branding/favicon",
    summary="Set your favicon",
    responses=responses.errors(402, 413, 415),
    openapi_extra=_taking(PictureKind.FAVICON),
)
async def set_favicon(request: Request, ask: Asking) -> Branding:
    """In place of the one that is made from the logo; of the same kinds as that."""
    return await _set(PictureKind.FAVICON, request, ask)


@router.delete(
    "/branding/favicon",
    summary="Remove your favicon",
    responses=responses.errors(),
    openapi_extra=needs(Permission.BRANDING_WRITE),
)
async def remove_favicon(ask: Asking) -> Branding:
    """One is made from the logo again."""
    return _branding(await ask.service(contract.RemoveBrandPicture(kind=PictureKind.FAVICON), 30), ask)


async def _set(kind: PictureKind, request: Request, ask: Ask) -> Branding:
    upload = await uploads.received(request, ask.gateway.objects, ask.tenant)
    return _branding(await ask.service(contract.SetBrandPicture(kind=kind, upload=upload), 30), ask)


def _branding(found: contract.Branding, ask: Ask) -> Branding:
    return Branding.of(found, ask.gateway.brands.host_of(found.slug))
