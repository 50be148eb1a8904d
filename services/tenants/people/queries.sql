-- name: users_by_email
-- Everybody with an address, in tenants that are not being erased; one tenant's if it is named.
select u.*, t.name as tenant_name, coalesce(s.enforce, false) as sso_enforced
from users u join tenants t using (tenant_id) left join sso s using (tenant_id)
where u.email = $1 and u.state = 'active' and ($2::text is null or u.tenant_id = $2) and t.status <> 'erasing'
order by u.tenant_id limit $3

-- name: list_users
-- All members, the longest-standing first.
select * from users where tenant_id = $1 order by id

-- name: get_user
-- One member.
select * from users where tenant_id = $1 and id = $2

-- name: lock_user
-- One member, held until the transaction ends.
select * from users where tenant_id = $1 and id = $2 for update

-- name: user_by_email
-- The member with an address.
select * from users where tenant_id = $1 and email = $2

-- name: insert_user
-- Somebody new.
insert into users (tenant_id, id, email, name, role, language, password_hash, sso_issuer, sso_subject)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9) returning *

-- name: lock_tenant
-- The tenant's plan; who holds it is alone in changing seats and owners.
select name, plan from tenants where tenant_id = $1 and status <> 'erasing' for update

-- name: count_seats
-- Active members and open invites, beside one address.
select (select count(*) from users where tenant_id = $1 and state = 'active' and email <> $2)
     + (select count(*) from invites where tenant_id = $1 and expires_at > now() and email <> $2)

-- name: other_owners
-- How many owners could sign in beside one of them.
select count(*) from users where tenant_id = $1 and role = 'owner' and state = 'active' and id <> $2

-- name: change_profile
-- What somebody changes of themselves.
update users set name = coalesce($3, name), language = coalesce($4, language)
where tenant_id = $1 and id = $2 returning *

-- name: change_user
-- Role and state.
update users set state = $4, role = $3 where tenant_id = $1 and id = $2 returning *

-- name: delete_user
-- Forget somebody, with sessions, codes and letters.
delete from users where tenant_id = $1 and id = $2 returning *

-- name: set_password
-- A new hash.
update users set password_hash = $3 where tenant_id = $1 and id = $2 returning *

-- name: signed_in
-- The time of it, and a fresher hash if there is one, unless the password was changed meanwhile.
update users set last_login_at = now(), password_hash = coalesce($4, password_hash)
where tenant_id = $1 and id = $2 and state = 'active' and password_hash is not distinct from $3 returning *

-- name: pin_subject
-- From now on it is this identity of the provider.
update users set sso_issuer = $3, sso_subject = $4, last_login_at = now()
where tenant_id = $1 and id = $2 and state = 'active' and sso_subject is null returning *

-- name: user_by_subject
-- Whose identity it is.
select * from users where tenant_id = $1 and sso_issuer = $2 and sso_subject = $3

-- name: begin_totp
-- Keep a secret that does not count yet.
update users set totp_ciphertext = $3 where tenant_id = $1 and id = $2 and not totp_active returning id

-- name: activate_totp
-- The secret counts, its first code is used up.
update users set totp_active = true, totp_step = $4
where tenant_id = $1 and id = $2 and totp_ciphertext = $3 and not totp_active and totp_step < $4 returning id

-- name: take_totp
-- Use up a code.
update users set totp_step = $4
where tenant_id = $1 and id = $2 and totp_ciphertext = $3 and totp_active and totp_step < $4 returning id

-- name: remove_totp
-- Forget the secret; the step stays, so that no code comes back.
update users set totp_active = false, totp_ciphertext = null where tenant_id = $1 and id = $2

-- name: insert_recovery_codes
-- Hashes of new ones.
insert into recovery_codes (tenant_id, user_id, sha256) select $1, $2, unnest($3::text[])

-- name: delete_recovery_codes
-- Forget those of a user.
delete from recovery_codes where tenant_id = $1 and user_id = $2

-- name: take_recovery_code
-- Use one up.
delete from recovery_codes where tenant_id = $1 and user_id = $2 and sha256 = $3 returning sha256

-- name: insert_session
-- Somebody is in.
insert into sessions (tenant_id, id, user_id, method, sha256, ip, user_agent, expires_at)
values ($1, $2, $3, $4, $5, $6, $7, $8) returning *

-- name: lock_session
-- A session and whose it is.
select * from sessions where tenant_id = $1 and id = $2 for update

-- name: turn_session
-- The token was turned over.
update sessions set previous_sha256 = sha256, sha256 = $3, seed = $4, rotated_at = $5, last_used_at = $5
where tenant_id = $1 and id = $2

-- name: user_of_session
-- Whose it is, if they may still come in.
select u.* from users u join tenants t using (tenant_id)
where u.tenant_id = $1 and u.id = $2 and u.state = 'active' and t.status <> 'erasing'

-- name: list_sessions
-- Open ones, the newest first.
select * from sessions where tenant_id = $1 and user_id = $2 and ended_at is null and expires_at > $3
and last_used_at > $4 order by id desc limit 200

-- name: end_sessions
-- One of a user's, or all, or all but one.
update sessions set ended_at = now()
where tenant_id = $1 and user_id = $2 and ended_at is null
  and ($3::text is null or id = $3) and ($4::text is null or id <> $4)
returning id

-- name: insert_invite
-- Ask somebody to come; what was asked before is gone.
insert into invites (tenant_id, id, email, role, language, invited_by, sha256, expires_at)
values ($1, $2, $3, $4, $5, $6, $7, $8)
returning *

-- name: invite_by_email
-- What an address was asked before.
select * from invites where tenant_id = $1 and email = $2 for update

-- name: list_invites
-- Open ones, the newest first.
select * from invites where tenant_id = $1 and expires_at > now() order by id desc

-- name: delete_invite
-- Take an invite back.
delete from invites where tenant_id = $1 and id = $2 returning *

-- name: get_invite
-- An invite by its link.
select i.*, coalesce(s.enforce, false) as sso_enforced
from invites i left join sso s using (tenant_id)
where i.tenant_id = $1 and i.id = $2 and i.sha256 = $3 and i.expires_at > now()

-- name: take_invite
-- Use an invite up.
delete from invites where tenant_id = $1 and id = $2 and sha256 = $3 and expires_at > now() returning *

-- name: delete_invite_of
-- Whoever came another way needs no invite.
delete from invites where tenant_id = $1 and email = $2

-- name: insert_reset_mail
-- A letter with a way to a new password, unless one is due or was sent a moment ago.
insert into mails (tenant_id, kind, user_id)
select $1, 'password_reset', $2
where not exists (select from mails where tenant_id = $1 and user_id = $2)
  and not exists (select from password_resets where tenant_id = $1 and user_id = $2 and expires_at > $3)
returning id

-- name: insert_invite_mail
-- A letter with an invite.
insert into mails (tenant_id, kind, invite_id) values ($1, 'invite', $2)

-- name: get_reset
-- Whose password a link may set.
select u.* from password_resets r join users u on u.tenant_id = r.tenant_id and u.id = r.user_id
where r.tenant_id = $1 and r.user_id = $2 and r.sha256 = $3 and r.expires_at > now() and u.state = 'active'

-- name: take_reset
-- Use the link up.
delete from password_resets where tenant_id = $1 and user_id = $2 and sha256 = $3 and expires_at > now()
returning user_id

-- name: forget_reset
-- A password was set another way.
delete from password_resets where tenant_id = $1 and user_id = $2

-- name: sweep_sessions
-- Forget what ended long ago.
delete from sessions where expires_at < now() - interval '7 days' or ended_at < now() - interval '7 days'

-- name: sweep_failures
-- Forget who failed.
delete from login_failures where at < now() - interval '1 day'

-- name: sweep_resets
-- Forget links that are dead.
delete from password_resets where expires_at < now()

-- name: sweep_states
-- Forget sign-ins that were begun and left.
delete from sso_states where expires_at < now()

-- name: sweep_invites
-- Forget invites that nobody took.
delete from invites where expires_at < now() - interval '30 days'

-- name: know_failures
-- A place to count.
insert into login_failures (key) values ($1) on conflict do nothing

-- name: lock_failures
-- How often it failed.
select * from login_failures where key = $1 for update

-- name: count_failure
-- One attempt more, and when the next one is looked at.
update login_failures set failures = $2, until = $3, at = now() where key = $1

-- name: forgive
-- It was no failure.
update login_failures set failures = greatest(0, failures - 1), until = now() where key = $1

-- name: forget_failures
-- Start afresh.
delete from login_failures where key = $1
