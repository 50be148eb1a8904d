"""Tenants and their API keys (owner: the tenants service)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import AwareDatetime, Field, JsonValue

from libs.common.contracts.access import DEFAULT_KEY_PERMISSIONS, Permission
from libs.common.contracts.ids import ApiKeyId, TenantId
from libs.common.contracts.message import Body, Event, Query, Secret, Signal

_TEXT = r"^[^\u0000-\u001f\u007f]*$"
Name = Annotated[str, Field(min_length=1, max_length=200)]
Price = Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=6)]
Slug = Annotated[str, Field(min_length=3, max_length=63, pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")]
"""A tenant's host below the platform's domain: a label of DNS (RFC 1035) in lower case."""
PlanCode = Annotated[str, Field(max_length=50, pattern=r"^[a-z][a-z0-9_-]*$")]
ContactEmail = Annotated[str, Field(max_length=254)]
Reason = Annotated[str, Field(min_length=1, max_length=500)]
MOST_NETWORKS = 50
MOST_ROTATION_OVERLAP_S = 30 * 86_400


class KeyMode(StrEnum):
    """Whether a key renders for real or for trying out."""

    LIVE = "live"
    TEST = "test"


class Entitlement(StrEnum):
    """What a plan may hold beyond rendering on the platform."""

    BYOK = "byok"
    FALLBACK = "fallback"
    HUMAN_MODELS = "human_models"
    CUSTOM_MODELS = "custom_models"
    WHITE_LABEL = "white_label"
    SSO = "sso"


class Quotas(Body):
    """Most of each; None: no limit. A month is one of UTC.

    concurrent_items: images under way at once, over all batches; more of them wait. archive_bytes and
    archive_items: of one ZIP. retention_days: photos and results are removed that long after their batch has
    ended.
    """

    images_month: int | None = Field(None, ge=0, le=1_000_000_000)
    concurrent_items: int | None = Field(None, ge=1, le=1_000_000)
    archive_bytes: int | None = Field(None, ge=1, le=2**40)
    archive_items: int | None = Field(None, ge=1, le=1_000_000)
    retention_days: int | None = Field(None, ge=1, le=3650)
    members: int | None = Field(None, ge=1, le=1_000_000)


class Prices(Body):
    """What the tenant pays the platform, USD: a month, an image on the platform's own, on the tenant's key,
    and on the platform where the tenant's key failed.
    """

    monthly: Price = Decimal(0)
    image_platform: Price = Decimal(0)
    image_own_key: Price = Decimal(0)
    image_fallback: Price = Decimal(0)


class Plan(Body):
    """What a tenant bought. `byok`: its own keys; `fallback`: the platform computes when they fail, for at
    most `fallback_monthly_cap` USD a month (None: no cap). The other entitlements by their names.
    """

    name: str = Field("standard", min_length=1, max_length=100, pattern=_TEXT)
    byok: bool = False
    fallback: bool = False
    fallback_monthly_cap: Price | None = None
    human_models: bool = False
    custom_models: bool = False
    white_label: bool = False
    sso: bool = False
    weight: int | None = Field(
        None, ge=1, le=100, description="Share in fair dispatch; the tenant's if absent."
    )
    quotas: Quotas = Quotas()
    prices: Prices = Prices()

    def has(self, entitlement: Entitlement) -> bool:
        """Whether it was bought."""
        return bool(getattr(self, entitlement.value))


class TenantStatus(StrEnum):
    """`suspended`: its callers may look but change nothing, its images wait. `erasing`: nobody gets in."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    ERASING = "erasing"


class Tenant(Body):
    """A retailer. `weight` is its share in fair dispatch, relative to others', where its plan names none.

    `plan` is what holds: the plan named by `plan_code` with the tenant's own `overrides`; without a code, one
    that was made for it alone. `created_by` is the id of who acted.
    """

    id: TenantId
    name: Name
    slug: str | None = None
    weight: int
    plan: Plan = Plan()
    plan_code: str | None = None
    overrides: dict[str, JsonValue] = Field(default_factory=dict)
    status: TenantStatus = TenantStatus.ACTIVE
    status_reason: str | None = None
    status_since: datetime | None = None
    contact_email: str | None = None
    created_by: str | None = None
    created_at: datetime


class TenantList(Body):
    """`next_cursor` continues; None at the end."""

    items: tuple[Tenant, ...]
    next_cursor: str | None = None


class ApiKey(Body):
    """An API key as it may be shown: never the secret part. `public_id` is its visible part.

    `allowed_ips`: networks in CIDR notation that it may be used from; anywhere if empty. `replaced_by`: the
    key that a rotation made; this one still works until `expires_at`. `created_by` is the id of who acted.
    """

    id: ApiKeyId
    tenant_id: TenantId
    mode: KeyMode
    public_id: str
    label: str
    created_at: datetime
    revoked_at: datetime | None = None
    scopes: tuple[Permission, ...] = tuple(sorted(DEFAULT_KEY_PERMISSIONS))
    expires_at: datetime | None = None
    allowed_ips: tuple[str, ...] = ()
    last_used_at: datetime | None = None
    replaced_by: ApiKeyId | None = None
    created_by: str | None = None


class ApiKeyList(Body):
    """`next_cursor` continues; None at the end."""

    items: tuple[ApiKey, ...]
    next_cursor: str | None = None


class IssuedApiKey(Body):
    """A new key with its secret, which is shown this once. `secret` is the whole `im_live_…` string."""

    key: ApiKey
    secret: Secret


class CreateTenant(Query[Tenant]):
    """On the plan of `plan_code`; without one, on a plan of its own that holds nothing and limits nothing."""

    wire = "tenants.create_tenant.v1"
    reply = Tenant
    name: Name
    weight: int = Field(1, ge=1, le=100)
    slug: Slug | None = None
    plan_code: PlanCode | None = None
    contact_email: ContactEmail | None = None


class ListTenants(Query[TenantList]):
    """The platform's question; oldest first. `name_prefix`: of the name or the slug, whatever the case."""

    wire = "tenants.list_tenants.v1"
    reply = TenantList
    status: TenantStatus | None = None
    plan_code: PlanCode | None = None
    name_prefix: str | None = Field(None, min_length=1, max_length=200)
    created_from: AwareDatetime | None = None
    created_before: AwareDatetime | None = None
    cursor: str | None = Field(None, max_length=100)
    limit: int = Field(100, ge=1, le=500)


class GetTenant(Query[Tenant]):
    """The one in the envelope."""

    wire = "tenants.get_tenant.v1"
    reply = Tenant


class UpdateTenant(Query[Tenant]):
    """Of the tenant in the envelope; what is None stays. An empty `contact_email` takes it away."""

    wire = "tenants.update_tenant.v1"
    reply = Tenant
    name: Name | None = None
    contact_email: ContactEmail | None = None
    slug: Slug | None = None


class SuspendTenant(Query[Tenant]):
    """The tenant in the envelope: its callers may look but change nothing, its images wait."""

    wire = "tenants.suspend_tenant.v1"
    reply = Tenant
    reason: Reason


class ResumeTenant(Query[Tenant]):
    """The tenant in the envelope, suspended or not; refused if it is being erased."""

    wire = "tenants.resume_tenant.v1"
    reply = Tenant


class SetPlan(Query[Tenant]):
    """A plan for the tenant in the envelope alone; see `plans.ChangePlan` for one of those that are sold."""

    wire = "tenants.set_plan.v1"
    reply = Tenant
    plan: Plan


class IssueApiKey(Query[IssuedApiKey]):
    """For the tenant in the envelope. `scopes` None: the usual ones, as far as `at_most` goes.

    at_most: what the asker may do, so that nobody hands on more than that; None for the platform's own.
    allowed_ips: addresses or networks in CIDR notation.
    """

    wire = "tenants.issue_api_key.v1"
    reply = IssuedApiKey
    mode: KeyMode = KeyMode.LIVE
    label: str = Field("", max_length=200)
    scopes: tuple[Permission, ...] | None = Field(None, max_length=len(Permission))
    expires_at: AwareDatetime | None = None
    allowed_ips: tuple[str, ...] = Field((), max_length=MOST_NETWORKS)
    at_most: frozenset[Permission] | None = None


class RotateApiKey(Query[IssuedApiKey]):
    """A new key with the mode, label, scopes and networks of an old one, which works for `overlap_s` more.

    expires_at: of the new key; None: it lives as long as the old one was meant to.
    """

    wire = "tenants.rotate_api_key.v1"
    reply = IssuedApiKey
    key_id: ApiKeyId
    overlap_s: int = Field(86_400, ge=0, le=MOST_ROTATION_OVERLAP_S)
    expires_at: AwareDatetime | None = None
    at_most: frozenset[Permission] | None = None


class UpdateApiKey(Query[ApiKey]):
    """What is None stays. Scopes can be taken away, never added."""

    wire = "tenants.update_api_key.v1"
    reply = ApiKey
    key_id: ApiKeyId
    label: str | None = Field(None, max_length=200)
    scopes: tuple[Permission, ...] | None = Field(None, max_length=len(Permission))
    allowed_ips: tuple[str, ...] | None = Field(None, max_length=MOST_NETWORKS)


class GetApiKey(Query[ApiKey]):
    """Of the tenant in the envelope."""

    wire = "tenants.get_api_key.v1"
    reply = ApiKey
    key_id: ApiKeyId


class ListApiKeys(Query[ApiKeyList]):
    """Of the tenant in the envelope, oldest first. active: only those that still work."""

    wire = "tenants.list_api_keys.v1"
    reply = ApiKeyList
    active: bool = False
    cursor: ApiKeyId | None = None
    limit: int = Field(100, ge=1, le=500)


class RevokeApiKey(Query[ApiKey]):
    """Of the tenant in the envelope; revoking twice is fine."""

    wire = "tenants.revoke_api_key.v1"
    reply = ApiKey
    key_id: ApiKeyId


class TenantRegistered(Event):
    wire = "tenants.tenant_registered.v1"
    name: Name
    weight: int


class PlanChanged(Event):
    """The tenant's plan from now on; a higher `revision` replaces a lower one."""

    wire = "tenants.plan_changed.v1"
    plan: Plan
    revision: int


class ApiKeyIssued(Event):
    """What recognises a key: the SHA-256 (hex) of the whole of it, nothing that opens a door."""

    wire = "tenants.api_key_issued.v1"
    key_id: ApiKeyId
    public_id: str
    sha256: str
    mode: KeyMode
    scopes: tuple[Permission, ...] = tuple(sorted(DEFAULT_KEY_PERMISSIONS))
    expires_at: datetime | None = None
    allowed_ips: tuple[str, ...] = ()


class ApiKeyChanged(Event):
    """What a key may from now on, and until when; a higher `revision` replaces a lower one (0: as issued)."""

    wire = "tenants.api_key_changed.v1"
    key_id: ApiKeyId
    scopes: tuple[Permission, ...]
    expires_at: datetime | None
    allowed_ips: tuple[str, ...]
    revision: int


class KeyUsed(Body):
    key_id: ApiKeyId
    at: datetime


class ApiKeysUsed(Event):
    """Keys of the tenant that were used in the last minute or so, and when last."""

    wire = "gateway.api_keys_used.v1"
    uses: tuple[KeyUsed, ...] = Field(max_length=500)


class ApiKeyRevoked(Event):
    wire = "tenants.api_key_revoked.v1"
    key_id: ApiKeyId
    revoked_at: datetime


class TenantStatusChanged(Event):
    """A higher `revision` replaces a lower one."""

    wire = "tenants.status_changed.v1"
    status: TenantStatus
    revision: int


class ApiKeysChanged(Signal):
    """The gateway's stored projection of the keys moved on; every replica reads it again."""

    wire = "gateway.api_keys_changed.v1"
