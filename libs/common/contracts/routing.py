"""Whose key pays, and what was paid (owner: the batch service). Money is in US dollars."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from pydantic import Field

from libs.common.contracts.batch import BatchOptions
from libs.common.contracts.credentials import Money
from libs.common.contracts.ids import BatchId, CredentialId, TenantId
from libs.common.contracts.message import Body, Event, Query
from libs.common.contracts.providers import Payer, ProviderName
from libs.common.contracts.quotas import QuotaEffect


class PolicyName(StrEnum):
    """Whose account computes a tenant's images."""

    PLATFORM = "platform"
    BYOK_ONLY = "byok_only"
    BYOK_THEN_PLATFORM = "byok_then_platform"


class WhenUnavailable(StrEnum):
    """What becomes of an image that no route may take now."""

    WAIT = "wait"
    FAIL = "fail"


class RoutingPolicy(Body):
    """`fallback_monthly_cap`: what falling back may cost a month; the plan's own cap holds as well."""

    policy: PolicyName = PolicyName.PLATFORM
    when_unavailable: WhenUnavailable = WhenUnavailable.WAIT
    fallback_monthly_cap: Money | None = None
    updated_at: datetime | None = None


class GetRoutingPolicy(Query[RoutingPolicy]):
    wire = "batch.get_routing_policy.v1"
    reply = RoutingPolicy


class SetRoutingPolicy(Query[RoutingPolicy]):
    """Refused where the plan does not hold it. What waits for a route is looked at again at once."""

    wire = "batch.set_routing_policy.v1"
    reply = RoutingPolicy
    policy: RoutingPolicy


class RouteClaim(Body):
    """That a batch has images in flight on a credential."""

    tenant_id: TenantId
    batch_id: BatchId
    credential_id: CredentialId


class CheckedRoutes(Body):
    """In the order of the claims: whether each is so."""

    open: tuple[bool, ...]


class CheckRoutes(Query[CheckedRoutes]):
    """The vault's question before it leases; of several tenants at once, as it asks for many workers."""

    wire = "batch.check_routes.v1"
    reply = CheckedRoutes
    claims: tuple[RouteClaim, ...] = Field(max_length=1000)


class RenderedOn(Body):
    """Images that were charged to a credential in one batch."""

    batch_id: BatchId
    credential_id: CredentialId
    images: int


class RenderedOnList(Body):
    items: tuple[RenderedOn, ...]


class ListRenderedOn(Query[RenderedOnList]):
    """The tenant's images on its own credentials since a moment, for the reconciliation of leases."""

    wire = "batch.list_rendered_on.v1"
    reply = RenderedOnList
    since: datetime


class UsageGroup(StrEnum):
    DAY = "day"
    PROVIDER = "provider"
    PAYER = "payer"


class UsageRow(Body):
    """Charges together; the fields that they were not grouped by are None.

    `platform_cost`: what the platform's own GPUs would have cost for these images.
    """

    day: date | None = None
    provider: ProviderName | None = None
    payer: Payer | None = None
    images: int
    compute_seconds: Decimal
    cost: Decimal
    platform_cost: Decimal


class UsageReport(Body):
    """`start` is the first day and `end` the last (UTC); `total` is the sum of the rows."""

    start: date
    end: date
    currency: str = "USD"
    rows: tuple[UsageRow, ...]
    total: UsageRow


class GetUsage(Query[UsageReport]):
    wire = "batch.get_usage.v1"
    reply = UsageReport
    start: date
    end: date
    group_by: tuple[UsageGroup, ...] = (UsageGroup.DAY, UsageGroup.PROVIDER, UsageGroup.PAYER)


class SavingsRow(Body):
    """A month (its first day). `without_byok`: the platform's cost had it computed all images itself;

    `with_byok`: its cost as it was; `moved_share`: 1 - with / without, None without images.
    """

    month: date
    images: int
    byok_images: int
    without_byok: Decimal
    with_byok: Decimal
    moved_share: Decimal | None


class SavingsReport(Body):
    currency: str = "USD"
    rows: tuple[SavingsRow, ...]
    total: SavingsRow


class GetSavings(Query[SavingsReport]):
    wire = "batch.get_savings.v1"
    reply = SavingsReport
    start: date
    end: date


class RoutedShare(Body):
    """So many images of a batch, on what route, at what price each."""

    provider: ProviderName | None
    payer: Payer | None
    credential_id: CredentialId | None = None
    fallback: bool = False
    images: int
    price: Decimal
    cost: Decimal
    reason: str


class Estimate(Body):
    """What a batch would be: counts, routes and prices, were it released as things stand now, and what it
    would take of the plan's quota.
    """

    photos: int
    refused: int
    paired: int
    duplicates: int
    billable_at_most: int
    routes: tuple[RoutedShare, ...]
    waiting: int
    cost: Decimal
    currency: str = "USD"
    price_table: str
    quota: QuotaEffect | None = None


class EstimateBatch(Query[Estimate]):
    """Look at an uploaded archive without rendering anything."""

    wire = "batch.estimate.v1"
    reply = Estimate
    archive_key: str
    archive_size: int
    options: BatchOptions


class SpendCapReached(Event):
    """A monthly cap holds work back: a credential's, or that of falling back to the platform."""

    wire = "batch.spend_cap_reached.v1"
    month: date
    cap: Decimal
    spent: Decimal
    credential_id: CredentialId | None = None
