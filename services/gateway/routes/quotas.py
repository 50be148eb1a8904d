"""What the plan allows, and how much of it is taken."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel

from libs.common.contracts import quotas as contract
from libs.common.contracts.access import Permission
from libs.common.contracts.quotas import QuotaName
from services.gateway import responses
from services.gateway.auth.guard import guarded_router, needs
from services.gateway.gateway import Asking
from services.gateway.views import shown

router = guarded_router(prefix="/api/v1", tags=["Routing and usage"])

_RESETS_AT = "2026-04-01T00:00:00Z"
_QUOTA: dict[str, Any] = {
    "name": "images_month",
    "limit": 10_000,
    "used": 4_210,
    "reserved": 290,
    "resets_at": _RESETS_AT,
}
EXAMPLE: dict[str, Any] = {"plan": "saas", "items": [_QUOTA]}


class Quota(BaseModel):
    """One limit; `limit` null: there is none. `used` is on the bill of this month (UTC), `reserved` is under
    way or kept for an upload that was just taken. Of a limit on one archive, or on time, nothing is used.
    """

    model_config = shown(_QUOTA)

    name: QuotaName
    limit: int | None
    used: int | None
    reserved: int | None
    resets_at: datetime | None


class QuotaList(BaseModel):
    """All limits, and the plan that they are of."""

    model_config = shown(EXAMPLE)

    plan: str
    items: tuple[Quota, ...]

    @classmethod
    def of(cls, found: contract.QuotaUseList) -> Self:
        return cls.model_validate(found.model_dump())


@router.get(
    "/usage/quotas",
    summary="Get the quotas",
    responses=responses.errors(),
    openapi_extra=needs(Permission.USAGE_READ),
)
async def get_quotas(ask: Asking) -> QuotaList:
    """What your plan allows and how much of it is taken: images a month, images under way at once, the size
    of an archive, the days that results are kept, and the images that test keys may render in a day.

    What counts is what is billed, and what is under way: an image that fails, is refused, is rejected or
    repeats another gives its share back.
    """
    return QuotaList.of(await ask.service(contract.GetQuotaUse()))
