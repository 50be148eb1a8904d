-- name: insert_staff
-- Somebody new.
insert into staff (id, email, name, role, password_hash) values ($1, $2, $3, $4, $5)
on conflict (email) do nothing returning *

-- name: list_staff
-- All, the longest-standing first.
select * from staff order by id

-- name: get_staff
-- One.
select * from staff where id = $1

-- name: lock_all
-- Whoever holds this is alone in changing who there is.
select pg_advisory_xact_lock(7355609)

-- name: by_email
-- Who signs in.
select * from staff where email = $1 and state = 'active'

-- name: other_admins
-- How many admins there are beside one.
select count(*) from staff where role = 'platform_admin' and state = 'active' and id <> $1

-- name: change_staff
-- Role and state.
update staff set state = $3, role = $2 where id = $1 returning *

-- name: delete_staff
-- Forget one, with sessions and codes.
delete from staff where id = $1

-- name: begin_totp
-- Keep a secret that does not count yet.
update staff set totp_ciphertext = $2 where id = $1 and not totp_active returning id

-- name: enrol
-- The secret counts, and the password is the person's own.
update staff set totp_active = true, totp_step = $4, password_hash = $3, password_initial = false
where id = $1 and totp_ciphertext = $2 and not totp_active and totp_step < $4 returning *

-- name: take_totp
-- Use up a code.
update staff set totp_step = $3
where id = $1 and totp_ciphertext = $2 and totp_active and totp_step < $3 returning id

-- name: take_recovery_code
-- Use one up.
delete from staff_recovery_codes where staff_id = $1 and sha256 = $2 returning sha256

-- name: insert_recovery_codes
-- Hashes of new ones, in place of any before.
insert into staff_recovery_codes (staff_id, sha256) select $1, unnest($2::text[])

-- name: signed_in
-- The time of it, and a fresher hash if there is one.
update staff set last_login_at = now(), password_hash = coalesce($3, password_hash)
where id = $1 and state = 'active' and totp_active and password_hash = $2 returning *

-- name: insert_session
-- Somebody is in.
insert into staff_sessions (id, staff_id, sha256, ip, user_agent, expires_at) values ($1, $2, $3, $4, $5, $6)

-- name: lock_session
-- A session.
select * from staff_sessions where id = $1 for update

-- name: turn_session
-- The token was turned over.
update staff_sessions set previous_sha256 = sha256, sha256 = $2, seed = $3, rotated_at = $4, last_used_at = $4
where id = $1

-- name: active
-- Whose it is, if they may still come in.
select * from staff where id = $1 and state = 'active'

-- name: end_sessions
-- One of a person's, or all.
update staff_sessions set ended_at = now()
where staff_id = $1 and ended_at is null and ($2::text is null or id = $2) returning id

-- name: sweep_sessions
-- Forget what ended long ago.
delete from staff_sessions where expires_at < now() - interval '7 days'

-- name: insert_impersonation
-- One of the platform's people is let into a tenant.
insert into impersonations (tenant_id, session_id, staff_id, reason, role, expires_at)
select tenant_id, $2, $3, $4, $5, $6 from tenants where tenant_id = $1 and status <> 'erasing' returning *

-- name: list_impersonations
-- The newest first.
select * from impersonations where tenant_id = $1 order by session_id desc limit 200

-- name: end_impersonation
-- And out again; the first end's time stays.
update impersonations set ended_at = now()
where tenant_id = $1 and session_id = $2 and ended_at is null returning *

-- name: get_impersonation
-- One.
select * from impersonations where tenant_id = $1 and session_id = $2
