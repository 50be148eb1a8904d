"""What the API answers of keys, routes and charges. Money is in US dollars, as Decimal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypedDict

from pydantic import Field

from libs.client.models import Model


class CredentialTerms(TypedDict, total=False):
    """What may be changed of a key without its secret; None takes a cap or an end away.

    monthly_cap: USD. An empty list of regions or models allows all.
    """

    label: str
    enabled: bool
    priority: int
    monthly_cap: Decimal | str | None
    regions: Sequence[str]
    models: Sequence[str]
    expires_at: datetime | None


class Health(Model):
    """`state` is unverified, healthy, degraded, failed or recovered; `advice` says what to do."""

    state: str
    since: datetime
    checked_at: datetime | None = None
    code: str | None = None
    detail: str = ""
    advice: str = ""


class Credential(Model):
    """A key as it is shown, without its secret. Until `previous_until` the one before can be brought back."""

    id: str
    provider: str
    label: str
    enabled: bool = True
    health: Health
    version: int = 1
    last_four: str = ""
    fingerprint: str = ""
    settings: Mapping[str, str] = Field(default_factory=dict)
    priority: int = 0
    monthly_cap: Decimal | None = None
    regions: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    expires_at: datetime | None = None
    previous_until: datetime | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


class CredentialField(Model):
    """What a form asks for; `kind` is text, url, password, json or choice."""

    name: str
    title: str
    help: str = ""
    kind: str = "text"
    secret: bool = False
    required: bool = True
    choices: tuple[str, ...] = ()
    default: str | None = None


class Price(Model):
    """What a `unit` (image or second) costs, as `source` said on `as_of`."""

    unit: str
    amount: Decimal
    model: str | None = None
    as_of: date
    source: str


class ProviderModel(Model):
    """A model of a provider; a `retired` one is refused in favour of its `successor`."""

    name: str
    abilities: tuple[str, ...] = ()
    retires_on: date | None = None
    successor: str | None = None
    retired: bool = False


class CredentialProvider(Model):
    """A provider: what it asks for, can do and costs. `form` is a JSON Schema; None where it needs no key."""

    name: str
    title: str
    description: str = ""
    documentation: str = ""
    abilities: tuple[str, ...] = ()
    fields: tuple[CredentialField, ...] = ()
    one_of: tuple[tuple[str, ...], ...] = ()
    limits: Mapping[str, float] = Field(default_factory=dict)
    prices: tuple[Price, ...] = ()
    models: tuple[ProviderModel, ...] = ()
    retention: str = ""
    form: Mapping[str, Any] | None = None


class RoutingPolicy(Model):
    """`policy` is platform, byok_only or byok_then_platform; `when_unavailable` is wait or fail."""

    policy: str
    when_unavailable: str = "wait"
    fallback_monthly_cap: Decimal | None = None
    updated_at: datetime | None = None


class UsageRow(Model):
    """Charges together; what they were not grouped by is None."""

    day: date | None = None
    provider: str | None = None
    payer: str | None = None
    images: int
    compute_seconds: Decimal
    cost: Decimal
    platform_cost: Decimal


class Usage(Model):
    """Charges from the day `start` to the day `end` (UTC)."""

    start: date
    end: date
    currency: str = "USD"
    rows: tuple[UsageRow, ...]
    total: UsageRow


class SavingsRow(Model):
    """A month: the platform's cost without and with your keys; `moved_share` from 0 to 1."""

    month: date
    images: int
    byok_images: int
    without_byok: Decimal
    with_byok: Decimal
    moved_share: Decimal | None = None


class Savings(Model):
    """By month, and in all."""

    currency: str = "USD"
    rows: tuple[SavingsRow, ...]
    total: SavingsRow


class RoutedShare(Model):
    """So many images on one route, at `price` each. Without a provider they would wait."""

    provider: str | None = None
    payer: str | None = None
    credential_id: str | None = None
    fallback: bool = False
    images: int
    price: Decimal
    cost: Decimal
    reason: str = ""


class Quota(Model):
    """One limit of the plan; `limit` None: there is none. `reserved` is under way, or kept for an upload."""

    name: str
    limit: int | None = None
    used: int | None = None
    reserved: int | None = None
    resets_at: datetime | None = None


class Quotas(Model):
    """All limits, and the plan that they are of."""

    plan: str
    items: tuple[Quota, ...]


class QuotaEffect(Model):
    """What a batch would take of its month, and whether all limits of the plan hold."""

    limit: int | None = None
    used: int = 0
    reserved: int = 0
    needed: int = 0
    fits: bool = True
    resets_at: datetime | None = None


class Estimate(Model):
    """What a batch would be, were it released now."""

    photos: int
    refused: int = 0
    paired: int = 0
    duplicates: int = 0
    billable_at_most: int = 0
    routes: tuple[RoutedShare, ...] = ()
    waiting: int = 0
    cost: Decimal
    currency: str = "USD"
    price_table: str = ""
    quota: QuotaEffect | None = None
