-- name: insert_endpoint
-- Register an endpoint.
insert into endpoints (tenant_id, id, url, types, description, secret) values ($1, $2, $3, $4, $5, $6) returning *

-- name: lock_tenant
-- Let one registration of a tenant be counted after the other.
select pg_advisory_xact_lock(hashtextextended($1, 0))

-- name: count_endpoints
-- How many endpoints the tenant has.
select count(*)::int from endpoints where tenant_id = $1

-- name: list_endpoints
-- A tenant's endpoints, in order of their making.
select * from endpoints where tenant_id = $1 order by id

-- name: get_endpoint
-- One endpoint.
select * from endpoints where tenant_id = $1 and id = $2

-- name: hold_endpoint
-- One endpoint, neither disabled nor deleted until the transaction ends.
select * from endpoints where tenant_id = $1 and id = $2 for share

-- name: delete_endpoint
-- Forget an endpoint with all its deliveries.
delete from endpoints where tenant_id = $1 and id = $2 returning *

-- name: rotate_secret
-- Replace the secret; the old one signs along until $4.
update endpoints
set old_secret = secret, old_secret_until = $4, secret = $3
where tenant_id = $1 and id = $2 returning *

-- name: disable_endpoint
-- Send nothing more there.
update endpoints set disabled_reason = $3 where tenant_id = $1 and id = $2 and disabled_reason is null returning *

-- name: fail_pending
-- Give up what was still to be sent to an endpoint.
update deliveries set status = 'failed', next_attempt_at = null, claimed_until = null
where tenant_id = $1 and endpoint_id = $2 and status = 'pending'

-- name: interested
-- Endpoints that want a type, kept as they are until what is for them is queued.
select id from endpoints where tenant_id = $1 and $2 = any(types) and disabled_reason is null order by id for share

-- name: insert_deliveries
-- One delivery for each endpoint and notice; what was told before is not told again.
insert into deliveries (tenant_id, id, endpoint_id, source, type, payload, status, next_attempt_at, traceparent)
select $1, o.id, o.endpoint_id, o.source, o.type, o.payload, 'pending', $4, $3
from jsonb_to_recordset($2) as o(id text, endpoint_id text, source text, type text, payload text)
on conflict do nothing

-- name: waiting_endpoints
-- Endpoints with something due, longest wait first. Jumps through the index from endpoint to endpoint, so that
-- one with a long backlog costs no more than another.
with recursive pending as (
    (select tenant_id, endpoint_id from deliveries
     where status = 'pending' order by tenant_id, endpoint_id limit 1)
    union all
    select n.tenant_id, n.endpoint_id from pending p cross join lateral (
        select tenant_id, endpoint_id from deliveries
        where status = 'pending' and (tenant_id, endpoint_id) > (p.tenant_id, p.endpoint_id)
        order by tenant_id, endpoint_id limit 1
    ) n
)
select p.tenant_id, p.endpoint_id from pending p cross join lateral (
    select next_attempt_at from deliveries d
    where d.tenant_id = p.tenant_id and d.endpoint_id = p.endpoint_id and d.status = 'pending'
        and d.next_attempt_at <= $1 and (d.claimed_until is null or d.claimed_until < $1)
    order by next_attempt_at limit 1
) oldest
order by oldest.next_attempt_at

-- name: claim_due
-- Take what is due at $1 until $2, so many for each endpoint; a claim whose holder died runs out.
with due as (
    select d.tenant_id, d.id from unnest($3::text[], $4::text[], $5::int[]) as a(tenant_id, endpoint_id, places)
    cross join lateral (
        select tenant_id, id from deliveries
        where tenant_id = a.tenant_id and endpoint_id = a.endpoint_id and status = 'pending'
            and next_attempt_at <= $1 and (claimed_until is null or claimed_until < $1)
        order by next_attempt_at limit a.places for update skip locked
    ) d
)
update deliveries d set claimed_until = $2
from due, endpoints e
where d.tenant_id = due.tenant_id and d.id = due.id and e.tenant_id = d.tenant_id and e.id = d.endpoint_id
returning d.*, e.url, e.secret, e.old_secret, coalesce(e.old_secret_until > $1, false) as old_secret_signs

-- name: release_claims
-- Let others send what this process claimed and did not finish.
update deliveries d set claimed_until = null
from unnest($1::text[], $2::text[], $3::timestamptz[]) as c(tenant_id, id, until)
where d.tenant_id = c.tenant_id and d.id = c.id and d.claimed_until = c.until

-- name: lock_delivery
-- One delivery, held until the transaction ends.
select * from deliveries where tenant_id = $1 and id = $2 for update

-- name: insert_attempt
-- Record a try at a delivery that is locked.
insert into attempts (tenant_id, delivery_id, number, at, duration_ms, status_code, error)
select $1, $2, coalesce(max(number), 0) + 1, $3, $4, $5, $6
from attempts where tenant_id = $1 and delivery_id = $2

-- name: close_attempt
-- Write how a try leaves its delivery.
update deliveries set status = $3, failures = $4, next_attempt_at = $5, claimed_until = null
where tenant_id = $1 and id = $2

-- name: list_deliveries
-- A page of an endpoint's deliveries, newest first, each with its tries: of one moment, as it is one statement.
select d.*, (
    select coalesce(jsonb_agg(to_jsonb(a) - '{tenant_id,delivery_id,number}'::text[] order by a.number), '[]')
    from attempts a where a.tenant_id = d.tenant_id and a.delivery_id = d.id
) as attempts
from deliveries d
where d.tenant_id = $1 and d.endpoint_id = $2
    and ($3::text is null or d.id < $3) and ($4::text is null or d.id = $4)
order by d.id desc limit $5

-- name: send_again
-- Put a delivery back in line, now and with the whole schedule before it.
update deliveries set status = 'pending', failures = 0, next_attempt_at = $4, claimed_until = null
where tenant_id = $1 and endpoint_id = $2 and id = $3

-- name: forget_ended
-- Drop some deliveries that ended and were made before $1.
delete from deliveries where (tenant_id, id) in (
    select tenant_id, id from deliveries where status <> 'pending' and created_at < $1 limit 1000
)

-- name: list_standings
-- A page of all tenants' endpoints by tenant, each with how its deliveries fare: those under way, those of the last
-- 24 hours (ids sort by time: from $5 on), and the last try at any of its newest 50. A null filter takes all.
with endpoint as (
    select e.tenant_id, e.id, e.url, e.disabled_reason from endpoints e
    where (e.tenant_id, e.id) > ($1, $2)
        and ($3::text is null or e.tenant_id = $3)
        and ($4::text is null or ($4 = 'disabled') = (e.disabled_reason is not null))
), standing as (
    select e.*, p.pending, p.oldest_pending_at, d.delivered_day, d.failed_day,
        l.at as last_attempt_at, l.status_code as last_status_code, l.error as last_error,
        case
            when e.disabled_reason is not null then 'disabled'
            when l.at is null or l.error is null and l.status_code between 200 and 299 then 'healthy'
            else 'failing'
        end as state
    from endpoint e
    cross join lateral (
        select count(*)::int as pending, min(created_at) as oldest_pending_at from deliveries
        where tenant_id = e.tenant_id and endpoint_id = e.id and status = 'pending'
    ) p
    cross join lateral (
        select count(*) filter (where status = 'delivered')::int as delivered_day,
            count(*) filter (where status = 'failed')::int as failed_day
        from deliveries where tenant_id = e.tenant_id and endpoint_id = e.id and id >= $5
    ) d
    left join lateral (
        select a.at, a.status_code, a.error from (
            select id from deliveries
            where tenant_id = e.tenant_id and endpoint_id = e.id order by id desc limit 50
        ) newest join attempts a on a.tenant_id = e.tenant_id and a.delivery_id = newest.id
        order by a.at desc, a.number desc limit 1
    ) l on true
)
select * from standing where $4::text is null or state = $4 order by tenant_id, id limit $6
