"""Amounts of money as people read them."""

from __future__ import annotations

from decimal import Decimal

_CENTS = 2


def usd(amount: Decimal | None) -> str:
    """`12.50`, `0.0336`: down to the cent, and further as far as there is something; nothing for None."""
    if amount is None:
        return ""
    exponent = amount.normalize().as_tuple().exponent
    assert isinstance(exponent, int)  # as an amount is a number
    return f"{amount:.{max(_CENTS, -exponent)}f}"
