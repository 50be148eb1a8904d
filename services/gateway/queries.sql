-- name: issue_api_key
-- Learn what recognises a key; a revocation that came before it stays.
insert into api_keys (tenant_id, id, public_id, sha256, mode) values ($1, $2, $3, $4, $5)
on conflict (tenant_id, id) do update
set public_id = excluded.public_id, sha256 = excluded.sha256, mode = excluded.mode,
    changed_by = excluded.changed_by

-- name: set_key_terms
-- Learn what a key may, until when and from where; terms of an older revision change nothing.
insert into api_keys (tenant_id, id, scopes, expires_at, allowed_ips, revision) values ($1, $2, $3, $4, $5, $6)
on conflict (tenant_id, id) do update
set scopes = excluded.scopes, expires_at = excluded.expires_at, allowed_ips = excluded.allowed_ips,
    revision = excluded.revision, changed_by = excluded.changed_by
where api_keys.revision < excluded.revision

-- name: revoke_api_key
-- Learn that a key is revoked, whether or not it is known yet.
insert into api_keys (tenant_id, id, revoked_at) values ($1, $2, $3)
on conflict (tenant_id, id) do update
set revoked_at = least(api_keys.revoked_at, excluded.revoked_at), changed_by = excluded.changed_by

-- name: api_key_by_public_id
-- The key that a caller shows.
select tenant_id, id, public_id, sha256, mode, revoked_at, scopes, expires_at, allowed_ips from api_keys
where public_id = $1

-- name: api_key_by_id
-- The key that a token was issued to.
select tenant_id, id, public_id, sha256, mode, revoked_at, scopes, expires_at, allowed_ips from api_keys
where tenant_id = $1 and id = $2 and public_id is not null

-- name: api_keys_since
-- Keys that changed in or after a transaction.
select tenant_id, id, public_id, sha256, mode, revoked_at, scopes, expires_at, allowed_ips from api_keys
where changed_by >= $1 and public_id is not null

-- name: access_position
-- Where the next reading starts: every transaction before it has ended.
select (pg_snapshot_xmin(pg_current_snapshot())::text)::bigint

-- name: set_tenant_standing
-- Learn how a tenant stands; an older revision changes nothing.
insert into tenant_standing (tenant_id, status, revision) values ($1, $2, $3)
on conflict (tenant_id) do update
set status = excluded.status, revision = excluded.revision, changed_by = excluded.changed_by
where tenant_standing.revision < excluded.revision

-- name: tenant_standing_since
-- Tenants whose standing changed in or after a transaction; at first only those that are not simply active.
select tenant_id, status from tenant_standing where changed_by >= $1 and ($1 > 0 or status <> 'active')

-- name: insert_revocation
-- Tokens that must not be taken any more.
insert into revocations (tenant_id, kind, name, before, until) values ($1, $2, $3, $4, $5)

-- name: revocations_since
-- What was revoked in or after a transaction and is not dead by itself.
select kind, name, before, until from revocations where changed_by >= $1 and until > now()

-- name: sweep_revocations
-- Forget what concerns no living token.
delete from revocations where until < now()

-- name: claim_key
-- Take an idempotency key that is new, or that a dead request left behind.
insert into idempotency (tenant_id, key, owner, held_until)
values ($1, $2, $3, now() + make_interval(secs => $4))
on conflict (tenant_id, key) do update
set owner = excluded.owner, held_until = excluded.held_until, started_at = now()
where idempotency.answer is null and idempotency.held_until < now()
returning owner

-- name: get_answer
-- What is stored under an idempotency key.
select fingerprint, answer from idempotency where tenant_id = $1 and key = $2

-- name: hold_key
-- Say that the request is still alive.
update idempotency set held_until = now() + make_interval(secs => $4)
where tenant_id = $1 and key = $2 and owner = $3 and answer is null

-- name: store_answer
-- Keep the answer for repeats of the request.
update idempotency set fingerprint = $4, answer = $5
where tenant_id = $1 and key = $2 and owner = $3 and answer is null

-- name: release_key
-- Let go of a key whose request came to nothing.
delete from idempotency where tenant_id = $1 and key = $2 and owner = $3 and answer is null

-- name: insert_submission
-- Remember what was accepted until the batch service has heard of it.
insert into submissions (tenant_id, batch_id, image_id, name, options, submitted_at, test)
values ($1, $2, $3, $4, $5, $6, $7)

-- name: get_submission
-- A batch that was accepted here in the last $3 days.
select * from submissions
where tenant_id = $1 and batch_id = $2 and submitted_at > now() - make_interval(days => $3)

-- name: get_image_submission
-- A single image that was accepted here in the last $3 days.
select * from submissions
where tenant_id = $1 and image_id = $2 and submitted_at > now() - make_interval(days => $3)

-- name: sweep_idempotency
-- Forget answers after their time.
delete from idempotency where started_at < now() - make_interval(hours => $1)

-- name: forget_answers_about
-- Answers to the platform's own people in which a tenant stands that is being erased.
delete from idempotency where tenant_id <> $1 and position($1 in answer::text) > 0

-- name: sweep_submissions
-- Forget submissions that the batch service has known for long.
delete from submissions where submitted_at < now() - make_interval(days => $1)

-- name: upsert_plan
-- Keep what a plan limits; an older revision changes nothing.
insert into plans (tenant_id, quotas, revision) values ($1, $2, $3)
on conflict (tenant_id) do update set quotas = excluded.quotas, revision = excluded.revision
where plans.revision < excluded.revision

-- name: get_plan
-- What a tenant's plan limits.
select quotas from plans where tenant_id = $1
