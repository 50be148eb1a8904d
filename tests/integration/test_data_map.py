"""The data map names every table that there is, so that nothing is kept that nobody accounted for."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg

from libs.common.db.migrate import SERVICES
from tests.servers.databases import TestDatabase

MAP = Path(__file__).parents[2] / "docs" / "compliance" / "data-map.md"
TABLES = """
select n.nspname || '.' || c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and n.nspname = any(%s)
"""


def test_every_table_is_on_the_map_and_nothing_else(database: TestDatabase) -> None:
    """A new table fails until somebody wrote down what it holds, why, and until when."""
    mapped = set(re.findall(r"^\| `([a-z*]+\.[a-z_]+)`", MAP.read_text("utf-8"), re.MULTILINE))
    mapped |= set(re.findall(r"`(\*\.[a-z_]+)`", MAP.read_text("utf-8")))
    everywhere = {name.removeprefix("*.") for name in mapped if name.startswith("*.")}
    with psycopg.connect(database.admin_url) as admin:
        tables = {str(row[0]) for row in admin.execute(TABLES, [list(SERVICES)]).fetchall()}
    own = {table for table in tables if table.partition(".")[2] not in everywhere}
    assert own - mapped == set()
    assert {name for name in mapped if not name.startswith("*.")} - own == set()


def test_every_line_says_class_reason_and_end() -> None:
    """Of the known classes."""
    rows = [line for line in MAP.read_text("utf-8").splitlines() if re.match(r"\| `[a-z*]+\.", line)]
    assert len(rows) > 50
    for row in rows:
        _, kind, what, _ = (cell.strip() for cell in row.strip("|").split("|"))
        assert kind in {"personal", "content", "secret", "business", "technical"}, row
        assert what, row
