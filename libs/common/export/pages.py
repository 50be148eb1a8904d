"""Pages over all rows of a tenant in one schema, by the live catalogue: new tables are in by themselves."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from libs.common.bus.bus import Responder
from libs.common.bus.responders import for_tenant
from libs.common.contracts.erasure import ExportedRows, ExportRows
from libs.common.contracts.ids import TenantId
from libs.common.db import Database, Row, Transaction
from libs.common.errors import Invalid
from libs.common.export.columns import LEFT_OUT, exported

MOST_ROWS = 500
MOST_BYTES = 400_000
"""Of the rows of a page as JSON, but for the last one: a reply on the bus has at most a megabyte."""

_TABLES = """
select c.relname as name,
    (select array_agg(a.attname::text) from pg_attribute a
     where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns,
    (select array_agg(a.attname::text order by k.place) from pg_index i,
        unnest(i.indkey::smallint[]) with ordinality as k (number, place)
        join pg_attribute a on a.attnum = k.number
     where i.indrelid = c.oid and i.indisprimary and a.attrelid = c.oid) as key,
    (select array_agg(format_type(a.atttypid, null) order by k.place) from pg_index i,
        unnest(i.indkey::smallint[]) with ordinality as k (number, place)
        join pg_attribute a on a.attnum = k.number
     where i.indrelid = c.oid and i.indisprimary and a.attrelid = c.oid) as types
from pg_class c
where c.relnamespace = $1::text::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
    and exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id')
    and c.relname <> all ($2::text[]) and c.relname >= $3
order by c.relname collate "C"
"""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a page begins: after the row whose primary key, as text, is `after`; at the start if empty."""

    table: str = ""
    after: tuple[str, ...] = ()

    def sealed(self) -> str:
        return urlsafe_b64encode(json.dumps([self.table, *self.after]).encode()).decode()

    @classmethod
    def opened(cls, cursor: str | None) -> _Place:
        """Invalid for a cursor that is none of ours."""
        if cursor is None:
            return cls()
        try:
            opened = json.loads(urlsafe_b64decode(cursor))
            if not isinstance(opened, list):
                raise ValueError
            table, *after = map(str, opened)
        except ValueError:
            raise Invalid("the cursor is not one that a page came with", field="cursor") from None
        return cls(table, tuple(after))


async def page(tx: Transaction, cursor: str | None) -> ExportedRows:
    """Rows of the transaction's tenant, table by table in the order of their names and primary keys.

    What is not in a table's own primary-key order yet may change between two pages: an export is no snapshot.
    Invalid for a cursor that is none of ours.
    """
    place = _Place.opened(cursor)
    tables = await tx.fetch(_TABLES, tx.schema, list(LEFT_OUT), place.table)
    for number, table in enumerate(tables):
        after = place.after if table["name"] == place.table else ()
        found = await _rows(tx, table, after)
        if found:
            rows = _cut(found)
            more = len(rows) < len(found) or len(found) == MOST_ROWS
            return _page(table, rows, tables[number + 1 :], more)
    return ExportedRows(table="", rows=())


def rows_responder(database: Database) -> Responder:
    """Answers a service's `ExportRows`."""

    async def answer(query: ExportRows, tenant: TenantId) -> ExportedRows:
        async with database.tenant(tenant) as tx:
            return await page(tx, query.cursor)

    return for_tenant(answer)


async def _rows(tx: Transaction, table: Row, after: Sequence[str]) -> list[Row]:
    """Rows after a primary key. Names come from the catalogue, values as parameters."""
    if after and len(after) != len(table["key"]):
        raise Invalid("the cursor is not one that a page came with", field="cursor")
    schema, name = tx.schema, table["name"]
    key = ", ".join(f'"{column}"' for column in table["key"])
    kept = [column for column in table["columns"] if not exported(schema, name, column)]
    bounds = ", ".join(f"(${n}::text)::{kind}" for n, kind in enumerate(table["types"], start=3))
    return await tx.fetch(
        f"select (to_jsonb(t) - $1::text[])::text as row, array[{_texts(table['key'])}] as key "  # noqa: S608
        f'from "{schema}"."{name}" t where tenant_id = $2 {f"and ({key}) > ({bounds})" if after else ""} '
        f"order by {key} limit {MOST_ROWS}",
        kept,
        tx.tenant,
        *after,
    )


def _texts(columns: Sequence[str]) -> str:
    return ", ".join(f'"{column}"::text' for column in columns)


def _cut(rows: Sequence[Row]) -> Sequence[Row]:
    """As many as fit into a page; one at least."""
    size = 0
    for count, row in enumerate(rows):
        size += len(row["row"].encode())
        if size > MOST_BYTES and count:
            return rows[:count]
    return rows


def _page(table: Row, rows: Sequence[Row], rest: Sequence[Row], more: bool) -> ExportedRows:
    following = None
    if more:
        following = _Place(table["name"], tuple(rows[-1]["key"])).sealed()
    elif rest:
        following = _Place(rest[0]["name"]).sealed()
    return ExportedRows(
        table=table["name"], rows=tuple(json.loads(row["row"]) for row in rows), next_cursor=following
    )
