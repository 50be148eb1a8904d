-- name: insert_tenant
-- Register a tenant.
insert into tenants (tenant_id, name, weight) values ($1, $2, $3) returning *

-- name: get_tenant
-- One tenant.
select * from tenants where tenant_id = $1

-- name: list_tenants
-- All tenants, in order of their registration.
select * from tenants order by tenant_id

-- name: set_plan
-- What a tenant bought from now on; each plan has a higher revision than the one before.
update tenants set plan = $2, plan_revision = plan_revision + 1 where tenant_id = $1 returning *

-- name: insert_api_key
-- Keep a new key's hash.
insert into api_keys (tenant_id, id, mode, public_id, sha256, label) values ($1, $2, $3, $4, $5, $6) returning *

-- name: list_api_keys
-- A tenant's keys, in order of their issue.
select * from api_keys where tenant_id = $1 order by id

-- name: revoke_api_key
-- End a key; the first revocation's time stays.
update api_keys set revoked_at = coalesce(revoked_at, now()) where tenant_id = $1 and id = $2 returning *
