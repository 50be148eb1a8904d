-- name: ensure_brand
-- A row to hold on to; it says what was so without it.
insert into brands (tenant_id, display_name) values ($1, $2) on conflict (tenant_id) do nothing

-- name: hold_brand
-- Everything that changes a brand does so one after another.
select * from brands where tenant_id = $1 for update

-- name: get_brand
-- A brand as it was set.
select * from brands where tenant_id = $1

-- name: set_look
-- What a tenant says of its brand.
update brands
set display_name = $2, colours = $3, support_link = $4, sender_name = $5, language = $6, updated_at = now()
where tenant_id = $1

-- name: set_pictures
-- What its pictures are from now on.
update brands
set logo = $2, favicon = $3, touch_icon = $4, favicon_uploaded = $5, updated_at = now()
where tenant_id = $1

-- name: next_revision
-- Each thing that is told has a higher revision than the one before.
update brands set revision = revision + 1 where tenant_id = $1 returning *

-- name: insert_domain
-- A host that is to be proved.
insert into domains (tenant_id, id, host, token) values ($1, $2, $3, $4) returning *

-- name: list_domains
-- A tenant's domains, in order of their making.
select * from domains where tenant_id = $1 order by created_at, id

-- name: get_domain
-- One of a tenant's domains.
select * from domains where tenant_id = $1 and id = $2

-- name: hold_domain
-- The same, and nobody else changes it meanwhile.
select * from domains where tenant_id = $1 and id = $2 for update

-- name: find_domain
-- One of a tenant's domains by its host.
select * from domains where tenant_id = $1 and host = $2

-- name: delete_domain
-- Its claim goes with it.
delete from domains where tenant_id = $1 and id = $2

-- name: verified_hosts
-- Where the brand is shown.
select host from domains where tenant_id = $1 and status = 'verified' order by host

-- name: claim_host
-- A host is verified for one tenant at a time, whoever the other is.
insert into domain_claims (tenant_id, host, domain_id) values ($1, $2, $3)
on conflict (host) do nothing returning host

-- name: holds_host
-- Whether the claim is this domain's already.
select true from domain_claims where tenant_id = $1 and domain_id = $2

-- name: release_host
-- A domain that fails holds nothing.
delete from domain_claims where tenant_id = $1 and domain_id = $2

-- name: looked
-- What came of a look at a domain's record.
update domains
set status = $3, fault = $4, failures = $5, verified_at = $6, checked_at = now(),
    next_check_at = now() + make_interval(secs => $7)
where tenant_id = $1 and id = $2
returning *

-- name: claim_due
-- Domains that were once verified and are due for another look; a process that dies leaves them for later.
update domains set next_check_at = now() + make_interval(secs => $2)
where (tenant_id, id) in (
    select tenant_id, id from domains
    where status <> 'pending' and next_check_at <= now()
    order by next_check_at limit $1 for update skip locked
)
returning tenant_id, id
