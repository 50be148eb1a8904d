"""Tenants and their API keys (owner: the tenants service)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from libs.common.contracts.ids import ApiKeyId, TenantId
from libs.common.contracts.message import Body, Event, Query, Secret, Signal

Name = Annotated[str, Field(min_length=1, max_length=200)]


class KeyMode(StrEnum):
    """Whether a key renders for real or for trying out."""

    LIVE = "live"
    TEST = "test"


class Plan(Body):
    """What a tenant bought. `byok`: its own keys; `fallback`: the platform computes when they fail, for at
    most `fallback_monthly_cap` USD a month (None: no cap).
    """

    name: str = Field("standard", min_length=1, max_length=100)
    byok: bool = False
    fallback: bool = False
    fallback_monthly_cap: Decimal | None = Field(None, ge=0)


class Tenant(Body):
    """A retailer. `weight` is its share in fair dispatch, relative to others'."""

    id: TenantId
    name: Name
    weight: int
    plan: Plan = Plan()
    created_at: datetime


class TenantList(Body):
    items: tuple[Tenant, ...]


class ApiKey(Body):
    """An API key as it may be shown: never the secret part. `public_id` is its visible part."""

    id: ApiKeyId
    tenant_id: TenantId
    mode: KeyMode
    public_id: str
    label: str
    created_at: datetime
    revoked_at: datetime | None = None


class ApiKeyList(Body):
    items: tuple[ApiKey, ...]


class IssuedApiKey(Body):
    """A new key with its secret, which is shown this once. `secret` is the whole `im_live_…` string."""

    key: ApiKey
    secret: Secret


class CreateTenant(Query[Tenant]):
    wire = "tenants.create_tenant.v1"
    reply = Tenant
    name: Name
    weight: int = Field(1, ge=1, le=100)


class ListTenants(Query[TenantList]):
    wire = "tenants.list_tenants.v1"
    reply = TenantList


class SetPlan(Query[Tenant]):
    """For the tenant in the envelope."""

    wire = "tenants.set_plan.v1"
    reply = Tenant
    plan: Plan


class IssueApiKey(Query[IssuedApiKey]):
    """For the tenant in the envelope."""

    wire = "tenants.issue_api_key.v1"
    reply = IssuedApiKey
    mode: KeyMode = KeyMode.LIVE
    label: str = Field("", max_length=200)


class ListApiKeys(Query[ApiKeyList]):
    """Of the tenant in the envelope."""

    wire = "tenants.list_api_keys.v1"
    reply = ApiKeyList


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


class ApiKeyRevoked(Event):
    wire = "tenants.api_key_revoked.v1"
    key_id: ApiKeyId
    revoked_at: datetime


class ApiKeysChanged(Signal):
    """The gateway's stored projection of the keys moved on; every replica reads it again."""

    wire = "gateway.api_keys_changed.v1"
