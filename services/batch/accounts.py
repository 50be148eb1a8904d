"""How a tenant stands towards routing: its plan, policy and keys, and what it spent this month."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from libs.common.contracts.credentials import Credential
from libs.common.contracts.ids import TenantId
from libs.common.contracts.providers import PriceUnit, ProviderCard, ProviderName
from libs.common.contracts.routing import RoutingPolicy
from libs.common.contracts.tenants import Plan
from libs.common.db import Row, Transaction
from libs.common.providers.cards import PRICE_TABLE, card, cost, price_of
from libs.common.providers.models import abilities_of, model_named, successor
from services.batch.routing import FALLBACK, MOST_FAULTS, Budget, Key, Pause, Platform, Standing, month_of
from services.batch.store import routes

_ASSUMED_SECONDS = Decimal(1)
"""Of computing for an image, where a tenant has none yet on that credential."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What an account has spent and reserved in a month; `images` were charged."""

    images: int = 0
    reserved: Decimal = Decimal(0)
    charged: Decimal = Decimal(0)


@cache
def platform() -> Platform:
    """The platform's own price for an image."""
    return Platform(cost(price_of(ProviderName.ONNX), _ASSUMED_SECONDS), PRICE_TABLE)


async def standing(tx: Transaction, tenant: TenantId, now: datetime) -> Standing:
    """How the tenant stands now."""
    row = await tx.fetchrow(routes.get_routing, tenant)
    found = await tx.fetch(routes.list_credentials, tenant)
    spent = {
        one["account"]: Spent(one["images"], one["reserved"], one["charged"])
        for one in await tx.fetch(routes.list_spend, tenant, month_of(now))
    }
    fallback = spent.get(FALLBACK, Spent())
    return Standing(
        platform=platform(),
        plan=plan(row),
        policy=policy(row),
        keys=tuple(_key(one, spent.get(one["id"], Spent())) for one in found),
        fallback_charged=fallback.charged,
        fallback_reserved=fallback.reserved,
    )


def plan(row: Row | None) -> Plan:
    """What the tenant bought, as far as it was told."""
    return Plan.model_validate(row["plan"]) if row is not None and row["plan"] else Plan()


def policy(row: Row | None) -> RoutingPolicy:
    """What the tenant wants; the platform where it never said."""
    if row is None:
        return RoutingPolicy()
    return RoutingPolicy(**{name: row[name] for name in RoutingPolicy.model_fields})


def _key(row: Mapping[str, Any] | Row, spent: Spent) -> Key:
    credential = Credential.model_validate(row["credential"])
    known = card(credential.provider)
    model = credential.settings.get("model")
    listed = model_named(known, model)
    return Key(
        id=credential.id,
        provider=credential.provider,
        label=credential.label,
        version=credential.version,
        health=credential.health.state,
        abilities=abilities_of(known, credential.settings),
        price=_expected(known, model, spent),
        most=_most(known, model),
        detail=credential.health.detail,
        enabled=credential.enabled,
        priority=credential.priority,
        region=credential.settings.get("region") or credential.settings.get("location"),
        model=model,
        regions=credential.regions,
        models=credential.models,
        expires_at=credential.expires_at,
        retires_on=listed.retires_on if listed else None,
        successor=successor(known, model),
        pause=_pause(row),
        renewed_at=row["renewed_at"],
        budget=Budget(credential.monthly_cap, spent.charged, spent.reserved),
        settings=tuple(sorted(credential.settings.items())),
    )


def _expected(known: ProviderCard, model: str | None, spent: Spent) -> Decimal:
    """By the second, what the tenant's images cost on average this month."""
    price = price_of(known.name, model)
    if price.unit is PriceUnit.SECOND and spent.images:
        return (spent.charged / spent.images).quantize(Decimal("0.000001"))
    return cost(price, _ASSUMED_SECONDS)


def _most(known: ProviderCard, model: str | None) -> Decimal:
    """By the second, a call that takes as long as it may."""
    return cost(price_of(known.name, model), Decimal(str(known.limits.timeout_s)))


def _pause(row: Mapping[str, Any] | Row) -> Pause | None:
    if row["paused_until"] is None:
        return None
    fault = row["fault"] or {}
    failed = bool(fault.get("key")) or row["strikes"] >= MOST_FAULTS
    return Pause(row["paused_until"], failed, fault.get("detail", ""))


def reserve(standing: Standing, account: str | None, amount: Decimal) -> Standing:
    """The same with `amount` reserved on the account."""
    if account is None:
        return standing
    if account == FALLBACK:
        return replace(standing, fallback_reserved=standing.fallback_reserved + amount)
    keys = tuple(
        replace(key, budget=replace(key.budget, reserved=key.budget.reserved + amount))
        if key.id == account
        else key
        for key in standing.keys
    )
    return replace(standing, keys=keys)


@dataclass(slots=True)
class Move:
    """A change of an account's month."""

    images: int = 0
    reserved: Decimal = Decimal(0)
    charged: Decimal = Decimal(0)


@dataclass
class Ledger:
    """What one transaction changes of spending. It is written last, after the rows of batches are held.

    Everyone takes rows in this order, batches before accounts, so that no two wait for each other.
    """

    _moves: dict[TenantId, dict[tuple[str, date], Move]] = field(default_factory=dict)

    def reserve(self, tenant: TenantId, account: str | None, month: date, amount: Decimal) -> None:
        if account is not None:
            self._move(tenant, account, month).reserved += amount

    def free(self, tenant: TenantId, images: Iterable[Mapping[str, Any] | Row]) -> None:
        """Give back what was reserved for images that are no longer in flight."""
        for image in images:
            if image["account"] is not None:
                self._move(tenant, image["account"], image["month"]).reserved -= image["reserved"]

    def charge(self, tenant: TenantId, account: str, month: date, amount: Decimal) -> None:
        move = self._move(tenant, account, month)
        move.charged += amount
        move.images += 1

    async def write(self, tx: Transaction) -> None:
        for tenant, moves in sorted(self._moves.items()):
            accounts = sorted(moves.items())
            await tx.execute(
                routes.move_spend,
                tenant,
                [account for (account, _), _ in accounts],
                [month for (_, month), _ in accounts],
                [move.images for _, move in accounts],
                [move.reserved for _, move in accounts],
                [move.charged for _, move in accounts],
            )

    def _move(self, tenant: TenantId, account: str, month: date) -> Move:
        return self._moves.setdefault(tenant, {}).setdefault((account, month), Move())


def now() -> datetime:
    """The moment by which months and ends are judged."""
    return datetime.now(UTC)
