-- name: hold_standing
-- The health of a credential that was not deleted, held until the transaction ends.
select id, tenant_id, provider, version, enabled, settings, expires_at, warned,
    health, health_since, health_code, health_detail, checked_at, good_in_a_row, bad_in_a_row, first_fault_at
from credentials where tenant_id = $1 and id = $2 and deleted_at is null for update

-- name: put_standing
-- How the key stands, and when it is looked at next ($11 null: as before).
update credentials
set health = $3, health_since = $4, checked_at = $5, health_code = $6, health_detail = $7,
    good_in_a_row = $8, bad_in_a_row = $9, first_fault_at = $10, next_probe_at = coalesce($11, next_probe_at)
where tenant_id = $1 and id = $2

-- name: put_off
-- Look at a credential's current secret at a moment, and not before.
update credentials set next_probe_at = $4 where tenant_id = $1 and id = $2 and version = $3

-- name: insert_probe
-- Somebody wants to know whether a version of a credential works.
insert into probes (tenant_id, id, credential_id, version, asked_at, expires_at)
values ($1, $2, $3, $4, $5, $6)

-- name: answer_probe
-- The first answer counts.
update probes set answered_at = now(), fault_code = $3, fault_detail = $4
where tenant_id = $1 and id = $2 and answered_at is null

-- name: find_answer
-- What a probe found out, once it did.
select version, answered_at, fault_code, fault_detail from probes
where tenant_id = $1 and id = $2 and answered_at is not null

-- name: claim_due
-- Credentials of a provider whose time to be looked at has come; other instances skip them.
select tenant_id, id, provider, version, settings,
    health, health_since, health_code, health_detail, checked_at, good_in_a_row, bad_in_a_row, first_fault_at
from credentials
where next_probe_at <= $2 and provider = $1 and deleted_at is null and enabled
order by next_probe_at limit $3 for update skip locked

-- name: last_probe
-- The newest look at a version of a credential.
select answered_at from probes where tenant_id = $1 and credential_id = $2 and version = $3
order by asked_at desc limit 1

-- name: note
-- Say why nothing is known of a credential.
update credentials set health_detail = $3 where tenant_id = $1 and id = $2

-- name: forget_probes
-- Their answers are in the credentials' health and in the audit.
delete from probes where asked_at < $1

-- name: with_an_end
-- A page of the credentials that may end one day: by their own date, or with a model of these providers.
select id, tenant_id, provider, version, settings, expires_at, warned,
    health, health_since, health_code, health_detail, checked_at, good_in_a_row, bad_in_a_row, first_fault_at
from credentials
where deleted_at is null and enabled and (expires_at is not null or provider = any($1))
    and (tenant_id, id) > ($2, $3)
order by tenant_id, id limit $4 for update skip locked

-- name: put_warned
-- What the owner was told of, so that it is told once.
update credentials set warned = $3 where tenant_id = $1 and id = $2

-- name: list_standings
-- A page of all tenants' credentials and how they stand, by tenant. A null filter takes all.
select tenant_id, id as credential_id, provider, label, enabled, health as state, health_since as since,
    checked_at, health_code as code, expires_at
from credentials
where deleted_at is null and (tenant_id, id) > ($1, $2)
    and ($3::text is null or tenant_id = $3)
    and ($4::text is null or health = $4)
    and ($5::text is null or provider = $5)
order by tenant_id, id limit $6
