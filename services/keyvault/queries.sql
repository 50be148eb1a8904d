-- name: show_credentials
-- One credential ($2), deleted or not, or all that are there, each with what is shown of its secret.
select c.*, s.last_four, s.fingerprint, p.until as previous_until
from credentials c
join secrets s on s.tenant_id = c.tenant_id and s.credential_id = c.id and s.version = c.version
left join secrets p on p.tenant_id = c.tenant_id and p.credential_id = c.id
    and p.status = 'previous' and p.until > now()
where c.tenant_id = $1 and (c.id = $2 or $2::text is null and c.deleted_at is null)
order by c.id

-- name: lock_credential
-- Let one change of a credential come after the other.
select 1 from credentials where tenant_id = $1 and id = $2 for update

-- name: count_change
-- A higher revision replaces a lower one wherever the credential is known.
update credentials set revision = revision + 1, updated_at = now() where tenant_id = $1 and id = $2

-- name: insert_audit
-- Something happened.
insert into audit (tenant_id, action, subject, actor, detail) values ($1, $2, $3, $4, $5)

-- name: find_plan
-- Whether the tenant bought its own keys.
select byok from plans where tenant_id = $1

-- name: put_plan
-- The plan of a higher revision wins, in whatever order they come.
insert into plans (tenant_id, byok, revision) values ($1, $2, $3)
on conflict (tenant_id) do update set byok = excluded.byok, revision = excluded.revision
where plans.revision < excluded.revision

-- name: lock_tenant
-- Let what counts a tenant's credentials or moves its key come one after the other.
select pg_advisory_xact_lock(hashtextextended('keyvault ' || $1, 0))

-- name: count_credentials
-- How many the tenant has.
select count(*)::int from credentials where tenant_id = $1 and deleted_at is null

-- name: key_epoch
-- How often the tenant's key was erased, and to what version it was last rotated.
select (select count(*)::int from erasures where tenant_id = $1) as erasures,
    coalesce((select key_version from rotations where tenant_id = $1), 0) as rotated_to

-- name: insert_credential
-- Keep a credential; its secret comes with `insert_secret`.
insert into credentials (
    tenant_id, id, provider, settings, label, enabled, priority, monthly_cap, regions, models, expires_at,
    health_detail, next_probe_at
) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'It was not checked yet.', now() + interval '1 minute')

-- name: insert_secret
-- Keep a version of a secret, ciphertext alone.
insert into secrets (
    tenant_id, credential_id, version, status, settings, until, ciphertext, key_version, last_four, fingerprint
) values ($1, $2, $3, $4, $5, now() + make_interval(secs => $6), $7, $8, $9, $10)

-- name: update_terms
-- New terms; a credential that is switched on again is looked at soon.
update credentials c
set label = $3, enabled = $4, priority = $5, monthly_cap = $6, regions = $7, models = $8, expires_at = $9,
    next_probe_at = case when $4 and not c.enabled then now() else c.next_probe_at end
where tenant_id = $1 and id = $2

-- name: delete_credential
-- It stays for the audit, without any secret.
update credentials set deleted_at = now(), next_probe_at = null where tenant_id = $1 and id = $2

-- name: forget_secrets
-- Drop the ciphertexts of a credential: of all versions ($3 null) or of those.
update secrets set status = 'gone', ciphertext = null, until = null
where tenant_id = $1 and credential_id = $2 and status <> 'gone' and ($3::int[] is null or version = any($3))
returning version

-- name: end_leases
-- Nobody may go on with them: leases of all versions ($3 null) or of those.
update leases set revoked_at = now()
where tenant_id = $1 and credential_id = $2 and revoked_at is null and expires_at > now()
    and ($3::int[] is null or version = any($3))

-- name: versions
-- The secrets of a credential that are still there, oldest first, and for how many seconds more.
select *, extract(epoch from until - now())::float8 as left_s from secrets where tenant_id = $1 and credential_id = $2 and status <> 'gone' order by version

-- name: last_version
-- The number of the newest secret that there ever was.
select max(version) from secrets where tenant_id = $1 and credential_id = $2

-- name: set_status
-- What a version of a secret is from now on, and for how many seconds (null: for good).
update secrets set status = $4, until = now() + make_interval(secs => $5) where tenant_id = $1 and credential_id = $2 and version = $3

-- name: use_version
-- Let a version be the credential's secret, with the settings that came with it.
update credentials c set version = s.version, settings = s.settings
from secrets s
where c.tenant_id = $1 and c.id = $2 and s.tenant_id = $1 and s.credential_id = $2 and s.version = $3

-- name: overdue
-- Secrets whose time is over: kept to roll back to, or never verified.
select tenant_id, credential_id, version, status from secrets
where status in ('pending', 'previous') and until <= now()
order by tenant_id, credential_id, version limit 500

-- name: list_audit
-- A page of a tenant's audit, newest first.
select id, at, action, subject, actor, detail from audit
where tenant_id = $1 and ($2::bigint is null or id < $2) order by id desc limit $3

-- name: begin_rotation
-- Remember to what version a tenant's key is being rotated, so that it can be gone on with.
insert into rotations (tenant_id, key_version, minimum_version) values ($1, $2, $3)
on conflict (tenant_id) do update set key_version = excluded.key_version, started_at = now(), ended_at = null

-- name: find_rotation
-- How a tenant's key was last rotated.
select * from rotations where tenant_id = $1

-- name: unended_rotations
-- Rotations that somebody began and, it seems, did not live to end.
select tenant_id from rotations where ended_at is null and started_at < now() - make_interval(secs => $1)

-- name: to_rewrap
-- Some ciphertexts under older versions of the key, from the one after ($3, $4) on.
select s.credential_id, s.version, s.ciphertext, c.provider
from secrets s join credentials c on c.tenant_id = s.tenant_id and c.id = s.credential_id
where s.tenant_id = $1 and s.ciphertext is not null and s.key_version < $2
    and (s.credential_id, s.version) > ($3, $4)
order by s.credential_id, s.version limit $5

-- name: keep_rewrapped
-- Put the new ciphertexts in the place of the old ones, where these still stand.
update secrets s set ciphertext = n.ciphertext, key_version = n.key_version
from unnest($2::text[], $3::int[], $4::text[], $5::text[], $6::int[])
    as n(credential_id, version, old, ciphertext, key_version)
where s.tenant_id = $1 and s.credential_id = n.credential_id and s.version = n.version and s.ciphertext = n.old

-- name: count_ciphertexts
-- How many there are, and how many of them are under older versions of the key.
select count(*)::int as ciphertexts, count(*) filter (where key_version < $2)::int as older
from secrets where tenant_id = $1 and ciphertext is not null

-- name: end_rotation
-- All is rewrapped and the older versions are refused.
update rotations set minimum_version = $2, ended_at = now() where tenant_id = $1 and key_version = $2

-- name: forget_rotation
-- The key that was rotated is no more.
delete from rotations where tenant_id = $1

-- name: count_ever_stored
-- All credentials and secrets that the tenant ever had.
select (select count(*)::int from credentials where tenant_id = $1) as credentials,
    (select count(*)::int from secrets where tenant_id = $1) as versions

-- name: insert_erasure
-- Keep the certificate.
insert into erasures (tenant_id, statement, signature, public_key, erased_at, backups_expire_at)
values ($1, $2, $3, $4, $5, $6)
