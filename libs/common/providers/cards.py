"""Reads the cards beside it."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from functools import cache
from pathlib import Path

import yaml

from libs.common.contracts.providers import Price, PriceUnit, ProviderCard, ProviderName

_FOLDER = Path(__file__).parent
_DIGITS = 8


@cache
def card(provider: ProviderName) -> ProviderCard:
    """What is known of a provider."""
    text = (_FOLDER / f"{provider.value}.yaml").read_text(encoding="utf-8")
    return ProviderCard.model_validate(yaml.safe_load(text))


def cards() -> tuple[ProviderCard, ...]:
    """All of them, in the order of their names' declaration."""
    return tuple(card(provider) for provider in ProviderName)


def price_of(provider: ProviderName, model: str | None = None) -> Price:
    """The price of the model, or else the one that holds for every model."""
    prices = card(provider).prices
    return next(
        (price for price in prices if price.model == model and model is not None),
        next(price for price in prices if price.model is None),
    )


def cost(price: Price, compute_seconds: Decimal) -> Decimal:
    """What one image costs (USD), to the millionth."""
    amount = price.amount if price.unit is PriceUnit.IMAGE else price.amount * compute_seconds
    return amount.quantize(Decimal("0.000001"))


def _price_table() -> str:
    """Names the cards' present content: the newest date of a price, and a digest of all prices."""
    prices = [price.model_dump_json() for one in cards() for price in one.prices]
    newest = max(price.as_of for one in cards() for price in one.prices)
    return f"{newest:%Y-%m-%d}-{hashlib.sha256(''.join(prices).encode()).hexdigest()[:_DIGITS]}"


PRICE_TABLE = _price_table()
"""Version of the prices, as charges name it."""
