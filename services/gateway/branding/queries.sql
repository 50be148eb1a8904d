-- name: store_brand
-- Learn a tenant's brand; an older one that comes late changes nothing.
insert into brands (tenant_id, brand, slug, hosts, revision) values ($1, $2, $3, $4, $5)
on conflict (tenant_id) do update
set brand = excluded.brand, slug = excluded.slug, hosts = excluded.hosts, revision = excluded.revision,
    changed_by = excluded.changed_by
where brands.revision < excluded.revision

-- name: store_entitlement
-- Learn whether a tenant's plan has white-label; an older plan that comes late changes nothing.
insert into brands (tenant_id, entitled, plan_revision) values ($1, $2, $3)
on conflict (tenant_id) do update
set entitled = excluded.entitled, plan_revision = excluded.plan_revision, changed_by = excluded.changed_by
where brands.plan_revision < excluded.plan_revision

-- name: brands_position
-- Where the next reading starts (every transaction before it has ended), and how many brands there are.
select (pg_snapshot_xmin(pg_current_snapshot())::text)::bigint as position, (select count(*) from brands) as known

-- name: brands_since
-- Brands that changed in or after a transaction.
select tenant_id, brand, slug, hosts, entitled from brands where changed_by >= $1
