"""SQL lives in `.sql` files as named blocks, each with one line on what it is for.

-- name: claim_due
-- Take deliveries whose time has come.
select …
"""

from __future__ import annotations

import re
from importlib.resources import files

_BLOCK = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


class Queries:
    """The named blocks of one package's `queries.sql`, as attributes; AttributeError for an unknown name."""

    def __init__(self, package: str, filename: str = "queries.sql") -> None:
        parts = _BLOCK.split(files(package).joinpath(filename).read_text(encoding="utf-8"))
        self._blocks: dict[str, str] = dict(
            zip(parts[1::2], (block.strip() for block in parts[2::2]), strict=True)
        )

    def __getattr__(self, name: str) -> str:
        try:
            return self._blocks[name]
        except KeyError:
            raise AttributeError(f"queries.sql has no block named {name}") from None
