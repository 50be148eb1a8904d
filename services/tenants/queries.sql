-- name: insert_tenant
-- Register a tenant, with the plan that holds for it.
insert into tenants (
    tenant_id, name, name_folded, weight, slug, plan, plan_code, plan_definition, plan_revision, contact_email,
    created_by
) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
returning *

-- name: get_tenant
-- One tenant.
select * from tenants where tenant_id = $1

-- name: lock_tenant
-- The same; nobody else changes it until the transaction ends.
select * from tenants where tenant_id = $1 for update

-- name: list_tenants
-- A page of all tenants, in order of their registration. A null filter takes all.
select * from tenants
where ($1::text is null or tenant_id > $1)
    and ($2::text is null or status = $2)
    and ($3::text is null or plan_code = $3)
    and ($4::text is null or starts_with(name_folded, $4) or starts_with(slug, $4))
    and ($5::timestamptz is null or created_at >= $5)
    and ($6::timestamptz is null or created_at < $6)
order by tenant_id limit $7

-- name: update_tenant
-- What it is called, at what host, and who is to be written to.
update tenants set name = $2, slug = $3, contact_email = $4, name_folded = $5 where tenant_id = $1 returning *

-- name: claim_slug
-- A slug is one tenant's at a time, whoever the other is.
insert into slug_claims (tenant_id, slug) values ($1, $2) on conflict (slug) do nothing returning slug

-- name: release_slug
-- The one that the tenant had.
delete from slug_claims where tenant_id = $1

-- name: set_status
-- How a tenant stands; each standing has a higher revision than the one before.
update tenants
set status = $2, status_reason = $3, status_since = now(), status_revision = status_revision + 1
where tenant_id = $1
returning *

-- name: set_plan
-- What a tenant bought from now on; each plan has a higher revision than the one before.
update tenants
set plan = $2, plan_code = $3, plan_overrides = $4, plan_definition = $5, plan_revision = plan_revision + 1
where tenant_id = $1
returning *

-- name: define_plan
-- A new plan, or what an old one is from now on; only other terms make a revision.
insert into plans (code, description, terms) values ($1, $2, $3)
on conflict (code) do update
set description = excluded.description, terms = excluded.terms, retired_at = null, updated_at = now(),
    revision = plans.revision + (plans.terms is distinct from excluded.terms)::int
returning *

-- name: find_plan
-- One plan, retired or not.
select * from plans where code = $1

-- name: lock_plans
-- Let one definition be counted after the other.
select pg_advisory_xact_lock(hashtextextended('plans', 0))

-- name: count_plans
-- How many plans there are beside one.
select count(*)::int from plans where code <> $1

-- name: list_plans
-- Plans ($1 null) or one, by code, each with how many are on it and how many have not been told of its last change.
select p.*, coalesce(t.tenants, 0)::int as tenants, coalesce(t.pending, 0)::int as pending
from plans p left join lateral (
    select count(*) as tenants, count(*) filter (where plan_definition < p.revision) as pending
    from tenants where plan_code = p.code and status <> 'erasing'
) t on true
where ($1::text is null or p.code = $1) and ($2 or p.retired_at is null)
order by p.code

-- name: retire_plan
-- Nobody new is put on it.
update plans set retired_at = coalesce(retired_at, now()) where code = $1 returning code

-- name: behind
-- Tenants whose plan is made of an older definition, some at a time; those in another's hands are left to it.
select t.tenant_id, t.plan_overrides, p.terms, p.revision
from tenants t join plans p on p.code = t.plan_code and t.plan_definition < p.revision
where t.status <> 'erasing'
order by t.tenant_id limit $1 for update of t skip locked

-- name: apply_plans
-- The plans that hold for tenants from now on, of those definitions.
update tenants t set plan = n.plan, plan_definition = n.definition, plan_revision = t.plan_revision + 1
from unnest($1::text[], $2::jsonb[], $3::int[]) as n(tenant_id, plan, definition)
where t.tenant_id = n.tenant_id
returning t.tenant_id, t.plan_code, t.plan, t.plan_definition, t.plan_revision

-- name: insert_api_key
-- Keep a new key's hash.
insert into api_keys (
    tenant_id, id, mode, public_id, sha256, label, scopes, expires_at, allowed_ips, created_by
) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
returning *

-- name: count_active_keys
-- How many keys of the tenant still work.
select count(*)::int from api_keys
where tenant_id = $1 and revoked_at is null and (expires_at is null or expires_at > now())

-- name: get_api_key
-- One key of the tenant.
select * from api_keys where tenant_id = $1 and id = $2

-- name: lock_api_key
-- The same; nobody else changes it until the transaction ends.
select * from api_keys where tenant_id = $1 and id = $2 for update

-- name: list_api_keys
-- A page of a tenant's keys, in order of their issue: all, or those that still work.
select * from api_keys
where tenant_id = $1 and ($2::text is null or id > $2)
    and (not $3 or revoked_at is null and (expires_at is null or expires_at > now()))
order by id limit $4

-- name: update_api_key
-- Another label, fewer scopes, other networks.
update api_keys set label = $3, scopes = $4, allowed_ips = $5, revision = revision + 1
where tenant_id = $1 and id = $2
returning *

-- name: replace_api_key
-- Let a key end $4 seconds from now, if it does not end before, as another takes its place.
update api_keys
set replaced_by = $3, expires_at = least(expires_at, now() + make_interval(secs => $4)), revision = revision + 1
where tenant_id = $1 and id = $2
returning *

-- name: revoke_api_key
-- End a key; the first revocation's time stays.
update api_keys set revoked_at = coalesce(revoked_at, now()) where tenant_id = $1 and id = $2 returning *

-- name: keys_used
-- When keys of a tenant were last used; an earlier moment changes nothing.
update api_keys k set last_used_at = u.at
from unnest($2::text[], $3::timestamptz[]) as u(id, at)
where k.tenant_id = $1 and k.id = u.id and (k.last_used_at is null or k.last_used_at < u.at)
