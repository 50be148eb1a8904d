"""What a plan allows, how much of it is used, and what tenants bring in and cost (owner: the batch service).

What counts on `images_month` is what is on the bill of this month (UTC), and what is under way: a copy, a
refused, a failed or a rejected image gives its share back, as it is not billed. Money is in US dollars.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from pydantic import Field

from libs.common.contracts.batch import BatchKind, BatchOptions
from libs.common.contracts.ids import BatchId, TenantId
from libs.common.contracts.message import Body, Query

TEST_IMAGES_A_DAY = 200
"""Of one tenant, over all its test keys (a day is one of UTC)."""


class QuotaName(StrEnum):
    """What is limited. `test_images_day` is the platform's own limit, all others are the plan's."""

    IMAGES_MONTH = "images_month"
    CONCURRENT_ITEMS = "concurrent_items"
    ARCHIVE_BYTES = "archive_bytes"
    ARCHIVE_ITEMS = "archive_items"
    RETENTION_DAYS = "retention_days"
    TEST_IMAGES_DAY = "test_images_day"


class QuotaHit(Body):
    """Which limit a request went beyond: `used` counts what is reserved, `needed` is what it asked for.

    `resets_at`: when what is used begins at nothing again; None where waiting does not help.
    """

    what: QuotaName
    limit: int
    used: int
    needed: int
    resets_at: datetime | None = None


class Admission(Body):
    """A batch may come: so many images are kept for it until `expires_at` (None: nothing is limited)."""

    images: int
    expires_at: datetime | None = None


class Admit(Query[Admission]):
    """Before a stored upload is submitted: whether the tenant's plan has room for it.

    Refused as `quota_exceeded` (402) or, of a test key, `test_quota_exceeded` (429), each with a QuotaHit.
    Asked again for the same batch it keeps nothing more. `options` are needed of an archive alone: they say
    which of its photos are images.
    """

    wire = "batch.admit.v1"
    reply = Admission
    batch_id: BatchId
    kind: BatchKind
    test: bool = False
    archive_key: str
    archive_size: int
    options: BatchOptions = BatchOptions()


class QuotaUse(Body):
    """One limit. `used` is final, `reserved` is under way or kept for what is being sent.

    `limit` None: there is none. Limits of one archive or of time have nothing that is used.
    """

    name: QuotaName
    limit: int | None
    used: int | None = None
    reserved: int | None = None
    resets_at: datetime | None = None


class QuotaUseList(Body):
    plan: str
    items: tuple[QuotaUse, ...]


class GetQuotaUse(Query[QuotaUseList]):
    """Of the tenant in the envelope."""

    wire = "batch.get_quota_use.v1"
    reply = QuotaUseList


class QuotaEffect(Body):
    """What a batch would take of its month, were it sent now; `fits` if all of the plan's limits hold."""

    limit: int | None
    used: int
    reserved: int
    needed: int
    fits: bool
    resets_at: datetime
    hit: QuotaHit | None = None


class TenantUsage(Body):
    """One tenant in a period: images by who paid for computing them, what that cost, and what it brings in.

    `cost_platform`: computing that the platform paid; `cost_tenant`: paid on the tenant's own account.
    `revenue`: by the prices of its present plan, the monthly one by days; `margin`: revenue - cost_platform.
    """

    tenant_id: TenantId
    plan: str
    images_platform: int = 0
    images_own_key: int = 0
    images_fallback: int = 0
    test_images: int = 0
    cost_platform: Decimal = Decimal(0)
    cost_tenant: Decimal = Decimal(0)
    revenue: Decimal = Decimal(0)
    margin: Decimal = Decimal(0)


class TenantUsagePage(Body):
    """By tenant id. `next_cursor` goes into the next call; None at the end."""

    start: date
    end: date
    currency: str = "USD"
    items: tuple[TenantUsage, ...]
    next_cursor: str | None = None


class ListTenantUsage(Query[TenantUsagePage]):
    """The platform's question, of all tenants or of one. `start` and `end` are days (UTC), both included."""

    wire = "batch.list_tenant_usage.v1"
    reply = TenantUsagePage
    start: date
    end: date
    tenant_id: TenantId | None = None
    cursor: str | None = Field(None, max_length=200)
    limit: int = Field(100, ge=1, le=500)


class Margins(Body):
    """All tenants together. `margin_share`: margin / revenue; None where nothing came in."""

    start: date
    end: date
    currency: str = "USD"
    tenants: int
    images_platform: int
    images_own_key: int
    images_fallback: int
    test_images: int
    cost_platform: Decimal
    cost_tenant: Decimal
    revenue: Decimal
    margin: Decimal
    margin_share: Decimal | None


class GetMargins(Query[Margins]):
    """The platform's question. `start` and `end` are days (UTC), both included."""

    wire = "batch.get_margins.v1"
    reply = Margins
    start: date
    end: date
