-- name: get_sso
-- How the tenant's people sign in, and what its plan holds.
select s.*, t.plan from sso s join tenants t using (tenant_id) where s.tenant_id = $1 and t.status <> 'erasing'

-- name: set_sso
-- From now on it is this provider.
insert into sso (tenant_id, issuer, client_id, client_secret, allowed_domains, default_role, enforce)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (tenant_id) do update set issuer = excluded.issuer, client_id = excluded.client_id,
    client_secret = excluded.client_secret, allowed_domains = excluded.allowed_domains,
    default_role = excluded.default_role, enforce = excluded.enforce, updated_at = now()
returning *

-- name: delete_sso
-- No more single sign-on.
delete from sso where tenant_id = $1 returning tenant_id

-- name: unpin
-- Identities of another provider are nobody's any more.
update users set sso_issuer = null, sso_subject = null where tenant_id = $1 and sso_issuer <> $2

-- name: insert_state
-- Somebody began to sign in.
insert into sso_states (tenant_id, sha256, binding_sha256, nonce, verifier, return_to, expires_at)
values ($1, $2, $3, $4, $5, $6, now() + interval '10 minutes')

-- name: take_state
-- And ends it, once.
delete from sso_states where tenant_id = $1 and sha256 = $2 returning *, expires_at > now() as alive
