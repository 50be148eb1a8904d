-- name: upsert_tenant
-- Remember a tenant's weight for fair dispatch.
insert into tenants (tenant_id, weight) values ($1, $2)
on conflict (tenant_id) do update set weight = excluded.weight

-- name: upsert_status
-- Remember whether a tenant's images may be released; an older revision changes nothing.
insert into tenants (tenant_id, weight, status, status_revision) values ($1, 1, $2, $3)
on conflict (tenant_id) do update set status = excluded.status, status_revision = excluded.status_revision
where tenants.status_revision < excluded.status_revision

-- name: insert_batch
-- Accept a batch; a second submission of the same id changes nothing.
insert into batches (tenant_id, id, kind, status, submitted_by, test, archive_key, archive_size, options,
                     traceparent, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
on conflict do nothing

-- name: lock_batch
-- Take the batch's row for this transaction: whoever changes its images holds it first.
select * from batches where tenant_id = $1 and id = $2 for update

-- name: get_batch
-- One batch.
select * from batches where tenant_id = $1 and id = $2

-- name: list_batches
-- A page of a tenant's batches, newest first.
select * from batches
where tenant_id = $1 and kind = 'archive' and ($2::text is null or id < $2)
order by id desc limit $3

-- name: insert_images
-- Add the images of one slice of the archive; those that are there already stay as they are.
insert into images (tenant_id, id, batch_id, position, name, status, photo, inside, paired_with, garment, sku,
                    note, duplicate_of, failure_code, failure_detail, sequence, ended_at, test)
select $1, o.id, $2, o.position, o.name, o.status, o.photo, o.inside, o.paired_with, o.garment, o.sku,
       o.note, o.duplicate_of, o.failure_code, o.failure_detail, o.sequence,
       case when o.sequence is not null then now() end, $4
from jsonb_to_recordset($3) as o(id text, position int, name text, status text, photo jsonb, inside jsonb,
                                 paired_with text, garment text, sku text, note text, duplicate_of text,
                                 failure_code text, failure_detail text, sequence int)
on conflict do nothing

-- name: move_counts
-- Add to the batch's counters, and say how it stands then.
update batches
set total = total + $3, ready = ready + $4, waiting = waiting + $5, rendering = rendering + $6,
    completed = completed + $7, failed = failed + $8, refused = refused + $9, cancelled = cancelled + $10,
    paired = paired + $11, duplicates = duplicates + $12, rejected = rejected + $13, billable = billable + $14,
    sequence = sequence + $15, parked = parked + $16
where tenant_id = $1 and id = $2
returning *

-- name: advance_split
-- Remember how far the archive is split.
update batches set split_next = $3, status = $4, started_at = coalesce(started_at, now()), split_until = null
where tenant_id = $1 and id = $2

-- name: keep_splitting
-- Hold on to a batch that is being split.
update batches set split_next = $3, status = 'splitting', started_at = coalesce(started_at, now()),
                   split_until = now() + make_interval(secs => $4)
where tenant_id = $1 and id = $2

-- name: claim_split
-- Take the oldest batch that nobody splits.
update batches set split_until = now() + make_interval(secs => $1)
where (tenant_id, id) = (
    select tenant_id, id from batches
    where status in ('accepted', 'splitting') and (split_until is null or split_until < now())
    order by created_at limit 1 for update skip locked
)
returning *

-- name: end_batch
-- Close the batch.
update batches set status = $3, failure_code = $4, failure_detail = $5, ended_at = now(), split_until = null
where tenant_id = $1 and id = $2
returning *

-- name: reopen_batch
-- Begin another round with the failed images.
update batches
set status = 'processing', round = round + 1, failure_code = null, failure_detail = null, ended_at = null,
    cancelling = false
where tenant_id = $1 and id = $2

-- name: mark_cancelling
-- Release nothing more of the batch.
update batches set cancelling = true where tenant_id = $1 and id = $2

-- name: cancel_waiting
-- End the images that wait, numbered from $3 on.
with ended as (
    select id, parked is not null as parked, $3 + row_number() over (order by position) as sequence from images
    where tenant_id = $1 and batch_id = $2 and status = 'waiting'
)
update images i set status = 'cancelled', sequence = ended.sequence, ended_at = now(), parked = null
from ended where i.tenant_id = $1 and i.id = ended.id
returning i.duplicate_of, ended.parked

-- name: reset_failed
-- Put the failed images back in line.
update images
set status = 'waiting', attempts = 0, failure_code = null, failure_detail = null, sequence = null,
    ended_at = null, released_at = null, render_ms = null, route = null, faults = null, faulted_at = null
where tenant_id = $1 and batch_id = $2 and status = 'failed'
returning duplicate_of

-- name: known_photos
-- What is known of a batch's photos so far, to find repeated ones after a restart.
select id, photo, garment from images
where tenant_id = $1 and batch_id = $2 and photo is not null and inside is null and duplicate_of is null

-- name: get_image
-- One image.
select * from images where tenant_id = $1 and id = $2

-- name: list_images
-- A page of a batch's images in the archive's order.
select * from images
where tenant_id = $1 and batch_id = $2 and position > $3 and (cardinality($4::text[]) = 0 or status = any($4))
order by position limit $5

-- name: list_ended
-- Images that ended after a sequence number.
select * from images where tenant_id = $1 and batch_id = $2 and sequence > $3 order by sequence limit $4

-- name: lock_dispatch
-- One dispatcher at a time, whatever the number of replicas; the moment of its turn, by one clock for all.
select pg_advisory_xact_lock(7355609), clock_timestamp() as now

-- name: demands
-- Tenants whose images wait, with their weights and whether their own keys come into it: never for tests.
select b.tenant_id, b.test, sum(b.ready)::int as ready,
       coalesce(max((r.plan->>'weight')::int), max(t.weight), 1) as weight,
       coalesce(max(r.policy), 'platform') <> 'platform' and not b.test as byok
from batches b left join tenants t using (tenant_id) left join routing r using (tenant_id)
where b.ready > 0 and b.kind = 'archive' and not b.cancelling and coalesce(t.status, 'active') = 'active'
group by b.tenant_id, b.test

-- name: count_rendering
-- Images in flight of each tenant, on each credential and (null) on the platform.
select tenant_id, credential_id, count(*)::int as images from images
where status = 'rendering' group by tenant_id, credential_id

-- name: concurrency
-- Tenants that may have only so many images in flight.
select tenant_id, (plan->'quotas'->>'concurrent_items')::int as most from routing
where plan->'quotas'->>'concurrent_items' is not null

-- name: waiting_singles
-- Single images that wait, in order of arrival, but for those of tenants that have as many in flight as they may.
select b.tenant_id, b.id, coalesce(r.policy, 'platform') <> 'platform' and not b.test as byok
from batches b left join routing r using (tenant_id) left join tenants t using (tenant_id)
where b.ready > 0 and b.kind = 'single' and not b.cancelling and coalesce(t.status, 'active') = 'active'
  and b.tenant_id <> all($2::text[])
order by b.id limit $1

-- name: lock_next_batch
-- The tenant's oldest batch that has something to release, among those of the given kinds of key.
select * from batches
where tenant_id = $1 and ready > 0 and kind = 'archive' and not cancelling and test = any($2::boolean[])
order by id limit 1 for update

-- name: take_images
-- Release up to $3 images of a batch.
with taken as (
    select id from images
    where tenant_id = $1 and batch_id = $2 and status = 'waiting' and duplicate_of is null and parked is null
    order by position limit $3
)
update images i set status = 'rendering', released_at = now(), attempts = attempts + 1
from taken where i.tenant_id = $1 and i.id = taken.id
returning i.id, i.position, i.photo, i.inside, i.garment

-- name: stale_batches
-- Batches with images whose outcome is overdue.
select distinct tenant_id, batch_id from images
where status = 'rendering' and released_at < now() - make_interval(secs => $1)
limit 100

-- name: take_back_stale
-- Put overdue images of a batch back in line; what was reserved for each.
with stale as (
    select id, account, month, reserved from images
    where tenant_id = $1 and batch_id = $2 and status = 'rendering'
      and released_at < now() - make_interval(secs => $3)
)
update images i
set status = 'waiting', released_at = null, route = null, credential_id = null, credential_version = null,
    account = null, month = null, reserved = null
from stale where i.tenant_id = $1 and i.id = stale.id
returning i.id, stale.account, stale.month, stale.reserved

-- name: lock_open_images
-- Those of a batch's images that have not ended yet.
select id, status, parked is not null as parked, route, credential_id, credential_version, account, month,
       reserved, faults
from images
where tenant_id = $1 and batch_id = $2 and id = any($3) and status in ('waiting', 'rendering') for update

-- name: open_duplicates
-- Images that wait for the outcome of another.
select id, duplicate_of from images
where tenant_id = $1 and duplicate_of = any($2) and status = 'waiting' for update

-- name: copy_ended
-- Give repeated photos the outcome of an original that ended before they were found, numbered after $3.
with late as (
    select c.id as copy, row_number() over (order by c.position) as place, o.*
    from images c join images o on o.tenant_id = c.tenant_id and o.id = c.duplicate_of
    where c.tenant_id = $1 and c.batch_id = $2 and c.status = 'waiting' and o.status in ('completed', 'failed')
)
update images i
set status = late.status, result_key = late.result_key, media_type = late.media_type, width = late.width,
    height = late.height, size = late.size, sha256 = late.sha256, verdict = late.verdict, score = late.score,
    reasons = late.reasons, findings = late.findings, preserved_fraction = late.preserved_fraction,
    synthesized_fraction = late.synthesized_fraction, digital_source_type = late.digital_source_type,
    landmarks = late.landmarks, photo_width = late.photo_width, photo_height = late.photo_height,
    renditions = late.renditions, artefacts = late.artefacts, model = late.model, render_ms = late.render_ms,
    failure_code = late.failure_code, failure_detail = late.failure_detail, sequence = $3 + late.place,
    route = late.route || '{"cost": "0"}',
    ended_at = now()
from late where i.tenant_id = $1 and i.id = late.copy
returning i.*

-- name: record_outcomes
-- Write how images ended.
update images i
set status = o.status, result_key = o.result_key, media_type = o.media_type, width = o.width,
    height = o.height, size = o.size, sha256 = o.sha256, verdict = o.verdict, score = o.score,
    reasons = coalesce(o.reasons, '{}'), findings = coalesce(o.findings, '[]'),
    preserved_fraction = o.preserved_fraction, synthesized_fraction = o.synthesized_fraction,
    digital_source_type = o.digital_source_type, landmarks = o.landmarks, photo_width = o.photo_width,
    photo_height = o.photo_height, renditions = coalesce(o.renditions, '[]'),
    artefacts = coalesce(o.artefacts, '[]'), billable = coalesce(o.billable, false), model = o.model,
    render_ms = o.render_ms, route = o.route, credential_id = null, credential_version = null, account = null,
    month = null, reserved = null, parked = null, faults = null, faulted_at = null,
    failure_code = o.failure_code, failure_detail = o.failure_detail, sequence = o.sequence, ended_at = now()
from jsonb_to_recordset($2) as o(id text, status text, result_key text, media_type text, width int, height int,
    size bigint, sha256 text, verdict text, score float8, reasons text[], findings jsonb,
    preserved_fraction float8, synthesized_fraction float8, digital_source_type text, landmarks jsonb,
    photo_width int, photo_height int, renditions jsonb, artefacts jsonb, billable boolean, model text, render_ms int, route jsonb, failure_code text,
    failure_detail text, sequence int)
where i.tenant_id = $1 and i.id = o.id
returning i.*

-- name: insert_charges
-- One immutable charge for each image that was rendered and is worth it; those that are new.
insert into charges (tenant_id, image_id, batch_id, route, model, render_ms, provider, payer, credential_id,
                     credential_version, fallback, reason, compute_ms, price_table, cost, platform_cost)
select $1, o.image_id, $2, o.route, o.model, o.render_ms, o.provider, o.payer, o.credential_id,
       o.credential_version, o.fallback, o.reason, o.compute_ms, o.price_table, o.cost, o.platform_cost
from jsonb_to_recordset($3) as o(image_id text, route text, model text, render_ms int, provider text,
    payer text, credential_id text, credential_version int, fallback boolean, reason text, compute_ms int,
    price_table text, cost numeric, platform_cost numeric)
on conflict do nothing
returning image_id

-- name: backlog
-- What waits, for autoscaling.
select coalesce(sum(ready), 0)::int as images, coalesce(sum(parked), 0)::int as parked,
       coalesce(extract(epoch from now() - min(created_at) filter (where ready > 0)), 0)::float8 as oldest_s
from batches where ready > 0 or parked > 0

-- name: mark_expired
-- Take batches that ended longer ago than their tenants' plans keep them, and those that were taken before.
update batches b set expired_at = coalesce(b.expired_at, now())
where (b.tenant_id, b.id) in (
    select e.tenant_id, e.id from batches e join routing r using (tenant_id)
    where e.ended_at is not null
      and (e.expired_at is not null
           or e.ended_at < now() - make_interval(days => (r.plan->'quotas'->>'retention_days')::int))
    limit $1 for update of e skip locked
)
returning b.tenant_id, b.id

-- name: delete_expired
-- Remove a batch and its images, whose objects are gone.
delete from batches where tenant_id = $1 and id = $2 and expired_at is not null

-- name: unknown_batches
-- Those of some ids that no batch and no reservation has.
select a.id from unnest($2::text[]) as a(id)
where not exists (select from batches b where b.tenant_id = $1 and b.id = a.id)
  and not exists (select from reservations r where r.tenant_id = $1 and r.batch_id = a.id)
