"""What the API answers of a tenant and of API keys. Money is in US dollars, as Decimal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import TypedDict

from pydantic import SecretStr

from libs.client.models import Model


class KeyTerms(TypedDict, total=False):
    """What a key is issued with. scopes: permissions such as images:read; mode: live or test.

    allowed_ips: addresses or networks in CIDR notation; anywhere if empty.
    """

    label: str
    mode: str
    scopes: Sequence[str]
    expires_at: datetime
    allowed_ips: Sequence[str]


class ApiKey(Model):
    """A key as it is shown. `secret` is there only when it was just issued or rotated."""

    id: str
    label: str = ""
    mode: str
    public_id: str
    scopes: tuple[str, ...] = ()
    allowed_ips: tuple[str, ...] = ()
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    replaced_by: str | None = None
    revoked_at: datetime | None = None
    created_by: str | None = None
    created_at: datetime | None = None
    secret: SecretStr | None = None


class Quotas(Model):
    """Most of each; None: no limit."""

    images_month: int | None = None
    concurrent_items: int | None = None
    archive_bytes: int | None = None
    archive_items: int | None = None
    retention_days: int | None = None
    members: int | None = None


class Prices(Model):
    """A month, and an image on each of the three routes."""

    monthly: Decimal = Decimal(0)
    image_platform: Decimal = Decimal(0)
    image_own_key: Decimal = Decimal(0)
    image_fallback: Decimal = Decimal(0)


class Plan(Model):
    """What was bought."""

    name: str
    byok: bool = False
    fallback: bool = False
    fallback_monthly_cap: Decimal | None = None
    human_models: bool = False
    custom_models: bool = False
    white_label: bool = False
    sso: bool = False
    quotas: Quotas = Quotas()
    prices: Prices = Prices()


class Tenant(Model):
    """`status` is active, suspended or erasing."""

    id: str
    name: str
    slug: str | None = None
    status: str
    status_reason: str | None = None
    plan_code: str | None = None
    plan: Plan
    contact_email: str | None = None
    created_at: datetime | None = None
