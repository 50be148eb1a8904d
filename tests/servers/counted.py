"""How many cases the matrices of the security tier tried; told at the end of the run."""

from __future__ import annotations

from collections import Counter

CASES: Counter[str] = Counter()
"""By the name of the matrix."""


def summary() -> str:
    """One line, empty if none ran."""
    return ", ".join(f"{name}: {count:,}" for name, count in sorted(CASES.items()))
