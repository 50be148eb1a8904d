-- name: lock_tenant
-- The tenant that is to go, held until the commit.
select * from tenants where tenant_id = $1 for update

-- name: find
-- The erasure of a tenant, if it was asked for.
select * from erasures where tenant_sha256 = $1

-- name: get
-- One erasure.
select * from erasures where id = $1

-- name: begin
-- It was asked for; every service is told with the same commit.
insert into erasures (id, tenant_sha256, subject, requested_by, waiting_for)
values ($1, $2, $3, $4, $5) returning *

-- name: open_ones
-- Erasures that are under way.
select id from erasures where completed_at is null order by requested_at

-- name: lock_open
-- One of them, for whoever comes first.
select * from erasures where id = $1 and completed_at is null for update skip locked

-- name: lock
-- The same, after whoever has it.
select * from erasures where id = $1 for update

-- name: announce_again
-- Some services said nothing yet.
update erasures set announced_at = now(), announcements = announcements + 1 where id = $1

-- name: begin_round
-- All services once more.
update erasures
set round = $2, round_began_at = now(), announced_at = now(), announcements = 1, waiting_for = $3
where id = $1

-- name: report
-- A service's counts, and who is still missing.
update erasures set removed = $2, waiting_for = $3 where id = $1

-- name: complete
-- The certificate; the tenant's id goes.
update erasures
set removed = $2, own_rows_at = $3, completed_at = $3, statement = $4, signature = $5, public_key = $6,
    subject = null
where id = $1
