-- name: read_secrets
-- Versions of credentials, with all that decides whether they may be leased.
select c.tenant_id, c.id, s.version, c.provider, c.enabled, c.deleted_at is not null as deleted, c.health,
    s.status, s.until, s.ciphertext
from unnest($1::text[], $2::text[], $3::integer[]) as a (tenant_id, id, version)
join credentials c on c.tenant_id = a.tenant_id and c.id = a.id
join secrets s on s.tenant_id = a.tenant_id and s.credential_id = a.id and s.version = a.version
order by c.tenant_id, c.id

-- name: hold_credentials
-- Nothing becomes of these credentials until the transaction ends; in one order, so that rounds don't deadlock.
select 1 from credentials c
where (c.tenant_id, c.id) in (select tenant_id, id from unnest($1::text[], $2::text[]) as a (tenant_id, id))
order by c.tenant_id, c.id for share

-- name: read_probes
-- Probes that were not answered.
select p.tenant_id, p.id, p.credential_id, p.version, p.expires_at
from unnest($1::text[], $2::text[]) as a (tenant_id, id)
join probes p on p.tenant_id = a.tenant_id and p.id = a.id
where p.answered_at is null

-- name: insert_leases
-- Leases, each with its audit row: who has it for what until when.
with leased as (
    insert into leases (
        tenant_id, id, credential_id, version, purpose, batch_id, probe_id, worker, renews, issued_at, expires_at
    )
    select a.*
    from unnest(
        $1::text[], $2::text[], $3::text[], $4::integer[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
        $10::timestamptz[], $11::timestamptz[]
    ) as a
    returning *
)
insert into audit (tenant_id, action, subject, actor, detail)
select tenant_id, case when renews is null then 'lease.granted' else 'lease.renewed' end, id, worker,
    jsonb_strip_nulls(jsonb_build_object(
        'credential', credential_id, 'version', version::text, 'purpose', purpose, 'batch', batch_id,
        'probe', probe_id, 'renews', renews, 'expires_at', expires_at::text
    ))
from leased

-- name: leased_batches
-- Renders' leases that were good at some time since a moment, by batch and credential.
select batch_id, credential_id, count(*)::int as leases
from leases where tenant_id = $1 and purpose = 'render' and expires_at > $2
group by batch_id, credential_id
