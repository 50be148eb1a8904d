"""The gateway's application over connections that are not open, for what needs none of them."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI
from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from starlette.middleware import Middleware

from libs.common.bus.connect import connect
from libs.common.db import Database
from libs.common.objects import Objects
from services.gateway import problems
from services.gateway.app import create_app
from services.gateway.auth.bearer import Authenticate
from services.gateway.gateway import Gateway
from services.gateway.middleware.metrics import GatewayMetrics
from services.gateway.rate_limit import RateLimit
from services.gateway.settings import GatewaySettings
from services.gateway.wiring import assemble

NOWHERE = SecretStr("postgresql://nobody@127.0.0.1:9/none")


def offline_gateway(**settings: Any) -> Gateway:
    """Parts that are put together and not started."""
    folder = Path(tempfile.gettempdir()) / "mannequin-offline"
    bus_url = SecretStr("nats://127.0.0.1:9")
    configured = GatewaySettings(
        bus_url=bus_url,
        database_url=NOWHERE,
        platform_database_url=NOWHERE,
        objects_url=SecretStr(folder.as_uri()),
        **settings,
    )
    database = Database(NOWHERE, NOWHERE, schema="gateway")
    metrics = GatewayMetrics(CollectorRegistry())
    return assemble(configured, database, connect(bus_url, "gateway"), Objects(folder.as_uri()), metrics)


def offline_app(**settings: Any) -> FastAPI:
    """The application of `offline_gateway`."""
    return create_app(offline_gateway(**settings))


def slim_app(gateway: Gateway, *routers: APIRouter) -> FastAPI:
    """The routes of `routers` behind what lets callers in, without the document that takes long to make."""
    middleware = [
        Middleware(Authenticate, access=gateway.access, settings=gateway.settings),
        Middleware(RateLimit, buckets=gateway.buckets, strangers=gateway.strangers),
    ]
    app = FastAPI(middleware=middleware, exception_handlers=problems.handlers())
    app.state.gateway = gateway
    for router in routers:
        app.include_router(router)
    return app


@cache
def api_document() -> dict[str, Any]:
    """The OpenAPI document."""
    return offline_app().openapi()
