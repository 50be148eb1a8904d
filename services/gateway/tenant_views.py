"""What the API shows of a tenant to itself, and of its API keys."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field

from libs.common.contracts import tenants as contract
from libs.common.contracts.access import Permission
from libs.common.contracts.ids import ApiKeyId, TenantId
from libs.common.contracts.tenants import (
    MOST_NETWORKS,
    MOST_ROTATION_OVERLAP_S,
    KeyMode,
    Plan,
    TenantStatus,
)
from services.gateway.moments import Moment
from services.gateway.views import Page, shown

_AT = "2026-03-01T09:30:00Z"
TEXT = r"^[^\u0000-\u001f\u007f]*$"
TENANT_ID = "ten_01hzy3k5v7m9q2w4x6z8b0c1d2"
KEY_ID = "key_01hzy3k5v7m9q2w4x6z8b0c1d1"
USER_ID = "usr_01hzy3k5v7m9q2w4x6z8b0c1d8"
_SECRET = "im_live_8sZ0pQm41xYa…"  # noqa: S105  # not a whole one
PLAN: dict[str, Any] = {
    "name": "enterprise",
    "byok": True,
    "fallback": True,
    "fallback_monthly_cap": None,
    "human_models": True,
    "custom_models": True,
    "white_label": True,
    "sso": True,
    "weight": 4,
    "quotas": {
        "images_month": None,
        "concurrent_items": 1024,
        "archive_bytes": None,
        "archive_items": None,
        "retention_days": 365,
        "members": None,
    },
    "prices": {
        "monthly": "990",
        "image_platform": "0.08",
        "image_own_key": "0.02",
        "image_fallback": "0.10",
    },
}
TENANT: dict[str, Any] = {
    "id": TENANT_ID,
    "name": "Maison Étoile",
    "slug": "maison-etoile",
    "status": "active",
    "status_reason": None,
    "plan_code": "enterprise",
    "plan": PLAN,
    "contact_email": "it@maison.example",
    "created_at": _AT,
}
KEY: dict[str, Any] = {
    "id": KEY_ID,
    "label": "Warehouse in Lyon",
    "mode": "live",
    "public_id": "8sZ0pQm41xYa",
    "scopes": ["images:read", "images:write"],
    "allowed_ips": ["203.0.113.0/24"],
    "expires_at": "2027-03-01T09:30:00Z",
    "last_used_at": "2026-03-05T07:12:44Z",
    "replaced_by": None,
    "revoked_at": None,
    "created_by": USER_ID,
    "created_at": _AT,
}
TenantName = Annotated[str, Field(min_length=1, max_length=200, pattern=TEXT)]
ContactEmail = Annotated[
    str,
    Field(max_length=254, pattern=TEXT, description="Who we write to; an empty one takes it away."),
]
Networks = Annotated[
    tuple[Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[0-9A-Fa-f:./]+$")], ...],
    Field(
        max_length=MOST_NETWORKS,
        description="Addresses, or networks in CIDR notation, where the key may be used; anywhere if empty.",
    ),
]
Scopes = Annotated[tuple[Permission, ...], Field(min_length=1, max_length=len(Permission))]
Label = Annotated[str, Field(max_length=200, pattern=TEXT, description="What it is for, in your words.")]


def _taken(**example: Any) -> ConfigDict:
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [example]})


class OwnTenant(BaseModel):
    """Your own tenant. `plan` is what holds for you: entitlements, quotas (null: no limit) and prices (USD).

    `slug`: your host below the platform's domain. `status`: while `suspended`, for `status_reason`, you can
    look at everything but change nothing.
    """

    model_config = shown(TENANT)

    id: TenantId
    name: str
    slug: str | None
    status: TenantStatus
    status_reason: str | None
    plan_code: str | None
    plan: Plan
    contact_email: str | None
    created_at: datetime

    @classmethod
    def of(cls, tenant: contract.Tenant) -> Self:
        return cls(**{name: getattr(tenant, name) for name in cls.model_fields})


class ChangedTenant(BaseModel):
    """What is absent stays as it is."""

    model_config = _taken(name="Maison Étoile", contact_email="it@maison.example")

    name: TenantName | None = None
    contact_email: ContactEmail | None = None


class ApiKey(BaseModel):
    """An API key as it may be shown: `public_id` is the part that is no secret (`im_live_<public_id>…`).

    `last_used_at` is exact to a minute or so. `replaced_by`: the key that a rotation made; this one still
    works until `expires_at`.
    """

    model_config = shown(KEY)

    id: ApiKeyId
    label: str
    mode: KeyMode
    public_id: str
    scopes: tuple[Permission, ...]
    allowed_ips: tuple[str, ...]
    expires_at: datetime | None
    last_used_at: datetime | None
    replaced_by: ApiKeyId | None
    revoked_at: datetime | None
    created_by: str | None
    created_at: datetime

    @classmethod
    def of(cls, key: contract.ApiKey) -> Self:
        return cls.model_validate({name: getattr(key, name) for name in ApiKey.model_fields})


class ApiKeyPage(Page[ApiKey]):
    """API keys, the oldest first."""


class ApiKeyWithSecret(ApiKey):
    """`secret` is the whole key, shown this once; null in a repeat under the same Idempotency-Key."""

    model_config = shown(KEY | {"secret": _SECRET})

    secret: str | None


class NewApiKey(BaseModel):
    """`scopes` are permissions that you have yourself and that a key may have (never `me:write`,
    `tenant:erase`, `members:write`, `sso:write` or `api_keys:write`); without them, what rendering needs.
    """

    model_config = _taken(
        label=KEY["label"],
        mode="live",
        scopes=KEY["scopes"],
        expires_at="2027-03-01T09:30:00Z",
        allowed_ips=KEY["allowed_ips"],
    )

    label: Label = ""
    mode: KeyMode = Field(
        KeyMode.LIVE, description="`test`: renders small with a watermark, and bills nothing."
    )
    scopes: Scopes | None = None
    expires_at: Moment | None = Field(None, description="Within ten years; without it, the key has no end.")
    allowed_ips: Networks = ()


class ChangedApiKey(BaseModel):
    """What is absent stays as it is."""

    model_config = _taken(label="Warehouse in Lyon", scopes=["images:read"], allowed_ips=[])

    label: Label | None = None
    scopes: Scopes | None = Field(None, description="Can be taken away, never added.")
    allowed_ips: Networks | None = None


class KeyRotation(BaseModel):
    """How long both keys work, and when the new one ends."""

    model_config = _taken(overlap_s=86_400)

    overlap_s: int = Field(
        86_400, ge=0, le=MOST_ROTATION_OVERLAP_S, description="Seconds for which the old key still works."
    )
    expires_at: Moment | None = Field(
        None, description="Of the new key; without it, it lives as long as the old one was meant to."
    )
