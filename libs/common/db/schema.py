"""What every migration needs: tables with their row-level security, and the outbox and inbox."""

from __future__ import annotations

from alembic import op

OWNER = "mannequin_owner"
"""Of every table and function; nobody logs in as it."""
_SETTING = "(select nullif(current_setting('app.{name}', true), ''))"

_POLICIES = """
alter table {schema}.{table} enable row level security;
alter table {schema}.{table} force row level security;
create policy tenant on {schema}.{table} to {schema}
    using (tenant_id = {tenant}) with check (tenant_id = {tenant});
create policy platform on {schema}.{table} to {schema}_platform
    using ({reason} is not null) with check ({reason} is not null);
create policy erasure on {schema}.{table} to {owner} using (tenant_id = {erasing}) with check (false);
"""

_PLATFORM_POLICIES = """
alter table {schema}.{table} enable row level security;
alter table {schema}.{table} force row level security;
create policy platform on {schema}.{table} to {schema}_platform
    using ({reason} is not null) with check ({reason} is not null);
"""
_ALL_MAY_READ = """
create policy read on {schema}.{table} for select to {schema} using (true);
revoke insert, update, delete on {schema}.{table} from {schema};
"""

_MESSAGES = """
create table {schema}.outbox (
    id bigint generated always as identity primary key,
    tenant_id text collate "C",
    message_id text collate "C" not null,
    headers jsonb not null,
    data bytea not null,
    created_at timestamptz not null default now()
);
create table {schema}.inbox (
    tenant_id text collate "C",
    queue text collate "C" not null,
    message_id text collate "C" not null,
    received_at timestamptz not null default now(),
    primary key (queue, message_id)
);
create index inbox_received_at on {schema}.inbox (received_at);
"""


def execute(sql: str) -> None:
    """Run statements as they stand (no `%` or `:name` is special)."""
    op.get_bind().exec_driver_sql(sql.replace("%", "%%"))


def tenant_walls(schema: str, *tables: str) -> None:
    """Force row-level security on tables that have a `tenant_id`.

    Their owner sees nothing either, but for the rows that `erase_tenant` (see `erasing.py`) is deleting.
    """
    for table in tables:
        execute(
            _POLICIES.format(
                schema=schema,
                table=table,
                tenant=_SETTING.format(name="tenant_id"),
                reason=_SETTING.format(name="platform_reason"),
                owner=OWNER,
                erasing=_SETTING.format(name="erasing"),
            )
        )


def platform_walls(schema: str, *tables: str, tenants_may_read: bool = False) -> None:
    """The same for tables of the platform's own, without a `tenant_id`: its role alone may touch them.

    tenants_may_read: what stands there is no secret to any tenant, and its transactions need it.
    """
    rest = _ALL_MAY_READ if tenants_may_read else "revoke all on {schema}.{table} from {schema};"
    for table in tables:
        reason = _SETTING.format(name="platform_reason")
        execute((_PLATFORM_POLICIES + rest).format(schema=schema, table=table, reason=reason))


def outbox_and_inbox(schema: str) -> None:
    """The two tables that give messages their exactly-once effect."""
    execute(_MESSAGES.format(schema=schema))
    tenant_walls(schema, "outbox", "inbox")
