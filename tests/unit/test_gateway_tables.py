"""Listings as CSV: what a spreadsheet must not compute."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from services.gateway.tables import cell, table


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+cmd|' /C calc'!A0",
        "-2+3",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "＝1+1",
        "-",
        "+",
        "-1e5",
        "-0x1",
    ],
)
def test_text_that_a_spreadsheet_would_compute_is_shown_as_text(text: str) -> None:
    """A tenant chooses its name, and somebody of the platform opens the list."""
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize("value", ["Maison Étoile", "-12.50", "+3", "0.08", -4, 1.5, True, None, "", "a=b"])
def test_numbers_and_ordinary_text_stay_as_they_are(value: Any) -> None:
    """A margin can be below zero, and still be added up."""
    assert cell(value) == value


def test_a_row_has_a_cell_for_each_column() -> None:
    """Names inside of others, several values in one cell, and nothing where nothing is."""
    rows: list[dict[str, Any]] = [
        {"id": 1, "plan": {"name": "=x", "prices": {"monthly": "9"}}, "scopes": ["a", "b"]},
        {"id": 2},
    ]
    text = table(("id", "plan.name", "plan.prices.monthly", "scopes", "plan.none.at_all"), rows)
    assert list(csv.reader(io.StringIO(text))) == [
        ["id", "plan.name", "plan.prices.monthly", "scopes", "plan.none.at_all"],
        ["1", "'=x", "9", "a b", ""],
        ["2", "", "", "", ""],
    ]


def test_what_is_quoted_comes_out_as_it_was() -> None:
    """Commas, quotes and line breaks within a name."""
    name = 'Étoile, "the" star\r\nof Lyon'
    assert list(csv.reader(io.StringIO(table(("name",), [{"name": name}]))))[1] == [name]
