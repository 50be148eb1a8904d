"""Looking for words in everything that a database holds, past every wall: for its administrator alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import asyncpg
from pydantic import SecretStr

from libs.common.db.transaction import Row
from libs.common.errors import Unavailable

_TABLES = """
select n.nspname as schema, c.relname as name,
    array(select a.attname::text from pg_attribute a
          where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'm') and n.nspname <> 'information_schema' and n.nspname not like 'pg\\_%'
order by 1, 2
"""


async def search(admin_url: SecretStr, words: Sequence[str]) -> Mapping[str, int]:
    """Rows in which one of the words stands, by `schema.table.column`; those without any are left out.

    Bytes are looked through as well. It reads every table once. Unavailable where the server is not there.
    """
    try:
        connection = await asyncpg.connect(admin_url.get_secret_value())
    except (OSError, asyncpg.PostgresError) as error:
        raise Unavailable(f"the database can't be searched: {type(error).__name__}") from error
    try:
        found: dict[str, int] = {}
        for table in await connection.fetch(_TABLES):
            found |= await _in_table(connection, table, words)
        return found
    finally:
        await connection.close()


async def _in_table(connection: asyncpg.Connection[Row], table: Row, words: Sequence[str]) -> dict[str, int]:
    if not table["columns"]:
        return {}
    forms = [*words, *(word.encode().hex() for word in words)]
    counts = ", ".join(
        f"count(*) filter (where exists (select from unnest($1::text[]) w where position(w in {column}) > 0))"
        for column in (f'"{name}"::text' for name in table["columns"])
    )
    row = await connection.fetchrow(
        f'select {counts} from "{table["schema"]}"."{table["name"]}"',  # noqa: S608  # of the catalogue
        forms,
    )
    assert row is not None
    place = f"{table['schema']}.{table['name']}"
    return {
        f"{place}.{column}": count
        for column, count in zip(table["columns"], row.values(), strict=True)
        if count
    }
