"""A plan with a tenant's own terms."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from pydantic import JsonValue, TypeAdapter, ValidationError

from libs.common.contracts.plans import overridden
from libs.common.contracts.tenants import Plan, Prices, Quotas, Slug

GOLD = Plan(
    name="Gold",
    byok=True,
    weight=3,
    quotas=Quotas(images_month=1000, members=5),
    prices=Prices(monthly=Decimal("49.90"), image_platform=Decimal("0.1")),
)


def test_without_terms_of_its_own_a_plan_holds_as_it_is() -> None:
    """To the cent."""
    assert overridden(GOLD, {}) == GOLD


def test_what_is_named_differs_and_nothing_else() -> None:
    """Inside of quotas and prices too; null takes a limit away."""
    own: dict[str, JsonValue] = {"sso": True, "quotas": {"members": None}, "prices": {"monthly": "20"}}
    held = overridden(GOLD, own)
    assert held.quotas == Quotas(images_month=1000, members=None)
    assert held.prices == Prices(monthly=Decimal(20), image_platform=Decimal("0.1"))
    assert (held.sso, held.byok, held.weight, held.name) == (True, True, 3, "Gold")


@pytest.mark.parametrize(
    "own",
    [
        {"free_beer": True},
        {"quotas": {"beers": 1}},
        {"quotas": None},
        {"prices": {"monthly": "-1"}},
        {"prices": {"monthly": "NaN"}},
        {"prices": "free"},
        {"weight": 0},
        {"byok": "perhaps"},
    ],
)
def test_terms_that_fit_no_plan_are_refused(own: dict[str, Any]) -> None:
    """Also a name that no plan has: it would say nothing, and look as if it did."""
    with pytest.raises(ValidationError):
        overridden(GOLD, own)


@pytest.mark.parametrize("slug", ["ab", "-ab", "ab-", "Abc", "a.b.c", "a_b", "é-e", "a" * 64, "", "abc\n"])
def test_a_slug_is_a_label_of_a_host_name(slug: str) -> None:
    """RFC 1035, 2.3.1, in lower case, from three letters on."""
    with pytest.raises(ValidationError):
        TypeAdapter(Slug).validate_python(slug)
    assert TypeAdapter(Slug).validate_python("a1-b") == "a1-b"
