-- name: was_taken
-- Whether this queue has finished the message before.
select exists (select from inbox where queue = $1 and message_id = $2)

-- name: begin_attempts
-- Suspect every image of a chunk whose worker died; what is known already stays.
insert into attempts (tenant_id, chunk_id, image_id)
select $1, $2, unnest($3::text[])
on conflict do nothing

-- name: list_attempts
-- What is known of a chunk's images.
select image_id, deaths, outcome from attempts where tenant_id = $1 and chunk_id = $2

-- name: count_death
-- Another worker died of the image.
update attempts set deaths = deaths + 1, updated_at = now()
where tenant_id = $1 and chunk_id = $2 and image_id = $3

-- name: save_outcome
-- Keep an image's outcome until its whole chunk is through.
update attempts set outcome = $4, updated_at = now()
where tenant_id = $1 and chunk_id = $2 and image_id = $3

-- name: forget_chunk
-- The chunk is through; its outcomes are in the outbox.
delete from attempts where tenant_id = $1 and chunk_id = $2
