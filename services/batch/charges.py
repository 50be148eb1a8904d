"""Who paid what for an image: one immutable charge, written in the transaction that completes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from libs.common.contracts.ids import BatchId, ImageId, TenantId
from libs.common.contracts.inference import RenderedImage, RenderOutcome, Verdict
from libs.common.contracts.providers import Payer, Route, RouteTaken
from libs.common.db import Row, Transaction
from libs.common.errors import Permanent
from libs.common.providers.cards import PRICE_TABLE, cost, price_of
from services.batch.accounts import Ledger, now, platform
from services.batch.quotas import store as quotas
from services.batch.routing import FALLBACK, month_of
from services.batch.store import sql

PLATFORM = Route(reason="your routing policy is to have the platform compute")
_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Arrival:
    """An outcome that came back, and the route that it says it took (None: the platform's own)."""

    outcome: RenderOutcome
    route: Route | None = None


@dataclass(frozen=True, slots=True)
class Charge:
    """What an image costs and who pays. `billed`: it is on the bill. `routed`: it was released at all."""

    outcome: RenderOutcome
    route: Route
    cost: Decimal
    billed: bool
    routed: bool = True

    @property
    def account(self) -> str | None:
        """What the cost counts on, if there is a cap to keep."""
        return FALLBACK if self.route.fallback else self.route.credential_id

    @property
    def taken(self) -> RouteTaken | None:
        """The route as the image's owner sees it, if there was one."""
        if not self.routed:
            return None
        return RouteTaken(
            provider=self.route.provider,
            payer=self.route.payer,
            credential_id=self.route.credential_id,
            fallback=self.route.fallback,
            reason=self.route.reason,
            cost=self.cost,
        )


def billable(outcome: RenderOutcome) -> bool:
    """Whether a render is on the bill: it worked, and what came out is of use."""
    return isinstance(outcome, RenderedImage) and outcome.verdict is not Verdict.REJECTED


def charge(arrival: Arrival, image: Row, *, test: bool = False) -> Charge:
    """The charge of an image that ended, by the route that was taken and not by the one it is on now. A test
    is for nothing.
    """
    route, billed = _route(arrival.route, image["route"]), billable(arrival.outcome) and not test
    routed = isinstance(arrival.outcome, RenderedImage) or image["status"] == "rendering"
    cost_now = _cost(route, arrival.outcome) if billed else _NOTHING
    return Charge(arrival.outcome, route, cost_now, billed, routed or arrival.route is not None)


def _route(said: Route | None, stored: Mapping[str, Any] | None) -> Route:
    """What the worker says; for the platform's own, that does not know of fallbacks, what the image keeps."""
    if said is not None:
        if (said.payer is Payer.TENANT) is (said.credential_id is None):
            raise Permanent("a route on a tenant's account names its credential, and no other does")
        return said
    if stored is None or stored["payer"] != Payer.PLATFORM:
        return PLATFORM
    return Route(fallback=stored["fallback"], reason=stored["reason"])


def _cost(route: Route, outcome: RenderOutcome) -> Decimal:
    return cost(price_of(route.provider, route.settings.get("model")), _seconds(outcome))


def _seconds(outcome: RenderOutcome) -> Decimal:
    measured = outcome.compute_ms if isinstance(outcome, RenderedImage) else None
    return Decimal(outcome.render_ms if measured is None else measured) / 1000


async def write(
    tx: Transaction,
    tenant: TenantId,
    batch_id: BatchId,
    charges: Sequence[Charge],
    images: Mapping[ImageId, Row],
    ledger: Ledger,
) -> None:
    """Charge what is billed, and settle what was reserved for any of the images, which are still open."""
    ledger.free(tenant, images.values())
    rows = [_columns(one) for one in charges if one.billed]
    written = (
        {row["image_id"] for row in await tx.fetch(sql.insert_charges, tenant, batch_id, rows)}
        if rows
        else {}
    )
    await quotas.count_charged(tx, tenant, batch_id, len(written))
    for one in charges:
        if one.account is not None and one.outcome.image_id in written:
            image = images[one.outcome.image_id]
            month = image["month"] if image["account"] == one.account else month_of(now())
            ledger.charge(tenant, one.account, month, one.cost)


def _columns(one: Charge) -> dict[str, Any]:
    outcome, route = one.outcome, one.route
    assert isinstance(outcome, RenderedImage)
    return {
        "image_id": outcome.image_id,
        "route": "byok" if route.payer is Payer.TENANT else "fallback" if route.fallback else "platform",
        "model": outcome.model,
        "render_ms": outcome.render_ms,
        "compute_ms": outcome.compute_ms,
        "provider": route.provider,
        "payer": route.payer,
        "credential_id": route.credential_id,
        "credential_version": route.credential_version,
        "fallback": route.fallback,
        "reason": route.reason,
        "price_table": PRICE_TABLE,
        "cost": str(one.cost),
        "platform_cost": str(platform().price),
    }
