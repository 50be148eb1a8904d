"""What every schema needs for a tenant's end: a function that deletes all of its rows, and a fence.

`<schema>.erase_tenant(tenant)` runs as the tables' owner, because nobody else may delete what is only ever
added to: charges and entries of audit logs. It takes a whole tenant and nothing less, raises the fence with
it, and only the service's platform role may call it.

`<schema>.erased` is the fence: tenants that are gone, by the SHA-256 of their id. A message that comes late
is dropped there (`Transaction.first_times`), and nobody can take the fence down.
"""

from __future__ import annotations

from libs.common.db.schema import OWNER, execute, platform_walls

_FENCE = """
create table {schema}.erased (
    tenant_sha256 text collate "C" primary key,
    erased_at timestamptz not null default now()
);
comment on column {schema}.erased.tenant_sha256 is 'of its id, hex: the id itself is kept nowhere';
"""

_ERASE = """
create function {schema}.erase_tenant(gone text) returns table (name text, removed bigint)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    whose oid;
begin
    perform set_config('app.erasing', gone, true);
    insert into {schema}.erased (tenant_sha256) values (encode(sha256(convert_to(gone, 'UTF8')), 'hex'))
    on conflict do nothing;
    -- Rows that refer to others go before those: by the longest way of references that leads to a table.
    for whose, name in
        with recursive found as (
            select c.oid, c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid
            where c.relnamespace = '{schema}'::regnamespace and c.relkind in ('r', 'p')
                and not c.relispartition and a.attname = 'tenant_id' and not a.attisdropped
        ), ways as (
            select oid, 0 as length from found
            union
            select f.confrelid, w.length + 1 from ways w join pg_constraint f on f.conrelid = w.oid
            where f.contype = 'f' and f.confrelid <> f.conrelid and w.length < 32
        )
        select f.oid, f.relname::text from found f join ways w using (oid)
        group by f.oid, f.relname order by max(w.length), f.relname
    loop
        execute format('delete from {schema}.%I where tenant_id = $1', name) using gone;
        get diagnostics removed = row_count;
        if removed > 0 then
            return next;
        end if;
    end loop;
end
$$;
revoke all on function {schema}.erase_tenant(text) from public;
grant execute on function {schema}.erase_tenant(text) to {schema}_platform;
"""

_OLDER_TABLES = """
do $$
declare
    name text;
begin
    for name in
        select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid
        where c.relnamespace = '{schema}'::regnamespace and c.relkind in ('r', 'p')
            and a.attname = 'tenant_id' and not a.attisdropped
            and not exists (select from pg_policy p where p.polrelid = c.oid and p.polname = 'erasure')
    loop
        execute format(
            'create policy erasure on {schema}.%I to {owner} using '
            '(tenant_id = (select nullif(current_setting(''app.erasing'', true), ''''))) with check (false)',
            name
        );
    end loop;
end
$$;
"""


def tenants_can_be_erased(schema: str) -> None:
    """Make the fence and the function; tables made before `tenant_walls` knew of erasing get their policy."""
    execute(_FENCE.format(schema=schema))
    platform_walls(schema, "erased", tenants_may_read=True)
    execute(f"create policy erasure on {schema}.erased to {OWNER} using (true) with check (true)")
    execute(f"revoke update, delete on {schema}.erased from {schema}_platform")
    execute(_OLDER_TABLES.format(schema=schema, owner=OWNER))
    execute(_ERASE.format(schema=schema))


def tenants_can_not_be_erased(schema: str) -> None:
    """Undo it; the policies stay, as they let nobody in."""
    execute(f"drop function {schema}.erase_tenant(text); drop table {schema}.erased")
