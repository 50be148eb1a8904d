-- name: insert
-- Keep a new human model; the same id again counts unless its photo has been found good: what was sent first
-- may be lost.
insert into human_models as h (tenant_id, id, name, upload_key, consent)
values ($1, $2, $3, $4, $5)
on conflict (tenant_id, id) do update
set status = 'checking', refusal = null, name = excluded.name, upload_key = excluded.upload_key,
    consent = excluded.consent
where h.status <> 'ready'

-- name: count
-- Human models of a tenant.
select count(*) from human_models where tenant_id = $1

-- name: list
-- A page of a tenant's human models after a place, newest first.
select * from human_models
where tenant_id = $1 and ($2::timestamptz is null or (created_at, id) < ($2, $3))
order by created_at desc, id desc limit $4

-- name: get
-- One human model.
select * from human_models where tenant_id = $1 and id = $2

-- name: lock
-- One human model, held until the transaction ends.
select * from human_models where tenant_id = $1 and id = $2 for update

-- name: update
-- Another name, or another consent.
update human_models set name = $3, consent = $4 where tenant_id = $1 and id = $2 returning *

-- name: ready
-- The photo was looked at and written anew.
update human_models
set status = 'ready', media_type = $4, width = $5, height = $6, size = $7, sha256 = $8, torso = $9
where tenant_id = $1 and id = $2 and upload_key = $3 and status = 'checking'

-- name: refuse
-- The photo can be no human model.
update human_models set status = 'refused', refusal = $4
where tenant_id = $1 and id = $2 and upload_key = $3 and status = 'checking'

-- name: delete
-- Forget a human model.
delete from human_models where tenant_id = $1 and id = $2

-- name: unknown_uploads
-- Those of some keys at which no human model still waits to be looked at.
select a.key from unnest($2::text[]) as a(key)
where not exists (
    select from human_models h where h.tenant_id = $1 and h.upload_key = a.key and h.status = 'checking'
)
