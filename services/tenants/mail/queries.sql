-- name: claim_mails
-- Take letters that are due, for some minutes.
update mails m set due_at = now() + interval '5 minutes', attempts = m.attempts + 1
from (select tenant_id, id from mails where due_at <= now() order by due_at limit $1 for update skip locked) d
where m.tenant_id = d.tenant_id and m.id = d.id
returning m.*

-- name: invite_of
-- Whom an invite asks.
select i.email, '' as name, i.language, t.name as tenant
from invites i join tenants t using (tenant_id)
where i.tenant_id = $1 and i.id = $2 and i.expires_at > now()

-- name: user_of
-- Whose password it is.
select u.email, u.name, u.language, t.name as tenant
from users u join tenants t using (tenant_id) where u.tenant_id = $1 and u.id = $2 and u.state = 'active'

-- name: set_invite_token
-- The link in the letter works from now on.
update invites set sha256 = $3 where tenant_id = $1 and id = $2

-- name: set_reset_token
-- The same; a link before it is dead.
insert into password_resets (tenant_id, user_id, sha256, expires_at) values ($1, $2, $3, $4)
on conflict (tenant_id, user_id) do update set sha256 = excluded.sha256, expires_at = excluded.expires_at

-- name: delete_mail
-- It was sent, or never will be.
delete from mails where tenant_id = $1 and id = $2

-- name: later
-- Try again.
update mails set due_at = now() + make_interval(secs => $3) where tenant_id = $1 and id = $2
