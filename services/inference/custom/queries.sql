-- name: put_plan
-- What a tenant bought; a higher revision replaces a lower one.
insert into plans (tenant_id, custom_models, revision) values ($1, $2, $3)
on conflict (tenant_id) do update set custom_models = excluded.custom_models, revision = excluded.revision
where plans.revision < excluded.revision

-- name: may_have_models
-- Whether a tenant's plan holds models of its own.
select custom_models from plans where tenant_id = $1

-- name: lock_tenant
-- One change of a tenant's models at a time.
select pg_advisory_xact_lock(hashtextextended('inference.custom:' || $1, 0))

-- name: count_versions
-- How many files are kept of a tenant.
select count(*) from model_versions where tenant_id = $1

-- name: name_model
-- The model of a name, made if there is none yet.
insert into custom_models (tenant_id, id, name) values ($1, $2, $3)
on conflict (tenant_id, name) do update set name = excluded.name
returning id

-- name: add_version
-- A file to be looked at; once more if it was refused, as it may have come with another card now.
insert into model_versions (tenant_id, sha256, model_id, key, size, card) values ($1, $2, $3, $4, $5, $6)
on conflict (tenant_id, sha256) do update
set model_id = excluded.model_id, key = excluded.key, card = excluded.card, status = 'checking', reason = null
where model_versions.status = 'refused'

-- name: get_version
-- One version.
select * from model_versions where tenant_id = $1 and sha256 = $2

-- name: judge_version
-- What the sandbox found of a version; its first word stays.
update model_versions set status = $3, opset = $4, run_ms = $5, memory_mib = $6, reason = $7
where tenant_id = $1 and sha256 = $2 and status = 'checking'

-- name: list_models
-- A tenant's models, or one of them.
select * from custom_models where tenant_id = $1 and ($2::text is null or id = $2) order by id

-- name: list_versions
-- The versions of all models, or of one, the newest first.
select * from model_versions where tenant_id = $1 and ($2::text is null or model_id = $2)
order by created_at desc, sha256

-- name: delete_model
-- Forget a model with its versions.
delete from custom_models where tenant_id = $1 and id = $2 returning *

-- name: get_rollout
-- Which versions serve a tenant.
select * from rollouts where tenant_id = $1

-- name: put_rollout
-- Which versions serve a tenant from now on.
insert into rollouts (tenant_id, live, canary, canary_share, previous) values ($1, $2, $3, $4, $5)
on conflict (tenant_id) do update
set live = excluded.live, canary = excluded.canary, canary_share = excluded.canary_share,
    previous = excluded.previous

-- name: serving
-- The files that serve a tenant, if its plan still has them.
select v.sha256, v.key, v.card, v.model_id, m.name, r.canary = v.sha256 as canary, r.canary_share
from rollouts r
join plans p on p.tenant_id = r.tenant_id and p.custom_models
join model_versions v on v.tenant_id = r.tenant_id and v.sha256 in (r.live, r.canary)
join custom_models m on m.tenant_id = v.tenant_id and m.id = v.model_id
where r.tenant_id = $1

-- name: unnamed_files
-- Those of some keys that no version names.
select a.key from unnest($2::text[]) as a(key)
where not exists (select from model_versions v where v.tenant_id = $1 and v.key = a.key)
