"""A tenant with a row in every table that tenants have rows in, whatever tables there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import asyncpg

from libs.common.contracts.ids import TenantId
from libs.common.db.migrate import SERVICES

_TABLES = """
with recursive found as (
    select c.oid, n.nspname as schema, c.relname as name
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = any($1) and c.relkind in ('r', 'p') and c.relname <> 'outbox'
        and exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id')
), ways as (
    select oid, 0 as length from found
    union
    select f.conrelid, w.length + 1 from ways w join pg_constraint f on f.confrelid = w.oid
    where f.contype = 'f' and f.confrelid <> f.conrelid and w.length < 32
)
select schema, name from found join ways using (oid) group by schema, name order by max(length), schema, name
"""
_COLUMNS = """
select a.attname as name, format_type(a.atttypid, null) as type
from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
where a.attrelid = $1::text::regclass and a.attnum > 0 and not a.attisdropped and a.attidentity = ''
    and a.attgenerated = ''
    and (a.attnotnull and d.oid is null or a.attname in ('name', 'tenant_id'))
"""
_VALUES = {
    "boolean": "false",
    "bytea": "''",
    "date": "now()",
    "jsonb": "'{}'",
    "timestamp with time zone": "now()",
}
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


async def loosen(admin: Connection) -> None:
    """Let any value into any column: what is checked is no matter here. Keys and references stay."""
    checks = await admin.fetch(
        "select conrelid::regclass::text as table, conname as name from pg_constraint c "
        "join pg_namespace n on n.oid = c.connamespace where c.contype = 'c' and n.nspname = any($1)",
        list(SERVICES),
    )
    for check in checks:
        await admin.execute(f'alter table {check["table"]} drop constraint "{check["name"]}"')


async def fill(admin: Connection, tenant: TenantId, only: Sequence[str] = SERVICES) -> list[str]:
    """One row in each table of these schemas, after `loosen`; which tables. Texts are alike,
    so that references hold.
    """
    filled: list[str] = []
    for table in await admin.fetch(_TABLES, list(only)):
        place = f'"{table["schema"]}"."{table["name"]}"'
        columns = await admin.fetch(_COLUMNS, place)
        values = ", ".join(_value(column["name"], column["type"]) for column in columns)
        names = ", ".join(f'"{column["name"]}"' for column in columns)
        await admin.execute(
            f"insert into {place} ({names}) values ({values.replace('$1', repr(str(tenant)))})"
        )
        filled.append(f"{table['schema']}.{table['name']}")
    return filled


def _value(name: str, kind: str) -> str:
    if name == "tenant_id":
        return "$1"
    if name == "name":
        return "'a shop'"
    if name == "body":
        return "'{}'"
    if kind in ("text", "character varying"):
        return "'crd_' || substr($1, 5)"  # which is an id, for those that want one
    return "'{}'" if kind.endswith("[]") else _VALUES.get(kind, "1")
