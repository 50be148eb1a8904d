-- name: upsert_plan
-- Remember what a tenant bought; an older revision changes nothing. Its parked images are looked at again.
insert into routing (tenant_id, plan, plan_revision) values ($1, $2, $3)
on conflict (tenant_id) do update
set plan = excluded.plan, plan_revision = excluded.plan_revision, look_at = now()
where routing.plan_revision < excluded.plan_revision

-- name: upsert_policy
-- Keep whose account a tenant wants to be used. Its parked images are looked at again.
insert into routing (tenant_id, policy, when_unavailable, fallback_monthly_cap, updated_at)
values ($1, $2, $3, $4, now())
on conflict (tenant_id) do update
set policy = excluded.policy, when_unavailable = excluded.when_unavailable,
    fallback_monthly_cap = excluded.fallback_monthly_cap, updated_at = now(), look_at = now()
returning *

-- name: get_routing
-- A tenant's plan and policy.
select * from routing where tenant_id = $1

-- name: upsert_credential
-- Remember a credential; an older revision changes nothing. One that works again, or anew, rests no longer.
insert into credentials (tenant_id, id, revision, version, credential) values ($1, $2, $3, $4, $5)
on conflict (tenant_id, id) do update
set revision = excluded.revision, version = excluded.version, credential = excluded.credential,
    strikes = case when $6 or excluded.version > credentials.version then 0 else credentials.strikes end,
    paused_until = case when $6 or excluded.version > credentials.version then null
                        else credentials.paused_until end,
    fault = case when $6 or excluded.version > credentials.version then null else credentials.fault end,
    renewed_at = case when $6 or excluded.version > credentials.version then now()
                      else credentials.renewed_at end
where credentials.revision < excluded.revision

-- name: look_again
-- Have the tenant's parked images looked at, by $2 at the latest (null: at once).
update routing set look_at = least(coalesce(look_at, 'infinity'), coalesce($2, now())) where tenant_id = $1

-- name: looks_due
-- Tenants whose parked images are to be looked at.
select tenant_id, look_at from routing where look_at <= now() order by look_at limit 100

-- name: looked
-- The look that was due is done; one that was asked for meanwhile is not.
update routing set look_at = null where tenant_id = $1 and look_at = $2

-- name: list_credentials
-- A tenant's credentials and what calls on them said.
select * from credentials where tenant_id = $1 and not coalesce((credential->>'deleted')::boolean, false)

-- name: list_spend
-- What a tenant has spent and reserved in a month, on each account.
select account, images, reserved, charged, told from spend where tenant_id = $1 and month = $2

-- name: move_spend
-- Reserve, free and charge, each account in turn.
insert into spend (tenant_id, account, month, images, reserved, charged)
select $1, m.account, m.month, m.images, m.reserved, m.charged
from unnest($2::text[], $3::date[], $4::int[], $5::numeric[], $6::numeric[])
    as m(account, month, images, reserved, charged)
order by m.account, m.month
on conflict (tenant_id, account, month) do update
set images = spend.images + excluded.images, reserved = spend.reserved + excluded.reserved,
    charged = spend.charged + excluded.charged

-- name: tell_cap
-- Whether nobody was told yet that this month's cap is reached.
insert into spend (tenant_id, account, month, told) values ($1, $2, $3, true)
on conflict (tenant_id, account, month) do update set told = true where not spend.told
returning account

-- name: pause_credential
-- Let a credential rest, longer each time. A pause that goes on already is not made longer by what was in flight.
update credentials
set strikes = strikes + 1, fault = $4,
    paused_until = now() + make_interval(secs => least($6, $5 * power(2, least(strikes, 20))))
where tenant_id = $1 and id = $2 and version = $3
  and (paused_until is null or paused_until <= now() or ($7 and not coalesce((fault->>'key')::boolean, false)))

-- name: end_strikes
-- A call on it worked: its provider is well.
update credentials set strikes = 0, paused_until = null, fault = null
where tenant_id = $1 and id = any($2) and strikes > 0 and not coalesce((fault->>'key')::boolean, false)
returning id

-- name: peek_images
-- Images of a batch that could be released, in order.
select id, position, photo, inside, garment, faults, faulted_at from images
where tenant_id = $1 and batch_id = $2 and status = 'waiting' and duplicate_of is null and parked is null
order by position limit $3

-- name: release_images
-- Release these on a route.
update images
set status = 'rendering', released_at = now(), attempts = attempts + 1, route = $3, credential_id = $4,
    credential_version = $5, account = $6, month = $7, reserved = $8
where tenant_id = $1 and id = any($2)

-- name: park_images
-- Take images out of the line that have no route now.
update images set parked = $3 where tenant_id = $1 and id = any($2)

-- name: unpark_images
-- Put images back in line that have a route again.
update images set parked = null where tenant_id = $1 and id = any($2)

-- name: batches_parked
-- A tenant's batches with parked images.
select id from batches where tenant_id = $1 and parked > 0 and not cancelling order by id

-- name: parked_images
-- Parked images of a batch, in order, after a position.
select id, position, inside, garment, faults, faulted_at, parked from images
where tenant_id = $1 and batch_id = $2 and parked is not null and position > $3 and duplicate_of is null
order by position limit $4

-- name: put_back
-- Images that their route could not compute, back in line with what became of them there.
update images i
set status = 'waiting', released_at = null, attempts = greatest(attempts - 1, 0), route = null,
    credential_id = null, credential_version = null, account = null, month = null, reserved = null,
    faults = o.faults, faulted_at = now()
from jsonb_to_recordset($2) as o(id text, faults jsonb)
where i.tenant_id = $1 and i.id = o.id

-- name: routes_open
-- Which of these batches have images in flight on these credentials.
select c.place from unnest($1::text[], $2::text[], $3::text[]) with ordinality
    as c(tenant_id, batch_id, credential_id, place)
where exists (
    select from images i
    where i.tenant_id = c.tenant_id and i.batch_id = c.batch_id and i.credential_id = c.credential_id
      and i.status = 'rendering'
)

-- name: rendered_on
-- Images charged to a tenant's credentials since a moment, by batch.
select batch_id, credential_id, count(*)::int as images from charges
where tenant_id = $1 and charged_at >= $2 and credential_id is not null
group by batch_id, credential_id order by batch_id, credential_id limit $3

-- name: usage
-- Charges of some days, together as asked for.
select case when $4 then (charged_at at time zone 'UTC')::date end as day,
       case when $5 then provider end as provider,
       case when $6 then payer end as payer,
       count(*)::int as images, sum(coalesce(compute_ms, render_ms))::bigint as compute_ms,
       sum(cost) as cost, sum(platform_cost) as platform_cost
from charges
where tenant_id = $1 and charged_at >= $2 and charged_at < $3
group by 1, 2, 3 order by 1, 2, 3

-- name: savings
-- What the platform paid in each month, and what it would have without the tenant's keys.
select date_trunc('month', charged_at at time zone 'UTC')::date as month,
       count(*)::int as images, count(*) filter (where payer = 'tenant')::int as byok_images,
       sum(platform_cost) as without_byok,
       coalesce(sum(cost) filter (where payer = 'platform'), 0) as with_byok
from charges
where tenant_id = $1 and charged_at >= $2 and charged_at < $3
group by 1 order by 1
