"""`make bench [ONLY=name]`: run the benchmarks, print a table, keep the figures in `bench/results/`."""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

NAMES = (
    *("pure", "engine", "leak", "system", "celery", "overhead", "upload", "fairness"),
    *("gateway", "lease", "routing", "byok", "calls", "access", "quotas"),
)
RESULTS = Path(__file__).parent / "results"
console = Console()


def main(arguments: list[str]) -> int:
    names = arguments or list(NAMES)
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        console.print(f"no benchmark named {', '.join(unknown)}; there are {', '.join(NAMES)}", style="red")
        return 2
    table = Table("benchmark", "figure", "value", title=machine())
    for name in names:
        console.print(f"[dim]{name} …[/]")
        figures = asyncio.run(importlib.import_module(f"bench.{name}").run())
        save(name, figures)
        for key, value in figures.items():
            table.add_row(name, key, f"{value:,.2f}")
    console.print(table)
    return 0


def save(name: str, figures: dict[str, float]) -> None:
    """Write `bench/results/<name>.json`."""
    RESULTS.mkdir(exist_ok=True)
    result = {
        "name": name,
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
        "figures": {key: round(value, 4) for key, value in figures.items()},
    }
    (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def machine() -> str:
    """Cores, architecture, system and Python."""
    cores, python = os.cpu_count(), platform.python_version()
    return f"{cores} cores {platform.machine()}, {platform.system()}, Python {python}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
