"""The Admin API: the platform's own people over all tenants. No credential of a tenant opens any of it."""

from __future__ import annotations

from fastapi import APIRouter

from services.gateway.routes.platform import health, plans, tenants, usage

router = APIRouter()
for _part in (tenants, plans, usage, health):
    router.include_router(_part.router)
