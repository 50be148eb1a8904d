"""Listings as CSV (RFC 4180) for whoever reads them in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What makes a spreadsheet compute the text after it, full-width forms included
(https://owasp.org/www-community/attacks/CSV_Injection).
"""
Cell = str | int | float | bool | None


def table(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """A header and a line for each row. columns: names; `plan.name` is a name inside of another."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([cell(_inside(row, column)) for column in columns])
    return text.getvalue()


def cell(value: Any) -> Cell:
    """What stands in a spreadsheet: text that it would compute has an apostrophe before it.

    Numbers stay as they are, also those that are told as text.
    """
    if isinstance(value, list | tuple):
        return cell(" ".join(map(str, value)))
    if isinstance(value, str) and value.startswith(_FORMULA) and not _is_number(value):
        return f"'{value}"
    return value if isinstance(value, str | int | float) else None


def _inside(row: Mapping[str, Any], column: str) -> Any:
    found: Any = row
    for name in column.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _is_number(text: str) -> bool:
    sign, digits = text[0], text[1:]
    return sign in "+-" and digits.isascii() and digits.replace(".", "", 1).isdigit()
