"""What anybody may see: health, and the documentation."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from pydantic import BaseModel

from services.gateway.docs.page import Pages
from services.gateway.gateway import Gateway

router = APIRouter(tags=["Service"])


class Health(BaseModel):
    """The process takes requests."""

    status: Literal["ok"] = "ok"


@router.get("/healthz", summary="Health")
async def healthz() -> Health:
    """For load balancers in front of the public port. Whether all parts work is told on the private one."""
    return Health()


@router.get("/api/v1/openapi.json", include_in_schema=False)
async def openapi(request: Request) -> JSONResponse:
    """The OpenAPI 3.1 document."""
    return JSONResponse(request.app.openapi(), headers={"Cache-Control": "public, max-age=300"})


@router.get("/docs", include_in_schema=False)
async def docs(request: Request) -> HTMLResponse:
    """The guide and the reference, on one page that needs nothing from elsewhere."""
    gateway: Gateway = request.app.state.gateway
    pages: Pages = request.app.state.pages
    page = pages.page(gateway.brands.at(request.scope).brand)
    headers = {
        "Content-Security-Policy": page.content_security_policy,
        "Cache-Control": "public, max-age=60",
        "Vary": "Host",
    }
    return HTMLResponse(page.html, headers=headers)


@router.get("/", include_in_schema=False)
async def home() -> RedirectResponse:
    return RedirectResponse("/docs")
