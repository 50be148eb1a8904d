"""A usage report as CSV (RFC 4180), and whether that is what was asked for."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from libs.common.contracts.routing import UsageGroup, UsageReport

CSV = "text/csv"
_FIGURES = ("images", "compute_seconds", "cost", "platform_cost")


def prefers_csv(accept: str) -> bool:
    """Whether an Accept header (RFC 9110, 12.5.1) ranks CSV above JSON."""
    ranks = dict(_ranks(accept))
    anything = ranks.get("*/*", 0.0)
    return ranks.get(CSV, ranks.get("text/*", 0.0)) > ranks.get(
        "application/json", ranks.get("application/*", anything)
    )


def usage_csv(report: UsageReport, groups: tuple[UsageGroup, ...]) -> str:
    """A line for each row; the total is left to whoever adds up."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([*groups, *_FIGURES, "currency"])
    for row in report.rows:
        shown = row.model_dump(mode="json")
        writer.writerow([*(shown[name] for name in (*groups, *_FIGURES)), report.currency])
    return text.getvalue()


def _ranks(accept: str) -> Iterator[tuple[str, float]]:
    for part in accept.lower().split(","):
        media_type, *parameters = (piece.strip() for piece in part.split(";"))
        weight = next((given[2:] for given in parameters if given.startswith("q=")), "1")
        try:
            yield media_type, float(weight)
        except ValueError:
            yield media_type, 0.0
