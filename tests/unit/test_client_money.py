"""Money on the terminal."""

from __future__ import annotations

from decimal import Decimal

import pytest

from libs.client.cli.money import usd


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("250.000000", "250.00"),
        ("0.012000", "0.012"),
        ("0", "0.00"),
        ("1E+2", "100.00"),
        ("0.0336", "0.0336"),
    ],
)
def test_an_amount_is_shown_to_the_cent_and_no_further_than_it_goes(amount: str, shown: str) -> None:
    """Whatever its decimal places are."""
    assert usd(Decimal(amount)) == shown


def test_no_amount_is_shown_as_nothing() -> None:
    """As where there is no cap."""
    assert usd(None) == ""
