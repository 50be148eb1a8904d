"""The application: its routes, and what happens around every request, from the outside in."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from services.gateway import human_models as human_model_uploads
from services.gateway import openapi, problems
from services.gateway.auth.bearer import Authenticate
from services.gateway.branding import uploads as branding_uploads
from services.gateway.docs.page import Pages
from services.gateway.docs.site import Site
from services.gateway.gateway import Gateway
from services.gateway.middleware.access_log import AccessLog
from services.gateway.middleware.body_limit import BodyLimit
from services.gateway.middleware.headers import SecurityHeaders
from services.gateway.middleware.metrics import Measure
from services.gateway.middleware.recover import Recover
from services.gateway.middleware.trace import Trace
from services.gateway.rate_limit import RateLimit
from services.gateway.routes import (
    api_keys,
    audit,
    batches,
    branding,
    credential_providers,
    credentials,
    custom_models,
    domains,
    erasure,
    export,
    host_branding,
    human_models,
    images,
    impersonation,
    login,
    me,
    members,
    platform,
    public,
    quotas,
    routing_policy,
    sso,
    staff,
    tenant,
    tokens,
    usage,
    webhook_endpoints,
)

RESOURCES = (
    tokens,
    images,
    batches,
    human_models,
    credentials,
    credential_providers,
    routing_policy,
    usage,
    quotas,
    webhook_endpoints,
    audit,
    tenant,
    api_keys,
    custom_models,
    branding,
    domains,
    host_branding,
    login,
    me,
    members,
    sso,
    staff,
    impersonation,
    platform,
    export,
    erasure,
    public,
)
UPLOADS = (
    frozenset({"/api/v1/batch/process", "/api/v1/images", "/api/v1/custom-models"})
    | branding_uploads.PATHS
    | human_model_uploads.PATHS
)


def create_app(gateway: Gateway) -> FastAPI:
    """The gateway as an ASGI application."""
    app = FastAPI(
        title="Invisible Mannequin",
        version="1.0.0",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers=problems.handlers(),
        generate_unique_id_function=_operation_id,
        middleware=_middleware(gateway),
    )
    app.state.gateway = gateway
    for resource in RESOURCES:
        app.include_router(resource.router)
    app.mount("/docs/", Site(gateway.settings.docs_folder))
    openapi.install(app, gateway.settings.public_url)
    app.state.pages = Pages(app.openapi())  # made here, as it takes longer than a request may block
    return app


def _middleware(gateway: Gateway) -> list[Middleware]:
    origins = list(gateway.settings.cors_origins)
    cors = [Middleware(CORSMiddleware, allow_origins=origins, allow_methods=["*"], allow_headers=["*"])]
    return [
        Middleware(Trace),
        Middleware(AccessLog),
        Middleware(Measure, metrics=gateway.metrics),
        Middleware(SecurityHeaders),
        *(cors if origins else []),
        Middleware(Recover),
        Middleware(Authenticate, access=gateway.access, settings=gateway.settings),
        Middleware(RateLimit, buckets=gateway.buckets, strangers=gateway.strangers),
        Middleware(BodyLimit, uploads=UPLOADS),
    ]


def _operation_id(route: APIRoute) -> str:
    return route.name
