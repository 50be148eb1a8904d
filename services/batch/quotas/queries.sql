-- name: lock_quotas
-- One admission of a tenant at a time; the moment of its turn, by one clock for all.
select pg_advisory_xact_lock(7355610, hashtext($1)), clock_timestamp() as now

-- name: clock
-- The moment, by one clock for all.
select clock_timestamp()

-- name: taken
-- Images of a month that are charged, under way or kept for uploads, and test images since the day began; $4 is
-- a batch that is left out.
select
    (select coalesce(sum(images), 0) from month_use where tenant_id = $1 and month = $2)::int as used,
    (select coalesce(sum(greatest(b.ready + b.parked + b.rendering, coalesce(r.images - b.billable, 0))), 0)
     from batches b left join reservations r
          on r.tenant_id = b.tenant_id and r.batch_id = b.id and b.status in ('accepted', 'splitting')
     where b.tenant_id = $1 and b.ended_at is null and not b.test and b.id is distinct from $4)::int
    + (select coalesce(sum(r.images), 0) from reservations r
       where r.tenant_id = $1 and not r.test and r.expires_at > now() and r.batch_id is distinct from $4
         and not exists (select from batches b where b.tenant_id = $1 and b.id = r.batch_id))::int as reserved,
    (select coalesce(sum(greatest(b.total - b.duplicates - b.refused - b.paired, coalesce(r.images, 0))), 0)
     from batches b left join reservations r on r.tenant_id = b.tenant_id and r.batch_id = b.id
     where b.tenant_id = $1 and b.test and b.created_at >= $3 and b.id is distinct from $4)::int
    + (select coalesce(sum(r.images), 0) from reservations r
       where r.tenant_id = $1 and r.test and r.expires_at > now() and r.batch_id is distinct from $4
         and not exists (select from batches b where b.tenant_id = $1 and b.id = r.batch_id))::int as tests

-- name: reserve
-- Keep images for an upload for a while; again for the same batch: what it needs now.
insert into reservations (tenant_id, batch_id, test, images, expires_at)
values ($1, $2, $3, $4, now() + make_interval(secs => $5))
on conflict (tenant_id, batch_id) do update set images = excluded.images, expires_at = excluded.expires_at
returning images, expires_at

-- name: end_reservation
-- The batch's own counters say from now on what is under way.
delete from reservations where tenant_id = $1 and batch_id = $2

-- name: sweep_reservations
-- Forget what was kept for uploads of which no submission came.
delete from reservations r
where expires_at < now() - interval '1 day'
  and not exists (select from batches b where b.tenant_id = r.tenant_id and b.id = r.batch_id
                  and b.ended_at is null)

-- name: count_charged
-- Count images that were charged just now on the month's bill.
insert into month_use (tenant_id, month, slot, images)
values ($1, date_trunc('month', now() at time zone 'UTC')::date, $2, $3)
on conflict (tenant_id, month, slot) do update set images = month_use.images + excluded.images

-- name: under_way
-- A tenant's images that workers have now.
select count(*)::int from images where tenant_id = $1 and status = 'rendering'

-- name: tenant_usage
-- Tenants after one, by id, with what they were charged in some days and what their plans say.
with charged as (
    select tenant_id,
           count(*) filter (where route = 'platform')::int as images_platform,
           count(*) filter (where route = 'byok')::int as images_own_key,
           count(*) filter (where route = 'fallback')::int as images_fallback,
           coalesce(sum(cost) filter (where payer = 'platform'), 0) as cost_platform,
           coalesce(sum(cost) filter (where payer = 'tenant'), 0) as cost_tenant
    from charges
    where charged_at >= $1 and charged_at < $2 and ($3::text is null or tenant_id = $3)
    group by tenant_id
),
tested as (
    select tenant_id, sum(completed)::int as images from batches
    where test and created_at >= $1 and created_at < $2 and ($3::text is null or tenant_id = $3)
    group by tenant_id
)
select t.tenant_id, t.known_since, r.plan,
       coalesce(c.images_platform, 0) as images_platform, coalesce(c.images_own_key, 0) as images_own_key,
       coalesce(c.images_fallback, 0) as images_fallback, coalesce(c.cost_platform, 0) as cost_platform,
       coalesce(c.cost_tenant, 0) as cost_tenant, coalesce(x.images, 0) as test_images
from tenants t left join routing r using (tenant_id) left join charged c using (tenant_id)
     left join tested x using (tenant_id)
where ($3::text is null or t.tenant_id = $3) and ($4::text is null or t.tenant_id > $4)
order by t.tenant_id limit $5
