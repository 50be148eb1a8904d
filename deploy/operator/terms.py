"""Terms of a plan as somebody types them, and as they are shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from libs.client.cli.money import usd

if TYPE_CHECKING:
    from pydantic import JsonValue

    from libs.common.contracts.tenants import Plan

_NONE = ("none", "null", "")
_BOUGHT = {
    "byok": "own keys",
    "human_models": "own human models",
    "custom_models": "own models",
    "white_label": "white-label",
    "sso": "single sign-on",
}
_QUOTAS = {
    "images_month": "{:,} images a month",
    "concurrent_items": "{:,} at once",
    "retention_days": "kept {:,} days",
    "members": "{:,} people",
}


def typed(given: Iterable[str]) -> dict[str, JsonValue]:
    """`quotas.members=5` as what differs of a plan; `none` is no limit. ValueError for anything else."""
    terms: dict[str, Any] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise ValueError(f"{text!r} is not of the form NAME=VALUE, such as quotas.images_month=5000.")
        *groups, last = name.split(".")
        place = terms
        for group in groups:
            place = place.setdefault(group, {})
            if not isinstance(place, dict):
                raise ValueError(f"{name}: {group} was given a value of its own.")
        place[last] = None if value.lower() in _NONE else value
    return terms


def bought(plan: Plan) -> str:
    """The plan in a line."""
    return ", ".join(_parts(plan))


def prices(plan: Plan) -> str:
    """What it costs, in a line; what costs nothing is left out."""
    named = {
        "a month": plan.prices.monthly,
        "an image": plan.prices.image_platform,
        "an image on its own key": plan.prices.image_own_key,
        "an image fallen back": plan.prices.image_fallback,
    }
    return ", ".join(f"{usd(Decimal(price))} USD {unit}" for unit, price in named.items() if price)


def quotas(plan: Plan) -> str:
    """Its limits, in a line."""
    limits = {name: getattr(plan.quotas, name) for name in _QUOTAS}
    return ", ".join(_QUOTAS[name].format(limit) for name, limit in limits.items() if limit is not None)


def _parts(plan: Plan) -> Iterator[str]:
    yield plan.name
    for name, words in _BOUGHT.items():
        if getattr(plan, name):
            yield words
        if name == "byok" and plan.fallback:
            cap = plan.fallback_monthly_cap
            yield "fallback" if cap is None else f"fallback up to {usd(cap)} USD a month"
