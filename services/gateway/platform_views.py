"""What the API shows to the platform's own people: tenants, plans, usage and health over all tenants."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Self

from pydantic import BaseModel, Field, JsonValue

from libs.common.contracts import key_health as vault
from libs.common.contracts import plans as sold
from libs.common.contracts import quotas as bills
from libs.common.contracts import tenants as contract
from libs.common.contracts import webhooks
from libs.common.contracts.tenants import Plan
from services.gateway.examples import CREDENTIAL_ID, ENDPOINT_ID
from services.gateway.tenant_views import PLAN, TENANT, TENANT_ID, OwnTenant
from services.gateway.views import Page, shown

_AT = "2026-03-01T09:30:00Z"
STAFF_ID = "stf_01hzy3k5v7m9q2w4x6z8b0c1db"
PLATFORM_TENANT: dict[str, Any] = {
    **TENANT,
    "weight": 4,
    "overrides": {"quotas": {"images_month": 50_000}},
    "status_since": None,
    "created_by": STAFF_ID,
}
DEFINITION: dict[str, Any] = {
    "code": "enterprise",
    "description": "Keys, models and looks of one's own, and single sign-on.",
    "plan": PLAN,
    "revision": 3,
    "tenants": 41,
    "pending": 0,
    "created_at": _AT,
    "updated_at": _AT,
    "retired_at": None,
}
_MONEY: dict[str, Any] = {
    "images_platform": 1200,
    "images_own_key": 5400,
    "images_fallback": 30,
    "test_images": 12,
    "cost_platform": "9.84",
    "cost_tenant": "43.20",
    "revenue": "1197.00",
    "margin": "1187.16",
}
TENANT_USAGE: dict[str, Any] = {"tenant_id": TENANT_ID, "plan": "enterprise", **_MONEY}
_PERIOD: dict[str, Any] = {"start": "2026-03-01", "end": "2026-03-31", "currency": "USD"}
MARGINS: dict[str, Any] = {**_PERIOD, "tenants": 41, **_MONEY, "margin_share": "0.9918"}
CREDENTIAL_HEALTH: dict[str, Any] = {
    "tenant_id": TENANT_ID,
    "credential_id": CREDENTIAL_ID,
    "provider": "open-inference",
    "label": "GPUs in Frankfurt",
    "enabled": True,
    "state": "failed",
    "since": _AT,
    "checked_at": _AT,
    "code": "revoked",
    "expires_at": None,
}
ENDPOINT_HEALTH: dict[str, Any] = {
    "tenant_id": TENANT_ID,
    "endpoint_id": ENDPOINT_ID,
    "host": "hooks.shop.example.com",
    "state": "failing",
    "disabled_reason": None,
    "pending": 3,
    "delivered_day": 112,
    "failed_day": 1,
    "oldest_pending_at": _AT,
    "last_attempt_at": _AT,
    "last_status_code": 503,
    "last_error": None,
}


class PlatformTenant(OwnTenant):
    """A tenant. `plan` is what holds: the one named by `plan_code` with the tenant's own `overrides`; without
    a code, one that was made for it alone. `weight`: its share in fair dispatch where the plan names none.
    `created_by` is the id of who made it.
    """

    model_config = shown(PLATFORM_TENANT)

    weight: int
    overrides: dict[str, JsonValue]
    status_since: datetime | None
    created_by: str | None

    @classmethod
    def of(cls, tenant: contract.Tenant) -> Self:
        return cls(**{name: getattr(tenant, name) for name in cls.model_fields})


class PlatformTenantPage(Page[PlatformTenant]):
    """Tenants, the oldest first."""


class PlanDefinition(BaseModel):
    """A plan that tenants can be put on. `revision` counts changes of its terms; `tenants` are on it, of whom
    `pending` have not got its last change yet. Nobody new is put on it after `retired_at`.
    """

    model_config = shown(DEFINITION)

    code: str
    description: str
    plan: Plan
    revision: int
    tenants: int
    pending: int
    created_at: datetime
    updated_at: datetime
    retired_at: datetime | None

    @classmethod
    def of(cls, definition: sold.PlanDefinition) -> Self:
        return cls(**{name: getattr(definition, name) for name in cls.model_fields})


class PlanDefinitionPage(Page[PlanDefinition]):
    """Plans, by code."""


class TenantUsage(bills.TenantUsage):
    """One tenant in a period: images by who paid for computing them, what that cost the platform
    (`cost_platform`) and the tenant's own account (`cost_tenant`), and what they bring in by the tenant's
    present plan, the monthly price by days. `margin` is `revenue` less `cost_platform`. USD.
    """

    model_config = shown(TENANT_USAGE)


class TenantUsagePage(Page[TenantUsage]):
    """By tenant, from the day `start` to the day `end` (UTC)."""

    model_config = shown({**_PERIOD, "items": [TENANT_USAGE], "next_cursor": None})

    start: date
    end: date
    currency: str


class Margins(bills.Margins):
    """All tenants together; `margin_share` is margin / revenue, null where nothing came in."""

    model_config = shown(MARGINS)

    margin_share: Decimal | None = Field(
        description="From 0 to 1; below 0 where it costs more than it brings."
    )


class CredentialStanding(vault.CredentialStanding):
    """How one tenant's key stands since when; `code` says why. Nothing here tells of the secret."""

    model_config = shown(CREDENTIAL_HEALTH)


class CredentialHealthPage(Page[CredentialStanding]):
    """By tenant."""


class EndpointStanding(webhooks.EndpointStanding):
    """How one tenant's webhook endpoint stands. `pending` deliveries are under way; `delivered_day` and
    `failed_day` are of the last 24 hours. No more of the URL than its host is shown.
    """

    model_config = shown(ENDPOINT_HEALTH)


class EndpointHealthPage(Page[EndpointStanding]):
    """By tenant."""
