-- name: lock_head
-- The end of a tenant's chain, held until the commit; made for a tenant that has none.
insert into audit_heads (tenant_id, sequence, hash) values ($1, 0, $2)
on conflict (tenant_id) do update set sequence = audit_heads.sequence
returning sequence, hash

-- name: move_head
-- The chain ends with another entry from now on.
update audit_heads set sequence = $2, hash = $3 where tenant_id = $1

-- name: append
-- One more entry.
insert into audit (tenant_id, sequence, at, body, hash) values ($1, $2, $3, $4, $5)

-- name: head
-- Where a tenant's chain ends.
select sequence, hash from audit_heads where tenant_id = $1

-- name: newest
-- A page of a tenant's entries, the newest first.
select sequence, body, hash from audit
where tenant_id = $1 and ($2::text is null or action = $2 or action like $2 || '.%')
  and ($3::text is null or actor = $3) and ($4::timestamptz is null or at >= $4)
  and ($5::timestamptz is null or at < $5) and ($6::bigint is null or sequence < $6)
order by sequence desc limit $7

-- name: oldest
-- A page of a tenant's entries, the oldest first.
select sequence, body, hash from audit
where tenant_id = $1 and ($2::text is null or action = $2 or action like $2 || '.%')
  and ($3::text is null or actor = $3) and ($4::timestamptz is null or at >= $4)
  and ($5::timestamptz is null or at < $5) and ($6::bigint is null or sequence > $6)
order by sequence limit $7

-- name: links
-- Entries as they stand in the table, to be checked.
select sequence, at, action, actor, body, hash from audit
where tenant_id = $1 and sequence > $2 and sequence <= $3 order by sequence limit $4

-- name: platform_lock_head
-- The same for the platform's own chain.
insert into platform_audit_head (sequence, hash) values (0, $1)
on conflict (one) do update set sequence = platform_audit_head.sequence
returning sequence, hash

-- name: platform_move_head
-- The platform's chain ends with another entry from now on.
update platform_audit_head set sequence = $1, hash = $2

-- name: platform_append
-- One more entry of the platform's.
insert into platform_audit (sequence, at, body, hash) values ($1, $2, $3, $4)

-- name: platform_head
-- Where the platform's chain ends.
select sequence, hash from platform_audit_head

-- name: platform_newest
-- A page of the platform's entries, the newest first.
select sequence, body, hash from platform_audit
where ($1::text is null or action = $1 or action like $1 || '.%')
  and ($2::text is null or actor = $2) and ($3::timestamptz is null or at >= $3)
  and ($4::timestamptz is null or at < $4) and ($5::bigint is null or sequence < $5)
order by sequence desc limit $6

-- name: platform_oldest
-- A page of the platform's entries, the oldest first.
select sequence, body, hash from platform_audit
where ($1::text is null or action = $1 or action like $1 || '.%')
  and ($2::text is null or actor = $2) and ($3::timestamptz is null or at >= $3)
  and ($4::timestamptz is null or at < $4) and ($5::bigint is null or sequence > $5)
order by sequence limit $6

-- name: platform_links
-- The platform's entries as they stand in the table, to be checked.
select sequence, at, action, actor, body, hash from platform_audit
where sequence > $1 and sequence <= $2 order by sequence limit $3
